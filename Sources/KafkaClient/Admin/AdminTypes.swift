/// A cluster as its brokers describe it.
public struct ClusterDescription: Sendable, Hashable {
    /// A broker of a cluster.
    public struct Broker: Sendable, Hashable {
        /// Its number.
        public let id: Int32
        /// The host that clients are to connect to.
        public let host: String
        /// The port that clients are to connect to.
        public let port: Int
        /// Where it stands, if it says so.
        public let rack: String?
    }

    /// The cluster's id; nil if its brokers are older than cluster ids.
    public let clusterID: String?
    /// The broker that administers topics, if known.
    public let controller: Int32?
    /// The brokers, by number.
    public let brokers: [Broker]
}

/// A topic as brokers describe it.
public struct TopicDescription: Sendable, Hashable {
    /// A partition of a topic.
    public struct Partition: Sendable, Hashable {
        /// Its number, from 0.
        public let index: Int32
        /// The broker that leads it; nil if there is none at the moment.
        public let leader: Int32?
        /// The brokers that hold it.
        public let replicas: [Int32]
        /// Those that are in sync.
        public let inSyncReplicas: [Int32]
    }

    /// The name.
    public let name: String
    /// The id as Kafka prints it (22 characters of base64url); nil if the broker is older than topic ids.
    public let id: String?
    /// Whether it belongs to the broker itself.
    public let isInternal: Bool
    /// The partitions, by number.
    public let partitions: [Partition]
}

/// A topic to be created.
public struct NewTopic: Sendable, Hashable {
    /// The name: letters, digits, `.`, `_` and `-`, at most 249 of them.
    public var name: String
    /// How many partitions; nil leaves it to the broker.
    public var partitions: Int32?
    /// How many copies; nil leaves it to the broker.
    public var replicationFactor: Int16?
    /// Configuration to be set, such as `retention.ms`.
    public var configs: [String: String]

    /// Describes a topic; what is left out is the broker's default.
    public init(
        _ name: String, partitions: Int32? = nil, replicationFactor: Int16? = nil, configs: [String: String] = [:]
    ) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.configs = configs
    }
}

/// A topic that was created.
public struct CreatedTopic: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The id; nil if the broker is older than topic ids.
    public let id: String?
    /// How many partitions it has; nil if the broker did not tell.
    public let partitions: Int32?
    /// How many copies it has; nil if the broker did not tell.
    public let replicationFactor: Int16?
    /// Its configuration, as far as the broker told it.
    public let configs: [String: String]
}

/// A config of a topic.
public struct TopicConfig: Sendable, Hashable {
    /// Where a value comes from.
    public enum Source: String, Sendable, Hashable {
        /// Set on the topic.
        case topic
        /// Set for the broker or for all brokers.
        case broker
        /// Nobody set it.
        case `default`
        /// The broker does not say.
        case unknown
    }

    /// The name, such as `retention.ms`.
    public let name: String
    /// The value; nil if it is secret.
    public let value: String?
    /// Where the value comes from.
    public let source: Source
    /// Whether it cannot be changed.
    public let isReadOnly: Bool
    /// What it does, if the broker says so.
    public let documentation: String?
}

/// A config of a broker.
public struct BrokerConfig: Sendable, Hashable {
    /// Where a value comes from.
    public enum Source: String, Sendable, Hashable {
        /// Changed for this broker while it ran.
        case thisBroker = "this-broker"
        /// Changed for every broker while they ran.
        case everyBroker = "every-broker"
        /// Set when the broker was started.
        case start
        /// Nobody set it.
        case `default`
        /// The broker does not say.
        case unknown
    }

    /// The name, such as `num.partitions`.
    public let name: String
    /// The value; nil if it is secret.
    public let value: String?
    /// Where the value comes from.
    public let source: Source
    /// Whether it cannot be changed while the broker runs.
    public let isReadOnly: Bool
    /// What it does, if the broker says so.
    public let documentation: String?
}

/// An offset that was looked up.
public struct OffsetAndTimestamp: Sendable, Hashable {
    /// The offset.
    public let offset: Int64
    /// The time of the record there, in milliseconds since 1970-01-01 UTC; nil where the broker tells none.
    public let timestampMilliseconds: Int64?
}
