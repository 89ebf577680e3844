import SimulatedMachine
import Testing

@testable import View

@Suite struct AwaitedOffsetsTests {
    @Test func neighboursAreOneRange() {
        var awaited = AwaitedOffsets()
        for offsets in [0..<2, 2..<3, 5..<9, 9..<9, 4..<5, 12..<13] as [Range<Int64>] { awaited.add(offsets) }
        // 4 came too late.
        #expect(awaited.ranges == [0..<3, 5..<9, 12..<13])
        awaited.remove(before: 6)
        #expect(awaited.ranges == [6..<9, 12..<13])
        awaited.remove(7..<8)
        #expect(awaited.ranges == [6..<7, 8..<9, 12..<13])
    }

    @Test func theBoundIsHeld() {
        var awaited = AwaitedOffsets()
        for index in 0...Int64(AwaitedOffsets.maximumRanges) { awaited.add(2 * index..<2 * index + 1) }
        let last = 2 * Int64(AwaitedOffsets.maximumRanges)
        #expect(awaited.contains(last - 2) && !awaited.contains(last))
        // A neighbour still finds room.
        awaited.add(last - 1..<last)
        #expect(awaited.contains(last - 1))
    }

    /// Against a set, from a seed.
    @Test func aModelAgrees() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var (awaited, model, end) = (AwaitedOffsets(), Set<Int64>(), Int64(0))
            for _ in 0..<40 {
                let (start, count) = (Int64.random(in: 0..<60, using: &random), Int64.random(in: 0..<6, using: &random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    awaited.remove(start..<start + count)
                    model.subtract(start..<start + count)
                case 1 where Bool.random(using: &random):
                    awaited.remove(before: start)
                    model = model.filter { $0 >= start }
                default:
                    let first = end + Int64.random(in: 0..<3, using: &random)
                    end = first + count
                    awaited.add(first..<end)
                    model.formUnion(first..<end)
                }
                #expect((0..<200).allSatisfy { awaited.contains($0) == model.contains($0) })
                #expect(awaited.ranges.allSatisfy { !$0.isEmpty })
            }
        }
    }
}
