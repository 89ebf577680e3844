/// Where each leader epoch began: ascending in epoch and offset, bounded.
struct LeaderEpochs: Sendable, Equatable {
    struct Start: Sendable, Equatable {
        var epoch: Int32
        var offset: Int64
    }

    /// Unclean starts remembered; beyond it the oldest is forgotten and its epoch answered as unknown. An epoch is
    /// noted by its first record only, so idle partitions do not use this up.
    static let limit = 256

    private(set) var starts: [Start] = []

    init(_ starts: [Start] = []) {
        for start in starts { note(start.epoch, at: start.offset) }
    }

    /// Notes that a record with this epoch stands at `offset`.
    mutating func note(_ epoch: Int32, at offset: Int64) {
        if let last = starts.last, last.epoch >= epoch { return }
        starts.append(Start(epoch: epoch, offset: offset))
        if starts.count > Self.limit { starts.removeFirst() }
    }

    /// Forgets epochs that lie wholly below `offset`; the one in force at `offset` now starts there.
    mutating func removeBelow(_ offset: Int64) {
        guard let current = starts.lastIndex(where: { $0.offset <= offset }) else { return }
        starts.removeFirst(current)
        starts[0].offset = offset
    }

    /// Forgets epochs that begin at or after `offset`.
    mutating func removeFrom(_ offset: Int64) {
        while let last = starts.last, last.offset >= offset { starts.removeLast() }
    }

    /// The epoch of the record at `offset`, or -1.
    func epoch(ofOffset offset: Int64) -> Int32 {
        starts.last { $0.offset <= offset }?.epoch ?? -1
    }

    /// The largest known epoch not above `epoch`, and the offset after its last record.
    func end(of epoch: Int32, logEndOffset: Int64) -> (epoch: Int32, endOffset: Int64)? {
        guard let index = starts.lastIndex(where: { $0.epoch <= epoch }) else { return nil }
        return (starts[index].epoch, index + 1 < starts.count ? starts[index + 1].offset : logEndOffset)
    }
}
