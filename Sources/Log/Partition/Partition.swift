public import KafkaWire

/// One partition of the log. Any thread may call anything.
public final class Partition: Sendable {
    /// The topic's id.
    public let topicID: Uuid
    /// The topic's name.
    public let topicName: String
    /// The index within the topic.
    public let index: Int32

    init(topicID: Uuid, topicName: String, index: Int32) {
        self.topicID = topicID
        self.topicName = topicName
        self.index = index
    }

    /// Appends one or several batches, all or none, in one write.
    ///
    /// Base offsets and the leader epoch are patched into `bytes`, which the caller may reuse afterwards.
    ///
    /// - Throws: `.corruptBatch`, `.invalidRecord`, `.messageTooLarge`, `.unsupportedFormat`, `.invalidTimestamp`,
    ///   `.outOfOrderSequence`, `.invalidProducerEpoch`, `.invalidTransactionState` for what the producer did wrong;
    ///   `.noSpace`, `.fenced`, `.damaged`, `.overloaded`, `.closed`, `.storage`, `.unknownTopic` (deleted). After any
    ///   error nothing of it is, or ever becomes, visible.
    public func append(
        _ bytes: UnsafeMutableRawBufferPointer, durability: Durability
    ) throws(LogError) -> AppendResult { fatalError() }

    /// Waits until everything below `offset` is synced.
    ///
    /// - Returns: false if it already is; the waiter is then never called. True if it will be called exactly once.
    public func notifyWhenSynced(upTo offset: Int64, _ waiter: any SyncWaiter) -> Bool { fatalError() }

    /// Whole batches from the one that holds `offset` on, from one segment, below the high watermark.
    ///
    /// - Parameters:
    ///   - maximumBytes: no more than this, except for the first batch if `atLeastOneBatch`.
    ///   - atLeastOneBatch: return the first batch even if it is larger than `maximumBytes`.
    /// - Returns: an empty slice at or beyond the high watermark.
    /// - Throws: `.offsetOutOfRange` below the log's start or beyond its end; `.damaged`, `.storage`, `.unknownTopic`.
    public func read(
        from offset: Int64, maximumBytes: Int, atLeastOneBatch: Bool
    ) throws(LogError) -> LogSlice { fatalError() }

    /// Calls `waiter` when the high watermark is above `offset`, that is: when a read from `offset` returns something.
    ///
    /// - Returns: nil if it already is (the waiter is never called), else what `cancel` takes.
    /// - Throws: `.overloaded` beyond `LogSettings.maximumReadWaitersPerPartition`; `.unknownTopic`, `.closed`.
    public func notifyWhenReadable(
        beyond offset: Int64, _ waiter: any ReadWaiter
    ) throws(LogError) -> ReadRegistration? { fatalError() }

    /// Forgets a waiter. Harmless if it was called already; it may be being called right now.
    public func cancel(_ registration: ReadRegistration) { fatalError() }

    /// The first offset, without I/O.
    public var logStartOffset: Int64 { fatalError() }
    /// The first offset that is not synced, and so not readable, yet; without I/O.
    public var highWatermark: Int64 { fatalError() }
    /// The next offset to be given out; without I/O.
    public var logEndOffset: Int64 { fatalError() }
    /// The leader epoch: starts at 0, one more after every unclean start; without I/O.
    public var leaderEpoch: Int32 { fatalError() }
    /// The size of all segments in bytes.
    public var sizeBytes: Int64 { fatalError() }
    /// Why appends fail, or nil.
    public var fenceReason: LogError? { fatalError() }

    /// The first record with a timestamp of at least `timestamp` milliseconds, or nil if there is none below the high
    /// watermark. Decodes the records of one batch.
    public func offset(forTimestamp timestamp: Int64) throws(LogError) -> TimestampOffset? { fatalError() }

    /// The (first) record with the largest timestamp, or nil if the log is empty.
    public func offsetOfMaximumTimestamp() throws(LogError) -> TimestampOffset? { fatalError() }

    /// The first offset after leader epoch `epoch`, with the largest epoch not above it (OffsetForLeaderEpoch); nil
    /// if the log has none.
    public func endOffset(ofLeaderEpoch epoch: Int32) throws(LogError) -> (epoch: Int32, endOffset: Int64)? {
        fatalError()
    }

    /// The leader epoch under which the record at `offset` was appended; -1 if unknown.
    public func leaderEpoch(ofOffset offset: Int64) -> Int32 { fatalError() }

    /// The idempotent producers that the partition remembers, sorted by id.
    public func producers() throws(LogError) -> [ProducerDescription] { fatalError() }
}
