/// How a consumer reads and bounds itself. Validated by `KafkaClient.consumer(_:)`.
public struct ConsumerSettings: Sendable, Hashable {
    /// What to do when the position to read from does not exist (any more, or yet).
    public enum OutOfRangePolicy: Sendable, Hashable {
        /// Go on at the first offset that exists. The default.
        case earliest
        /// Go on behind the last record.
        case latest
        /// Fail with `.offsetOutOfRange`.
        case fail
    }

    /// What to do when the position does not exist. The default is `.earliest`: nothing is skipped unseen.
    public var outOfRangePolicy: OutOfRangePolicy
    /// Whether records of transactions that are open or were aborted are left out. The default is true.
    public var readsCommittedOnly: Bool
    /// How long a broker may hold a request for want of records, in milliseconds. The default is 500.
    public var maximumWaitMilliseconds: Int32
    /// A broker answers at once when it has this many bytes. The default is 1.
    public var minimumBytes: Int32
    /// The most that one answer carries, in bytes; a single larger batch still comes whole. The default is 16 MiB.
    public var maximumFetchBytes: Int32
    /// The most that one answer carries per partition, in bytes. The default is 4 MiB.
    public var maximumPartitionBytes: Int32
    /// How many bytes are fetched ahead of the reader. Once that much waits, fetching pauses. One answer per broker
    /// may come on top. The default is 32 MiB.
    public var prefetchBytes: Int
    /// Whether the checksum of each batch is verified. The default is true.
    public var verifiesChecksums: Bool
    /// The most that one batch may hold after decompression, in bytes; a larger one fails with `.malformed`.
    /// The default is 256 MiB.
    public var maximumBatchBytes: Int

    /// The defaults.
    public init() {
        outOfRangePolicy = .earliest
        readsCommittedOnly = true
        maximumWaitMilliseconds = 500
        minimumBytes = 1
        maximumFetchBytes = 16 << 20
        maximumPartitionBytes = 4 << 20
        prefetchBytes = 32 << 20
        verifiesChecksums = true
        maximumBatchBytes = 256 << 20
    }

    func validate() throws(KafkaClientError) {
        func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(KafkaClientError) {
            if !holds { throw KafkaClientError(.invalid, message()) }
        }
        try require(maximumWaitMilliseconds >= 0, "maximumWaitMilliseconds must not be negative")
        try require(minimumBytes >= 0, "minimumBytes must not be negative")
        try require(maximumFetchBytes >= 1, "maximumFetchBytes must be positive")
        try require(maximumPartitionBytes >= 1, "maximumPartitionBytes must be positive")
        try require(prefetchBytes >= 1, "prefetchBytes must be positive")
        try require(maximumBatchBytes >= 1_024, "maximumBatchBytes must be at least 1024")
    }
}

/// Where reading begins or ends in a partition.
public enum OffsetSpec: Sendable, Hashable {
    /// The first offset that exists.
    case earliest
    /// Behind the last record.
    case latest
    /// This offset.
    case offset(Int64)
    /// This many records before the end; at the first that exists if there are fewer. Compacted away records and
    /// transaction markers count.
    case beforeEnd(Int64)
    /// The first record at or after this time, in milliseconds since 1970-01-01 UTC; the end if there is none.
    case time(milliseconds: Int64)
}
