/// The latest rejections of a partition, by offset, for writers that ask what became of their records. Bounded: the
/// oldest go, and it is known from which offset on nothing is missing.
struct RejectionRing: Sendable {
    private let limit: Int
    private var kept: [Rejection] = []
    /// How many at the front of `kept` are gone.
    private var start = 0
    /// Rejections of offsets from here on are all there.
    private(set) var wholeFrom: Int64

    init(limit: Int, wholeFrom: Int64) {
        self.limit = limit
        self.wholeFrom = wholeFrom
    }

    mutating func append(_ rejections: [Rejection]) {
        kept += rejections
        let excess = kept.count - start - limit
        guard excess > 0 else { return }
        start += excess
        wholeFrom = max(wholeFrom, kept[start - 1].offset + 1)
        // Whatever else was rejected of that record is of no use alone.
        while start < kept.count, kept[start].offset < wholeFrom { start += 1 }
        if start >= limit {
            kept.removeFirst(start)
            start = 0
        }
    }

    /// What is known of the records in `offsets`.
    func outcome(of offsets: Range<Int64>) -> AppliedOutcome {
        var (low, high) = (start, kept.count)
        while low < high {
            let middle = (low + high) / 2
            if kept[middle].offset < offsets.lowerBound { low = middle + 1 } else { high = middle }
        }
        let found = kept[low...].prefix { $0.offset < offsets.upperBound }
        return AppliedOutcome(
            rejections: Array(found), isWhole: offsets.isEmpty || offsets.lowerBound >= wholeFrom)
    }
}

/// What became of records that somebody waited for.
public struct AppliedOutcome: Sendable, Equatable {
    /// What was refused of them, in the order of the log.
    public var rejections: [Rejection]
    /// False if so much was refused at the same time that some of it is not known any more: what is not in
    /// `rejections` may have been refused, too.
    public var isWhole: Bool

    /// Assembles an outcome.
    public init(rejections: [Rejection], isWhole: Bool) {
        self.rejections = rejections
        self.isWhole = isWhole
    }
}
