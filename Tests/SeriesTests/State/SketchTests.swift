import Columns
import SimulatedMachine
import Testing

@testable import Series

@Suite struct SketchTests {
    @Test(arguments: [10, 1_024, 1_025, 5_000, 20_000, 41_000, 60_000, 100_000, 400_000])
    func theEstimateIsWithinThreePercent(count: Int) {
        for seed in 1...3 as ClosedRange<UInt64> {
            var sketch = CardinalitySketch()
            for number in 0..<count {
                let hash = withUnsafeBytes(of: UInt64(number) &+ seed << 40) { BytesHash.hash($0) }
                sketch.insert(hash)
                if number % 3 == 0 { sketch.insert(hash) }
            }
            let error = Double(sketch.estimate - count) / Double(count)
            #expect(abs(error) <= (count <= 1_024 ? 0 : 0.03), "\(count), seed \(seed): \(sketch.estimate)")
        }
    }

    @Test func theOrderOfHashesDoesNotMatter() {
        var random = SeededGenerator(seed: 7)
        let hashes = (0..<3_000).map { _ in random.next() }
        var (forward, backward, halves, other) = (
            CardinalitySketch(), CardinalitySketch(), CardinalitySketch(), CardinalitySketch()
        )
        for hash in hashes { forward.insert(hash) }
        for hash in hashes.reversed() { backward.insert(hash) }
        for hash in hashes[..<2_500] { halves.insert(hash) }
        for hash in hashes[2_500...] { other.insert(hash) }
        other.formUnion(halves)
        #expect(forward == backward)
        #expect(forward == other)
    }

    @Test func whatExpiresIsForgotten() {
        var sketch = WindowedSketch()
        for hash in 0..<100 as Range<UInt64> { sketch.insert(hash &* 0x9E37_79B9_7F4A_7C15, window: 0) }
        for hash in 50..<200 as Range<UInt64> { sketch.insert(hash &* 0x9E37_79B9_7F4A_7C15, window: 10) }
        #expect(sketch.estimate == 200)
        #expect(!sketch.hasWindow(endingBefore: 10, length: 10))
        sketch.expire(before: 11, length: 10)
        #expect(sketch.estimate == 150)
    }

    /// The hash is part of the format of the state.
    @Test func theHashStaysWhatItIs() {
        func hash(_ text: String) -> UInt64 { Array(text.utf8).withUnsafeBytes { BytesHash.hash($0) } }
        #expect(hash("") == GoldenHashes.empty)
        #expect(hash("cpu") == GoldenHashes.short)
        #expect(hash("hostname") == GoldenHashes.eight)
        #expect(hash("a sentence of more than sixteen bytes, and of more than 32") == GoldenHashes.long)
    }
}

private enum GoldenHashes {
    static let empty: UInt64 = 2_302_960_717_771_869_484
    static let short: UInt64 = 11_114_880_303_500_026_321
    static let eight: UInt64 = 2_953_755_298_862_514_207
    static let long: UInt64 = 4_790_890_688_250_899_414
}

extension SketchTests {
    /// No stream of hashes gives these: a file may.
    @Test(arguments: [CardinalitySketch.maximumRank - 1, CardinalitySketch.maximumRank])
    func registersThatSayTooMuchGiveANumber(rank: Int) throws {
        let registers = [UInt8](repeating: UInt8(rank), count: CardinalitySketch.registerCount)
        let sketch = try #require(CardinalitySketch(registers: registers))
        #expect(sketch.estimate == 1 << 50)
    }
}
