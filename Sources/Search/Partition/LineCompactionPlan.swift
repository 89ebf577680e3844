import View

/// Chooses one piece of compaction.
///
/// - What has expired goes first: blocks that are older than anything is kept.
/// - Then blocks of one day are merged, neighbours in the order of their cuts, when four of about one size are there
///   (each at most four times as large as the smallest), so that each line is moved about log4(n) times; or when their
///   day is over and they are small together, so that an old day ends as one block or a few. Most of it is copied:
///   chunks that are large are not written anew.
/// - Then a block is written anew alone if deletions wait for it, or if all lines of some of its streams have expired.
struct LineCompactionPlan {
    enum Step {
        /// Blocks that are dropped as a whole.
        case drop([StoredBlock])
        /// Blocks that become one, the oldest first.
        case merge([StoredBlock])
    }

    /// The most bytes that one piece reads: it bounds what a piece costs, and how large blocks become.
    static let maximumBytes: Int64 = 512 << 20
    /// So many blocks of about one size are merged.
    static let fanIn = 4
    /// The most blocks of one piece.
    static let maximumBlocks = 32
    /// A day that ended so long ago gets few more lines as a rule: 10 minutes.
    static let sealedAfterNanoseconds: Int64 = 600_000_000_000
    /// The smaller blocks of a day that is over are merged with its largest one when that is so many times as large.
    static let sealedRatio: Int64 = 8

    private(set) var step: Step?

    /// - Parameter hasExpiredStreams: whether a block has streams that have expired, though not all of it has.
    init(
        blocks: [StoredBlock], retention: RetentionRules, deletions: [Deletion], nowMilliseconds: Int64,
        hasExpiredStreams: (StoredBlock) -> Bool
    ) {
        let now = nowMilliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue
        let earliest = RetentionRules.earliest(retention.longest, now: now)
        let expired = blocks.filter { $0.details.maximumTime < earliest }
        if !expired.isEmpty {
            step = .drop(expired)
            return
        }
        for day in Set(blocks.map(\.details.day)).sorted(by: >) {
            if let found = Self.candidates(blocks.filter { $0.details.day == day }, day: day, now: now) {
                step = .merge(found)
                return
            }
        }
        let waiting = blocks.first { block in
            deletions.contains { block.needs($0) } || hasExpiredStreams(block)
        }
        step = waiting.map { .merge([$0]) }
    }

    private static func candidates(_ blocks: [StoredBlock], day: Int64, now: Int64) -> [StoredBlock]? {
        guard blocks.count > 1 else { return nil }
        for start in blocks.indices where start + fanIn <= blocks.count {
            var (end, total, least, most) = (start, Int64(0), Int64.max, Int64(0))
            while end < blocks.count, end - start < maximumBlocks {
                let size = blocks[end].entry.sizeBytes
                guard total + size <= maximumBytes, max(most, size) <= Int64(fanIn) * max(4096, min(least, size)) else {
                    break
                }
                (total, least, most, end) = (total + size, min(least, size), max(most, size), end + 1)
            }
            if end - start >= fanIn { return Array(blocks[start..<end]) }
        }
        let (seal, isFar) = (day + 1).multipliedReportingOverflow(by: SortedHead.dayNanoseconds)
        guard !isFar, seal < now.subtractingReportingOverflow(sealedAfterNanoseconds).partialValue else { return nil }
        for start in blocks.indices {
            var (end, total) = (start, Int64(0))
            while end < blocks.count, end - start < maximumBlocks, total + blocks[end].entry.sizeBytes <= maximumBytes {
                total += blocks[end].entry.sizeBytes
                end += 1
            }
            // Late lines must not have a large block written anew each time.
            let largest = blocks[start..<end].map(\.entry.sizeBytes).max() ?? 0
            if end - start > 1, (total - largest) * sealedRatio >= largest { return Array(blocks[start..<end]) }
        }
        return nil
    }
}
