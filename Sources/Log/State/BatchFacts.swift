/// What the log needs to know of a batch: its header without what only readers of records need.
struct BatchFacts: Sendable, Equatable {
    /// The first record's offset; meaningful in stored batches only.
    var baseOffset: Int64 = 0
    /// The last record's offset minus `baseOffset`.
    var lastOffsetDelta: Int32 = 0
    /// The whole batch, header included.
    var sizeBytes: Int = 0
    var leaderEpoch: Int32 = 0
    var recordCount: Int32 = 0
    var maxTimestamp: Int64 = -1
    var producerID: Int64 = -1
    var producerEpoch: Int16 = -1
    var baseSequence: Int32 = -1
    var isTransactional = false
    var isControl = false
    var usesLogAppendTime = false

    /// The offset after the last record.
    var endOffset: Int64 { baseOffset + Int64(lastOffsetDelta) + 1 }
    var isIdempotent: Bool { producerID >= 0 }
    /// The sequence number of the last record; sequence numbers go from `Int32.max` on to 0.
    var lastSequence: Int32 { Sequence.advance(baseSequence, by: lastOffsetDelta) }
}

/// Sequence numbers count records modulo 2^31 (KIP-98).
enum Sequence {
    static func advance(_ sequence: Int32, by count: Int32) -> Int32 {
        sequence > Int32.max - count ? count - (Int32.max - sequence) - 1 : sequence + count
    }

    static func follows(_ next: Int32, _ last: Int32) -> Bool {
        next == advance(last, by: 1)
    }
}
