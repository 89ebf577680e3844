import View

/// Chooses one piece of compaction.
///
/// - What has expired goes first: blocks whose shard ended before the retention policy's time, and blocks of which a
///   dropped retention policy leaves nothing.
/// - Then blocks of one shard are merged, neighbours in the order of their cuts, when four of about one size are there
///   (each at most four times as large as the smallest), so that each point is rewritten about log4(n) times; or when
///   their shard is over and they are small together, so that an old shard ends as one block or a few.
/// - Then a block is rewritten alone if deletions wait for it.
struct CompactionPlan {
    enum Step {
        /// Blocks that are dropped as a whole.
        case drop([PartitionBlock])
        /// Blocks that become one, the oldest first.
        case merge([PartitionBlock])
    }

    /// The most bytes that one piece reads: it bounds what a piece costs, and how large blocks become.
    static let maximumBytes: Int64 = 256 << 20
    /// So many blocks of about one size are merged.
    static let fanIn = 4
    /// The most blocks of one piece.
    static let maximumBlocks = 32
    /// A shard that ended so long ago gets no more points as a rule: 10 minutes.
    static let sealedAfterNanoseconds: Int64 = 600_000_000_000

    /// The smaller blocks of a shard that is over are merged with its largest one when that is so many times as large.
    static let sealedRatio: Int64 = 8

    private(set) var step: Step?

    init(
        blocks: [PartitionBlock], policies: [RetentionPolicy], tombstones: [Tombstone], nowMilliseconds: Int64
    ) {
        let now = nowMilliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue
        let expired = blocks.filter { Self.isExpired($0, policies, now) || Self.isGone($0, tombstones) }
        if !expired.isEmpty {
            step = .drop(expired)
            return
        }
        for policy in Set(blocks.map(\.details.retentionPolicy)).sorted(by: { SeriesKey.compare($0, $1) < 0 }) {
            let own = blocks.filter { $0.details.retentionPolicy == policy }
            for shard in Self.shards(own) {
                if let found = Self.candidates(shard, now: now) {
                    step = .merge(found)
                    return
                }
            }
        }
        step = blocks.first { block in tombstones.contains { block.needs($0) } }.map { .merge([$0]) }
    }

    private static func isExpired(_ block: PartitionBlock, _ policies: [RetentionPolicy], _ now: Int64) -> Bool {
        guard let policy = policies.first(where: { $0.name == block.details.retentionPolicy }),
            policy.durationNanoseconds > 0
        else { return false }
        let (limit, overflow) = now.subtractingReportingOverflow(policy.durationNanoseconds)
        return !overflow && block.details.shardEnd <= limit
    }

    private static func isGone(_ block: PartitionBlock, _ tombstones: [Tombstone]) -> Bool {
        tombstones.contains { tombstone in
            if case .retentionPolicy = tombstone.target { return tombstone.concerns(block.details) }
            return false
        }
    }

    /// Blocks whose shards overlap belong together: after a change of a policy's shard duration, shards of several
    /// lengths do. Points of later cuts win, so only neighbours among all of these may be merged.
    private static func shards(_ blocks: [PartitionBlock]) -> [[PartitionBlock]] {
        var shards: [(end: Int64, blocks: [PartitionBlock])] = []
        let ordered = blocks.sorted {
            ($0.details.shardStart, $0.details.lastCut) < ($1.details.shardStart, $1.details.lastCut)
        }
        for block in ordered {
            if let last = shards.indices.last, block.details.shardStart < shards[last].end {
                shards[last].blocks.append(block)
                shards[last].end = max(shards[last].end, block.details.shardEnd)
            } else {
                shards.append((block.details.shardEnd, [block]))
            }
        }
        return shards.map { shard in shard.blocks.sorted { $0.details.lastCut < $1.details.lastCut } }
    }

    private static func candidates(_ shard: [PartitionBlock], now: Int64) -> [PartitionBlock]? {
        // After a change of the shard duration several blocks may be of one cut: their order among each other does not
        // matter, as their shards are disjoint, but they must not be divided.
        guard shard.count > 1 else { return nil }
        for start in shard.indices where start + fanIn <= shard.count {
            var (end, total, least, most) = (start, Int64(0), Int64.max, Int64(0))
            while end < shard.count, end - start < maximumBlocks {
                let size = shard[end].entry.sizeBytes
                guard total + size <= maximumBytes, max(most, size) <= Int64(fanIn) * max(4096, min(least, size)) else {
                    break
                }
                (total, least, most, end) = (total + size, min(least, size), max(most, size), end + 1)
            }
            if end - start >= fanIn { return Array(shard[start..<end]) }
        }
        guard let seal = shard.map(\.details.shardEnd).max(),
            seal < now.subtractingReportingOverflow(sealedAfterNanoseconds).partialValue
        else { return nil }
        for start in shard.indices {
            var (end, total) = (start, Int64(0))
            while end < shard.count, end - start < maximumBlocks, total + shard[end].entry.sizeBytes <= maximumBytes {
                total += shard[end].entry.sizeBytes
                end += 1
            }
            // Late points must not have a large block written anew each time.
            let largest = shard[start..<end].map(\.entry.sizeBytes).max() ?? 0
            if end - start > 1, (total - largest) * sealedRatio >= largest { return Array(shard[start..<end]) }
        }
        return nil
    }
}
