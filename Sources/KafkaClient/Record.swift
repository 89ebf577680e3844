/// A record to be produced.
public struct Record: Sendable, Hashable {
    /// A name and a value that travel with a record.
    public struct Header: Sendable, Hashable {
        /// The name.
        public var key: String
        /// The value; nil is distinct from empty.
        public var value: [UInt8]?

        /// Assembles a header.
        public init(_ key: String, _ value: [UInt8]?) {
            self.key = key
            self.value = value
        }
    }

    /// Decides the partition (equal keys, equal partition) and what compaction keeps. The default is none.
    public var key: [UInt8]?
    /// The content; nil is a tombstone in a compacted topic.
    public var value: [UInt8]?
    /// Names and values beside the content, in order; names may repeat. The default is none.
    public var headers: [Header]
    /// Milliseconds since 1970-01-01 UTC. The default is the time of the call that sends it.
    public var timestampMilliseconds: Int64?
    /// The partition to write to, from 0. The default leaves it to the key.
    public var partition: Int32?

    /// Assembles a record.
    public init(
        key: [UInt8]? = nil, value: [UInt8]?, headers: [Header] = [], timestampMilliseconds: Int64? = nil,
        partition: Int32? = nil
    ) {
        self.key = key
        self.value = value
        self.headers = headers
        self.timestampMilliseconds = timestampMilliseconds
        self.partition = partition
    }

    /// A record of UTF-8 texts.
    public init(key: String? = nil, _ value: String) {
        self.init(key: key.map { Array($0.utf8) }, value: Array(value.utf8))
    }
}

/// Where an acknowledged record is.
public struct RecordMetadata: Sendable, Hashable {
    /// The topic.
    public let topic: String
    /// The partition, from 0.
    public let partition: Int32
    /// The offset; nil if the broker did not tell (`acks` 0, or a duplicate that it no longer remembers).
    public let offset: Int64?
    /// Milliseconds since 1970-01-01 UTC: the record's own time, or the broker's if the topic says `LogAppendTime`.
    public let timestampMilliseconds: Int64

    /// Assembles the metadata.
    public init(topic: String, partition: Int32, offset: Int64?, timestampMilliseconds: Int64) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestampMilliseconds = timestampMilliseconds
    }
}

/// A record that was read.
public struct ConsumedRecord: Sendable, Hashable {
    /// Whether a timestamp is the producer's or the broker's.
    public enum TimestampKind: Sendable, Hashable {
        /// Set by the producer.
        case createTime
        /// Set by the broker when it appended the record.
        case logAppendTime
    }

    /// The topic.
    public let topic: String
    /// The partition, from 0.
    public let partition: Int32
    /// The position in the partition.
    public let offset: Int64
    /// Milliseconds since 1970-01-01 UTC.
    public let timestampMilliseconds: Int64
    /// Whose clock the timestamp is from.
    public let timestampKind: TimestampKind
    /// The key, if any.
    public let key: [UInt8]?
    /// The content; nil is a tombstone.
    public let value: [UInt8]?
    /// The headers, in order.
    public let headers: [Record.Header]

    /// Assembles a record.
    public init(
        topic: String, partition: Int32, offset: Int64, timestampMilliseconds: Int64,
        timestampKind: TimestampKind = .createTime, key: [UInt8]?, value: [UInt8]?, headers: [Record.Header] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestampMilliseconds = timestampMilliseconds
        self.timestampKind = timestampKind
        self.key = key
        self.value = value
        self.headers = headers
    }
}

/// A partition of a topic.
public struct TopicPartition: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The topic's name.
    public let topic: String
    /// The partition, from 0.
    public let partition: Int32

    /// Names a partition.
    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    /// `TOPIC-PARTITION`, as Kafka's own tools print it.
    public var description: String { "\(topic)-\(partition)" }

    /// By topic, then by partition.
    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}
