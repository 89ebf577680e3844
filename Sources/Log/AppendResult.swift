/// How soon appended records must be durable.
public enum Durability: Sendable, Equatable {
    /// Nobody waits (`acks=0`): synced with the next round after `flush.ms`.
    case none
    /// Nobody waits for the sync (`acks=1`): synced within `flush.ms`.
    case flushInterval
    /// Somebody will wait (`acks=all`): synced with the next round.
    case now
}

/// What an append did.
public struct AppendResult: Sendable, Equatable {
    /// The offset of the first record.
    public let baseOffset: Int64
    /// The offset after the last record: wait until everything below it is synced.
    public let endOffset: Int64
    /// The time the broker stamped on the batches, in milliseconds; -1 unless the topic uses LogAppendTime.
    public let logAppendTime: Int64
    /// The partition's first offset.
    public let logStartOffset: Int64
    /// Whether nothing was written because the batch had been appended before; the offsets are the original ones.
    public let isDuplicate: Bool
}

/// An offset found by time.
public struct TimestampOffset: Sendable, Equatable {
    /// The offset of the record.
    public let offset: Int64
    /// The record's timestamp in milliseconds.
    public let timestamp: Int64
    /// The leader epoch of the record's batch.
    public let leaderEpoch: Int32
}

/// An idempotent producer as a partition knows it (DescribeProducers).
public struct ProducerDescription: Sendable, Equatable {
    /// The producer's id.
    public let producerID: Int64
    /// The newest epoch seen.
    public let epoch: Int16
    /// The sequence number of the last record.
    public let lastSequence: Int32
    /// When the last batch was appended, as its timestamps say, in milliseconds.
    public let lastTimestamp: Int64
}
