import View

/// Chooses one piece of compaction.
///
/// - What has expired goes first: blocks whose shard ended before the retention policy's time, and blocks of which a
///   dropped retention policy leaves nothing. A block that cannot be read goes, too.
/// - Then blocks of one shard are merged, neighbours in the order of their cuts, when four of about one size are there
///   (each at most four times as large as the smallest), so that each point is rewritten about log4(n) times; or when
///   their shard is over and they are small together, so that an old shard ends as one block or a few; or when sizes
///   alternate so that there are ever more and never four alike: then the four that are smallest together.
/// - Then a block is rewritten alone if deletions wait for it.
///
/// A merge reads, and so writes, at most 256 MiB and 64 Mi points. A shard with more ends as several blocks, each of
/// consecutive cuts: where points arrive about in the order of time, a query of a part of the shard needs few of them.
struct CompactionPlan {
    enum Step {
        /// Blocks that are dropped as a whole.
        case drop([PartitionBlock])
        /// Blocks that become one, the oldest first.
        case merge([PartitionBlock])
    }

    /// The most bytes that one piece reads: it bounds what a piece costs, and how large blocks become.
    static let maximumBytes: Int64 = 256 << 20
    /// The most points of one piece, for those that take a few bits each.
    static let maximumRows: Int64 = 64 << 20
    /// So many blocks of a shard that may still be merged are left: three of each of the sizes from 4 KiB to 64 MiB, in
    /// steps of four, and three more.
    static let maximumLeft = 24
    /// So many blocks of about one size are merged.
    static let fanIn = 4
    /// The most blocks of one piece.
    static let maximumBlocks = 32
    /// A shard that ended so long ago gets no more points as a rule: 10 minutes.
    static let sealedAfterNanoseconds: Int64 = 600_000_000_000

    /// The smaller blocks of a shard that is over are merged with its largest one when that is so many times as large.
    static let sealedRatio: Int64 = 8

    private(set) var step: Step?

    /// - Parameter unreadable: the ids of blocks that were found damaged, which are not merged.
    init(
        blocks: [PartitionBlock], unreadable: Set<UInt64> = [], policies: [RetentionPolicy], tombstones: [Tombstone],
        nowMilliseconds: Int64
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
                // What is merged must have no damaged block in between: it may be repaired, and later points win.
                let runs = shard.split { unreadable.contains($0.entry.id) }
                if let found = runs.lazy.compactMap({ Self.candidates(Array($0), now: now) }).first {
                    step = .merge(found)
                    return
                }
            }
        }
        step = blocks.first { block in
            !unreadable.contains(block.entry.id) && tombstones.contains { block.needs($0) }
        }.map { .merge([$0]) }
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
        return alike(shard) ?? sealed(shard, now: now) ?? smallest(shard)
    }

    /// Neighbours from a place on, as many as one piece takes.
    private struct Run {
        var end: Int
        var bytes: Int64 = 0
        var rows: Int64 = 0
        var least = Int64.max
        var most = Int64(0)

        /// Takes the next one, if it fits.
        mutating func take(_ block: PartitionBlock) -> Bool {
            let (size, rows) = (block.entry.sizeBytes, block.details.rows)
            guard bytes + size <= maximumBytes, self.rows + rows <= maximumRows else { return false }
            self = Run(
                end: end + 1, bytes: bytes + size, rows: self.rows + rows, least: min(least, size),
                most: max(most, size))
            return true
        }
    }

    /// Four or more of about one size.
    private static func alike(_ shard: [PartitionBlock]) -> [PartitionBlock]? {
        for start in shard.indices where start + fanIn <= shard.count {
            var run = Run(end: start)
            while run.end < shard.count, run.end - start < maximumBlocks {
                let size = shard[run.end].entry.sizeBytes
                guard max(run.most, size) <= Int64(fanIn) * max(4096, min(run.least, size)), run.take(shard[run.end])
                else { break }
            }
            if run.end - start >= fanIn { return Array(shard[start..<run.end]) }
        }
        return nil
    }

    /// Of a shard that is over, what is small together.
    private static func sealed(_ shard: [PartitionBlock], now: Int64) -> [PartitionBlock]? {
        guard let seal = shard.map(\.details.shardEnd).max(),
            seal < now.subtractingReportingOverflow(sealedAfterNanoseconds).partialValue
        else { return nil }
        for start in shard.indices {
            var run = Run(end: start)
            while run.end < shard.count, run.end - start < maximumBlocks, run.take(shard[run.end]) {}
            // Late points must not have a large block written anew each time.
            if run.end - start > 1, (run.bytes - run.most) * sealedRatio >= run.most {
                return Array(shard[start..<run.end])
            }
        }
        return nil
    }

    /// Of too many, the four neighbours that are smallest together.
    private static func smallest(_ shard: [PartitionBlock]) -> [PartitionBlock]? {
        let mergeable = shard.count { $0.entry.sizeBytes <= maximumBytes / Int64(fanIn) }
        guard mergeable > maximumLeft else { return nil }
        var best: (start: Int, bytes: Int64)?
        for start in shard.indices where start + fanIn <= shard.count {
            var run = Run(end: start)
            while run.end - start < fanIn, run.take(shard[run.end]) {}
            guard run.end - start == fanIn, run.bytes < best?.bytes ?? .max else { continue }
            best = (start, run.bytes)
        }
        return best.map { Array(shard[$0.start..<$0.start + fanIn]) }
    }
}
