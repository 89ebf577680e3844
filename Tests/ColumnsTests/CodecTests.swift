import Bytes
import Columns
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct CodecTests {
    /// Sequences that each form is made for, and some that none is.
    static func sequences(_ random: inout SeededGenerator) -> [[Int64]] {
        let count = Int.random(in: 1...2100, using: &random)
        var walk: Int64 = .random(in: -1000...1000, using: &random)
        var total: Int64 = 0
        let step = Int64.random(in: 1...1_000_000, using: &random)
        return [
            Array(repeating: .random(in: .min ... .max, using: &random), count: count),
            (0..<count).map { _ in
                walk += .random(in: -4...4, using: &random)
                return walk
            },
            (0..<count).map { 1_500_000_000_000_000_000 + Int64($0) * 10_000_000_000 },
            (0..<count).map { index in
                total += index % 97 == 0 ? step * 1000 : step + .random(in: 0...3, using: &random)
                return total
            },
            (0..<count).map { _ in .random(in: .min ... .max, using: &random) },
            (0..<count).map { Int64($0 / 100) },
            (0..<count).map { $0 % 200 == 0 ? .max : Int64($0 & 7) },
            (0..<count).map { $0.isMultiple(of: 2) ? .min : .max },
            (0..<count).map { _ in .random(in: 0...50, using: &random) * 4096 },
            (0..<count).map { _ in 1 << Int64.random(in: 0...62, using: &random) },
        ]
    }

    private static func encoded(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        body(&writer)
        return writer.array()
    }

    @Test(arguments: SimulationSeeds.chosen(30))
    func integersComeBack(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for values in Self.sequences(&random) {
            let bytes = Self.encoded { IntegerCodec.encode(values, into: &$0) }
            let found = try bytes.withUnsafeBytes { try IntegerCodec.decodeAll($0, count: values.count) }
            #expect(found == values)
            // No form costs more than all bits and a small head.
            #expect(bytes.count <= values.count * 8 + 24)
        }
    }

    @Test func everyWidthPacks() {
        for width in 0...64 {
            for count in [1, 7, 8, 9, 64, 100] {
                let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
                let values = (0..<count).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 & mask }
                let bytes = Self.encoded { writer in
                    values.withUnsafeBufferPointer { BitPacking.pack($0, width: width, into: &writer) }
                }
                #expect(bytes.count == (count * width + 7) / 8)
                var found = [UInt64](repeating: 1, count: count)
                bytes.withUnsafeBytes { bytes in
                    found.withUnsafeMutableBufferPointer { BitPacking.unpack(bytes, width: width, into: $0) }
                }
                #expect(found == values, "\(width) bits, \(count) integers")
            }
        }
    }

    @Test func formsAreChosenThatFit() {
        func form(_ values: [Int64]) -> IntegerCodec.Form? {
            Self.encoded { IntegerCodec.encode(values, into: &$0) }.first.flatMap {
                IntegerCodec.Form(rawValue: $0 & ~IntegerCodec.divided)
            }
        }
        #expect(form(Array(repeating: 7, count: 1000)) == .constant)
        var random = SeededGenerator(seed: 1)
        func noise(_ range: ClosedRange<Int64>) -> Int64 { .random(in: range, using: &random) }
        let levels = (0..<100).map { _ in noise(0...1_000_000) }
        #expect(form((0..<1000).map { levels[$0 / 10] }) == .runs)
        #expect(form((0..<1000).map { _ in noise(0...63) }) == .frame)
        let steps = (0..<1000).map { _ in noise(-8...8) }
        #expect(form(steps.indices.map { steps[...$0].reduce(0, +) }) == .delta)
        let growth = (0..<1000).map { _ in noise(1_000_000...1_000_100) }
        #expect(form(growth.indices.map { growth[...$0].reduce(0, +) }) == .deltaFrame)
        #expect(form((0..<1000).map { Int64($0 * $0) * 7 + noise(0...1) }) == .deltaDelta)
        // 10,000 values of a clock that ticks take some tens of bytes.
        let times = (0..<10_000).map { 1_500_000_000_000_000_000 + Int64($0) * 10_000_000_000 }
        #expect(Self.encoded { IntegerCodec.encode(times, into: &$0) }.count < 40)
    }

    static let floats: [(String, [Double])] = [
        ("two decimals", (0..<2000).map { Double(($0 * 7919) % 10_000) / 100 }),
        ("whole numbers", (0..<500).map { Double($0) }),
        ("a third", (1..<500).map { 1 / Double($0 * 3) }),
        ("extremes", [0, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude, -1e300, 1e-300, 0.1, 1e15, 1e22]),
        ("negative zeros among decimals", (0..<400).map { $0 % 50 == 0 ? -0.0 : Double($0) / 10 }),
        ("floats of 32 bits", (0..<400).map { Double(Float($0) * 0.1) }),
        ("not finite", [.nan, .infinity, -.infinity, 1.5]),
        ("late decimals", (0..<2048).map { $0 < 1900 ? Double($0) : Double($0) + 0.125 }),
    ]

    @Test(arguments: floats.indices)
    func floatsComeBackToTheBit(index: Int) throws {
        let (name, values) = Self.floats[index]
        let patterns = values.map { Int64(bitPattern: $0.bitPattern) }
        let bytes = Self.encoded { writer in
            patterns.withUnsafeBufferPointer { FloatCodec.encode($0, into: &writer) }
        }
        var found = [Double](repeating: 0, count: values.count)
        try bytes.withUnsafeBytes { bytes in
            try found.withUnsafeMutableBufferPointer { try FloatCodec.decodeAll(bytes, into: $0) }
        }
        #expect(found.map(\.bitPattern) == values.map(\.bitPattern), "\(name)")
    }

    @Test func decimalsTakeLittleRoom() {
        var random = SeededGenerator(seed: 1)
        var walk = 5000
        let values = (0..<2048).map { _ in
            // About the steps of a normal distribution with a deviation of 1.
            walk += (0..<12).reduce(-600) { sum, _ in sum + Int.random(in: 0...100, using: &random) }
            return Int64(bitPattern: (Double(walk) / 100).bitPattern)
        }
        let bytes = Self.encoded { writer in values.withUnsafeBufferPointer { FloatCodec.encode($0, into: &writer) } }
        #expect(Double(bytes.count) / 2048 < 1.25)
    }

    @Test func stringsComeBack() throws {
        let lists: [[String]] = [[], [""], ["a", "", "bc"], (0..<3000).map { "message number \($0)" }]
        for list in lists {
            var strings = ByteStrings()
            for string in list { Array(string.utf8).withUnsafeBytes { strings.append($0) } }
            let bytes = Self.encoded { StringPiece.encode(strings, into: &$0) }
            let found = try bytes.withUnsafeBytes { try StringPiece.decode($0, limit: list.count) }
            #expect(found.bytes == strings.bytes)
            #expect(found.offsets == strings.offsets)
        }
    }

    /// Whatever the bytes are, they give integers or an error.
    @Test(arguments: SimulationSeeds.chosen(200))
    func hostileBytesAreErrors(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for values in Self.sequences(&random) {
            var bytes = Self.encoded { IntegerCodec.encode(values, into: &$0) }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<min(bytes.count, 30), using: &random)] = .random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            bytes.withUnsafeBytes { bytes in
                _ = try? IntegerCodec.decodeAll(bytes, count: values.count)
                _ = try? StringPiece.decode(bytes, limit: values.count)
                var floats = [Double](repeating: 0, count: values.count)
                floats.withUnsafeMutableBufferPointer { _ = try? FloatCodec.decodeAll(bytes, into: $0) }
            }
        }
    }
}
