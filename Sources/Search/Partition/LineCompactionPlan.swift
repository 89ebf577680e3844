import View

/// Chooses one piece of compaction.
///
/// - What has expired goes first: blocks that are older than anything is kept. One that cannot be read goes, too.
/// - Then blocks of one day are merged, neighbours in the order of their cuts, when four of about one size are there
///   (each at most four times as large as the smallest), so that each line is moved about log4(n) times; or when their
///   day is over and they are small together, so that an old day ends as one block or a few; or when sizes alternate so
///   that there are ever more and never four alike: then the four that are smallest together. Most of it is copied:
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
    /// The most bytes of lines of one piece, for those that take next to nothing when stored.
    static let maximumRawBytes: Int64 = 8 << 30
    /// So many blocks of a day that may still be merged are left: three of each of the sizes from 4 KiB to 64 MiB, in
    /// steps of four, and three more.
    static let maximumLeft = 24
    /// So many blocks of about one size are merged.
    static let fanIn = 4
    /// The most blocks of one piece.
    static let maximumBlocks = 32
    /// A day that ended so long ago gets few more lines as a rule: 10 minutes.
    static let sealedAfterNanoseconds: Int64 = 600_000_000_000
    /// The smaller blocks of a day that is over are merged with its largest one when that is so many times as large.
    static let sealedRatio: Int64 = 8

    private(set) var step: Step?

    /// - Parameters:
    ///   - unreadable: the ids of blocks that were found damaged, which are not merged.
    ///   - hasExpiredStreams: whether a block has streams that have expired, though not all of it has.
    init(
        blocks: [StoredBlock], unreadable: Set<UInt64>, retention: RetentionRules, deletions: [Deletion],
        nowMilliseconds: Int64,
        hasExpiredStreams: (StoredBlock) -> Bool
    ) {
        let now = nowMilliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue
        let earliest = RetentionRules.earliest(retention.longest, now: now)
        let expired = blocks.filter { $0.details.maximumTime < earliest }
        if !expired.isEmpty {
            step = .drop(expired)
            return
        }
        let blocks = blocks.filter { !unreadable.contains($0.entry.id) }
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
        return alike(blocks) ?? sealed(blocks, day: day, now: now) ?? smallest(blocks)
    }

    /// Neighbours from a place on, as many as one piece takes.
    private struct Run {
        var end: Int
        var bytes: Int64 = 0
        var rawBytes: Int64 = 0
        var least = Int64.max
        var most = Int64(0)

        /// Takes the next one, if it fits.
        mutating func take(_ block: StoredBlock) -> Bool {
            let (size, raw) = (block.entry.sizeBytes, block.details.rawBytes)
            guard bytes + size <= maximumBytes, rawBytes + raw <= maximumRawBytes else { return false }
            self = Run(
                end: end + 1, bytes: bytes + size, rawBytes: rawBytes + raw, least: min(least, size),
                most: max(most, size))
            return true
        }
    }

    /// Four or more of about one size.
    private static func alike(_ blocks: [StoredBlock]) -> [StoredBlock]? {
        for start in blocks.indices where start + fanIn <= blocks.count {
            var run = Run(end: start)
            while run.end < blocks.count, run.end - start < maximumBlocks {
                let size = blocks[run.end].entry.sizeBytes
                guard max(run.most, size) <= Int64(fanIn) * max(4096, min(run.least, size)), run.take(blocks[run.end])
                else { break }
            }
            if run.end - start >= fanIn { return Array(blocks[start..<run.end]) }
        }
        return nil
    }

    /// Of a day that is over, what is small together.
    private static func sealed(_ blocks: [StoredBlock], day: Int64, now: Int64) -> [StoredBlock]? {
        let (seal, isFar) = (day + 1).multipliedReportingOverflow(by: SortedHead.dayNanoseconds)
        guard !isFar, seal < now.subtractingReportingOverflow(sealedAfterNanoseconds).partialValue else { return nil }
        for start in blocks.indices {
            var run = Run(end: start)
            while run.end < blocks.count, run.end - start < maximumBlocks, run.take(blocks[run.end]) {}
            // Late lines must not have a large block written anew each time.
            if run.end - start > 1, (run.bytes - run.most) * sealedRatio >= run.most {
                return Array(blocks[start..<run.end])
            }
        }
        return nil
    }

    /// Where sizes alternate so that there are ever more and never four alike: the four that are smallest together.
    private static func smallest(_ blocks: [StoredBlock]) -> [StoredBlock]? {
        var best: (start: Int, bytes: Int64)?
        var places = 0
        for start in blocks.indices where start + fanIn <= blocks.count {
            var run = Run(end: start)
            while run.end < start + fanIn, run.take(blocks[run.end]) {}
            guard run.end == start + fanIn else { continue }
            places += 1
            if run.bytes < best?.bytes ?? .max { best = (start, run.bytes) }
        }
        guard let best, places + fanIn > maximumLeft else { return nil }
        return Array(blocks[best.start..<best.start + fanIn])
    }
}
