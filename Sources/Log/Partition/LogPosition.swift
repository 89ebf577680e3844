/// A boundary between batches: an offset, and where in which segment it lies.
struct LogPosition: Sendable, Equatable {
    var offset: Int64
    var segmentBase: Int64
    var position: Int64
}

/// Boundaries that were met lately, so that who reads on from there needs no index: a few slots, the oldest goes.
struct PositionHints: Sendable {
    private var ring = InlineArray<8, LogPosition>(
        repeating: LogPosition(offset: -1, segmentBase: -1, position: -1))
    private var next = 0

    func position(of offset: Int64) -> LogPosition? {
        for index in 0..<8 where ring[index].offset == offset { return ring[index] }
        return nil
    }

    mutating func insert(_ position: LogPosition) {
        guard self.position(of: position.offset) == nil else { return }
        ring[next] = position
        next = (next + 1) % 8
    }

    mutating func removeAll() {
        self = PositionHints()
    }
}
