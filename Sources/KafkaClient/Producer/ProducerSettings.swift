/// When a produced record counts as written.
public enum Acknowledgement: Int16, Sendable, Hashable, CaseIterable {
    /// Never: nothing is awaited and a loss goes unnoticed.
    case none = 0
    /// Once the partition's leader has it.
    case leader = 1
    /// Once every in-sync replica has it; with Millrace: once it is synced to disk.
    case all = -1
}

/// How batches are compressed.
public enum CompressionCodec: String, Sendable, Hashable, CaseIterable {
    /// Not at all.
    case none
    /// zlib's deflate: readable by everything, slow.
    case gzip
    /// Fast, light compression.
    case snappy
    /// The fastest.
    case lz4
    /// The best ratio for its speed; Kafka ≥ 2.1.
    case zstd
}

/// How a producer batches, retries and bounds itself. Validated by `KafkaClient.producer(_:)`.
public struct ProducerSettings: Sendable, Hashable {
    /// When a record counts as written. The default is `.all`.
    public var acknowledgement: Acknowledgement
    /// Whether a repeated batch is written once only and the order within a partition is kept across repetitions
    /// (KIP-98). Needs `.all` and at most 5 batches in flight. The default is true.
    public var isIdempotent: Bool
    /// How batches are compressed. The default is `.none`.
    public var compression: CompressionCodec
    /// How long a batch waits for company, in milliseconds; 0 sends at once. Whatever waits leaves when its batch is
    /// full or on `flush`. The default is 5.
    public var lingerMilliseconds: Int64
    /// A batch leaves when it holds this many bytes before compression. The default is 256 KiB. A batch that the broker
    /// finds too large (`max.message.bytes`) is split, down to single records; a record that is too large alone fails
    /// with `.refused`.
    public var batchBytes: Int
    /// The largest request, and thereby the largest record, in bytes before compression. The default is 1 MiB,
    /// which is what brokers accept by default.
    public var maximumRequestBytes: Int
    /// The memory for records that are not acknowledged yet, in bytes. When it is used up, `send` waits for room,
    /// first come first served. The default is 32 MiB.
    public var bufferBytes: Int
    /// How many calls may wait for room in the buffer. Further ones fail with `.bufferFull`. The default is 4,096.
    public var maximumWaitingSends: Int
    /// How many batches of one partition may be under way at once. The default is 5, the most that an idempotent
    /// producer may have. Without idempotence, more than 1 lets a repetition change the order.
    public var maximumInFlightPerPartition: Int
    /// How many requests may be under way to one broker at once. The default is 5.
    public var maximumInFlightPerBroker: Int
    /// How long a record may take from `send` to its acknowledgement, with all repetitions, in milliseconds; after
    /// that it fails with `.timedOut`. The default is 120,000.
    public var deliveryTimeoutMilliseconds: Int64

    /// Whether the broker is asked to create a topic that does not exist; it does so only if it is set to. The default
    /// is true.
    public var createsTopics: Bool

    /// The defaults.
    public init() {
        acknowledgement = .all
        isIdempotent = true
        compression = .none
        lingerMilliseconds = 5
        batchBytes = 256 << 10
        maximumRequestBytes = 1 << 20
        bufferBytes = 32 << 20
        maximumWaitingSends = 4_096
        maximumInFlightPerPartition = 5
        maximumInFlightPerBroker = 5
        deliveryTimeoutMilliseconds = 120_000
        createsTopics = true
    }

    func validate() throws(KafkaClientError) {
        func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(KafkaClientError) {
            if !holds { throw KafkaClientError(.invalid, message()) }
        }
        try require(
            !isIdempotent || acknowledgement == .all,
            "an idempotent producer needs acknowledgement .all: set isIdempotent to false for .leader or .none")
        try require(
            !isIdempotent || maximumInFlightPerPartition <= 5,
            "an idempotent producer has at most 5 batches in flight per partition")
        try require(maximumInFlightPerPartition > 0, "maximumInFlightPerPartition must be positive")
        try require(maximumInFlightPerBroker > 0, "maximumInFlightPerBroker must be positive")
        try require(lingerMilliseconds >= 0, "lingerMilliseconds must not be negative")
        try require(batchBytes > 0, "batchBytes must be positive")
        try require(maximumRequestBytes >= 1_024, "maximumRequestBytes must be at least 1024")
        try require(bufferBytes >= maximumRequestBytes, "bufferBytes must not be less than maximumRequestBytes")
        try require(maximumWaitingSends >= 0, "maximumWaitingSends must not be negative")
        try require(
            deliveryTimeoutMilliseconds > lingerMilliseconds, "deliveryTimeoutMilliseconds must exceed the linger")
    }
}
