import Machine
import Testing
import View

@testable import Series

/// What compaction chooses, by the sizes and numbers of blocks alone: no block is opened.
@Suite struct CompactionPlanTests {
    private struct NoStore: BlockStore {
        func create(
            _ produce: (_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) -> [UInt8]
        ) throws(ViewError) -> BlockEntry { throw ViewError(.storage, "no room") }

        func map(_ entry: BlockEntry) throws(ViewError) -> any MemoryMap { throw ViewError(.damaged, "no block") }
    }

    private static let mebi: Int64 = 1 << 20
    private static let hour: Int64 = 3_600_000_000_000

    /// Blocks of one shard, a cut each; ids from 1.
    private func blocks(_ sizes: [Int64], rows: Int64 = 1) throws -> [PartitionBlock] {
        try sizes.enumerated().map { index, size in
            var details = BlockDetails(
                retentionPolicy: bytes("autogen"), shardStart: 0, shardEnd: Self.hour, level: 0,
                firstCut: Int64(index), lastCut: Int64(index), appliedThrough: 0)
            details.add(rows: Int(rows), from: 0, through: 1)
            let entry = BlockEntry(id: UInt64(index + 1), sizeBytes: size, checksum: 0, details: details.encoded())
            return try PartitionBlock(entry, from: NoStore(), noting: DamagedBlocks { _ in })
        }
    }

    /// - Parameter hours: when it is, in hours; the shard is the first one.
    private func plan(
        _ blocks: [PartitionBlock], unreadable: Set<UInt64> = [], keeping: Int64 = 0, hours: Int64 = 0
    ) -> (merged: [UInt64], dropped: [UInt64]) {
        let policy = RetentionPolicy(
            name: bytes("autogen"), durationNanoseconds: keeping, shardNanoseconds: Self.hour, isDefault: true)
        let plan = CompactionPlan(
            blocks: blocks, unreadable: unreadable, policies: [policy], tombstones: [],
            nowMilliseconds: hours * 3_600_000)
        switch plan.step {
        case .merge(let blocks): return (blocks.map(\.entry.id), [])
        case .drop(let blocks): return ([], blocks.map(\.entry.id))
        case nil: return ([], [])
        }
    }

    private func merged(_ sizes: [Int64], rows: Int64 = 1, hours: Int64 = 0) throws -> [UInt64] {
        plan(try blocks(sizes.map { $0 * Self.mebi }, rows: rows), hours: hours).merged
    }

    @Test func fourAlikeAreMerged() throws {
        #expect(try merged([1, 1, 1]) == [])
        #expect(try merged([1, 4, 2, 3]) == [1, 2, 3, 4])
        #expect(try merged([9, 1, 1, 4, 2, 17]) == [2, 3, 4, 5])
        #expect(try merged([1, 5, 25, 125]) == [])
    }

    @Test func noMergeIsLargerThanItsBounds() throws {
        #expect(try merged([60, 60, 60, 60, 60]) == [1, 2, 3, 4])
        #expect(try merged([65, 65, 65, 65]) == [])
        #expect(try merged([65, 65, 65, 65], hours: 9) == [1, 2, 3])
        #expect(try merged([1, 1, 1, 1], rows: CompactionPlan.maximumRows / 4) == [1, 2, 3, 4])
        #expect(try merged([1, 1, 1, 1], rows: CompactionPlan.maximumRows / 4 + 1) == [])
        #expect(try merged([1, 1], rows: CompactionPlan.maximumRows / 2 + 1, hours: 9) == [])
        #expect(try merged([1, 1], rows: CompactionPlan.maximumRows / 2, hours: 9) == [1, 2])
    }

    @Test func aShardThatIsOverBecomesFewBlocks() throws {
        #expect(try merged([1, 5, 25], hours: 1) == [])
        #expect(try merged([1, 5, 25], hours: 2) == [1, 2, 3])
        // Late points do not have a large block written anew.
        #expect(try merged([100, 1], hours: 2) == [])
    }

    /// Cuts by size and by age in turn.
    @Test func sizesThatAlternateDoNotPileUp() throws {
        var sizes: [Int64] = []
        var (most, written) = (0, Int64(0))
        for cut in 0..<600 {
            sizes.append(cut % 2 == 0 ? 1 : 30)
            while case let ids = try merged(sizes), let first = ids.first {
                let range = Int(first) - 1..<Int(first) - 1 + ids.count
                written += sizes[range].reduce(0, +)
                sizes.replaceSubrange(range, with: [sizes[range].reduce(0, +)])
            }
            most = max(most, sizes.count { $0 <= 64 })
        }
        #expect(most <= CompactionPlan.maximumLeft)
        // Each point is written anew a few times only.
        #expect(written < 3 * sizes.reduce(0, +))
    }

    @Test func aDamagedBlockIsNotMergedAndNothingOverIt() throws {
        let four = try blocks([1, 1, 1, 1, 1, 1].map { $0 * Self.mebi })
        #expect(plan(four, unreadable: [3]).merged == [])
        #expect(plan(four, unreadable: [2]).merged == [3, 4, 5, 6])
        #expect(plan(four, unreadable: [3], hours: 9).merged == [1, 2])
    }

    @Test func aDamagedBlockExpires() throws {
        let two = try blocks([1, 1])
        #expect(plan(two, unreadable: [2], keeping: Self.hour, hours: 1).dropped == [])
        #expect(plan(two, unreadable: [2], keeping: Self.hour, hours: 2).dropped == [1, 2])
    }
}
