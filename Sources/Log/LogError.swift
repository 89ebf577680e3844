import Storage

/// Why an operation on the log failed. The listeners map `code` to their protocol's codes, in one table each.
public struct LogError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable, CaseIterable {
        /// No such topic or partition (Kafka: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID).
        case unknownTopic
        /// A topic of this name exists (TOPIC_ALREADY_EXISTS).
        case topicExists
        /// The name is not in Kafka's alphabet, too long, or reserved (INVALID_TOPIC_EXCEPTION).
        case invalidTopicName
        /// The partition count is below one (INVALID_PARTITIONS).
        case invalidPartitions
        /// A config's name is unknown, or its value out of range (INVALID_CONFIG).
        case invalidConfig
        /// A bound on topics or partitions is reached (POLICY_VIOLATION).
        case limitReached
        /// Bytes that are no sound batch: bad length, bad checksum, bad count (CORRUPT_MESSAGE).
        case corruptBatch
        /// A sound batch that a client may not append: control batch, no records, several where one is
        /// allowed (INVALID_RECORD).
        case invalidRecord
        /// A batch above `max.message.bytes` (MESSAGE_TOO_LARGE).
        case messageTooLarge
        /// A record format before v2 (UNSUPPORTED_FOR_MESSAGE_FORMAT).
        case unsupportedFormat
        /// A compression codec that Kafka does not define (UNSUPPORTED_COMPRESSION_TYPE).
        case unsupportedCompression
        /// A timestamp further in the future than the topic allows (INVALID_TIMESTAMP).
        case invalidTimestamp
        /// A sequence number that does not follow the producer's last one (OUT_OF_ORDER_SEQUENCE_NUMBER).
        case outOfOrderSequence
        /// A producer epoch below the newest one seen (INVALID_PRODUCER_EPOCH).
        case invalidProducerEpoch
        /// A transactional batch; transactions are not served yet (INVALID_TXN_STATE).
        case invalidTransactionState
        /// An offset outside the log (OFFSET_OUT_OF_RANGE).
        case offsetOutOfRange
        /// The caller's leader epoch is older than the partition's (FENCED_LEADER_EPOCH).
        case fencedLeaderEpoch
        /// The caller's leader epoch is newer than the partition's (UNKNOWN_LEADER_EPOCH).
        case unknownLeaderEpoch
        /// The file system is full; a later append may succeed (KAFKA_STORAGE_ERROR).
        case noSpace
        /// The device failed, and the partition takes no more appends until a restart has recovered it; what is
        /// below the high watermark stays readable (KAFKA_STORAGE_ERROR).
        case fenced
        /// Stored bytes do not verify (KAFKA_STORAGE_ERROR).
        case damaged
        /// The topic's view has not covered so much of the log that no more is taken until it has (retriable).
        case viewBehind
        /// Too many waiters on a partition (THROTTLING_QUOTA_EXCEEDED or the protocol's "try again").
        case overloaded
        /// The log is closing or closed (KAFKA_STORAGE_ERROR, retriable).
        case closed
        /// Another process has the data directory open.
        case locked
        /// The data directory was written by a newer version.
        case formatTooNew
        /// The metadata store failed, but not for want of space (UNKNOWN_SERVER_ERROR).
        case metadata
        /// Another failed file operation (KAFKA_STORAGE_ERROR).
        case storage
    }

    /// The coarse reason.
    public let code: Code
    /// What failed, on which topic, file or position: one sentence for a person.
    public let message: String
    /// The error that led to this one.
    public let cause: (any Error)?

    /// Assembles an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// A change of the metadata store failed: `.noSpace`, which is worth another try, or `.metadata`.
    init(metadata message: String, _ cause: StorageError) {
        self.init(cause.code == .full ? .noSpace : .metadata, message, cause: cause)
    }

    /// "CODE: MESSAGE (CAUSE)".
    public var description: String {
        "\(code): \(message)\(cause.map { " (\($0))" } ?? "")"
    }
}
