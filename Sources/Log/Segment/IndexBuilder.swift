/// Both indexes of a segment while it grows, or while they are rebuilt from its batches.
struct IndexBuilder: Sendable {
    let baseOffset: Int64
    /// Log bytes between two entries.
    let intervalBytes: Int
    private(set) var offsets: [OffsetEntry]
    private(set) var times: [TimeEntry]
    /// The largest timestamp so far, or -1.
    private(set) var maxTimestamp: Int64 = -1
    private var bytesSinceEntry: Int

    /// An empty index.
    init(baseOffset: Int64, intervalBytes: Int) {
        self.baseOffset = baseOffset
        self.intervalBytes = intervalBytes
        offsets = []
        times = []
        bytesSinceEntry = 0
    }

    /// Goes on from stored entries; the batches from the last offset entry on are to be added again.
    init(continuing offsets: [OffsetEntry], _ times: [TimeEntry], baseOffset: Int64, intervalBytes: Int) {
        self.baseOffset = baseOffset
        self.intervalBytes = intervalBytes
        self.offsets = offsets
        self.times = times
        maxTimestamp = times.last?.timestamp ?? -1
        bytesSinceEntry = 0
    }

    /// The first offset of the last batch with an entry.
    var lastOffset: Int64? { offsets.last.map { baseOffset + Int64($0.relativeOffset) } }

    /// Adds a batch that stands at `position` and begins with offset `offset`.
    mutating func add(offset: Int64, sizeBytes: Int, maxTimestamp: Int64, position: Int64) {
        if bytesSinceEntry > intervalBytes {
            offsets.append(
                OffsetEntry(relativeOffset: UInt32(offset - baseOffset), position: UInt32(position)))
            noteTime(below: offset)
            bytesSinceEntry = 0
        }
        bytesSinceEntry += sizeBytes
        if maxTimestamp > self.maxTimestamp { self.maxTimestamp = maxTimestamp }
    }

    /// Adds the last entry of the time index, which names the segment's largest timestamp.
    mutating func finish(endOffset: Int64) {
        noteTime(below: endOffset)
    }

    var indexes: SegmentIndexes {
        SegmentIndexes(offsets: .memory(offsets), times: .memory(times))
    }

    private mutating func noteTime(below offset: Int64) {
        guard maxTimestamp > times.last?.timestamp ?? -1 else { return }
        times.append(TimeEntry(timestamp: maxTimestamp, relativeOffset: UInt32(offset - baseOffset)))
    }
}
