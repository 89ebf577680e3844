import KafkaWire

/// What a client knows about the cluster, as a pure value: brokers, topics, leaders, and what must be asked again.
struct MetadataState: Sendable {
    /// A partition as metadata tells it.
    struct Partition: Sendable, Hashable {
        var leader: Int32?
        var leaderEpoch: Int32
        var replicas: [Int32]
        var inSyncReplicas: [Int32]
        var errorCode: Int16
    }

    /// A topic as metadata tells it; `partitions[i]` is partition i.
    struct Topic: Sendable, Hashable {
        var name: String
        /// All zero if the broker is older than topic ids.
        var id: Uuid
        var isInternal: Bool
        var partitions: [Partition]
        var askedAtMilliseconds: Int64
    }

    /// The answer to a Metadata request, decoded.
    struct Answer: Sendable {
        var clusterID: String?
        var controller: Int32?
        var brokers: [Int32: BrokerAddress] = [:]
        var racks: [Int32: String] = [:]
        var topics: [Topic] = []
        /// Topics that were asked for and could not be told, with Kafka's error code.
        var failures: [String: Int16] = [:]
    }

    /// What a look-up finds.
    enum Leader: Equatable {
        case known(Int32, epoch: Int32)
        /// The topic is unknown here, or has no leader now: ask for metadata.
        case ask
        /// The topic is known and has no such partition.
        case noSuchPartition
    }

    private(set) var clusterID: String?
    private(set) var controller: Int32?
    private(set) var brokers: [Int32: BrokerAddress] = [:]
    private(set) var racks: [Int32: String] = [:]
    private(set) var topics: [String: Topic] = [:]
    private var names: [Uuid: String] = [:]
    /// Topics whose knowledge proved wrong or is missing.
    private(set) var stale: Set<String> = []
    let maximumAgeMilliseconds: Int64

    init(maximumAgeMilliseconds: Int64) { self.maximumAgeMilliseconds = maximumAgeMilliseconds }

    /// Takes in an answer. A topic that failed is forgotten if the broker says that it does not exist.
    mutating func apply(_ answer: Answer) {
        if let clusterID = answer.clusterID { self.clusterID = clusterID }
        controller = answer.controller
        if !answer.brokers.isEmpty {
            brokers = answer.brokers
            racks = answer.racks
        }
        for topic in answer.topics { learn(topic) }
        for (name, code) in answer.failures where code == unknownTopicOrPartition {
            forget(name)
        }
    }

    /// Who leads a partition.
    func leader(of partition: Int32, in topic: String) -> Leader {
        guard let known = topics[topic] else { return .ask }
        guard partition >= 0, partition < known.partitions.count else { return .noSuchPartition }
        let entry = known.partitions[Int(partition)]
        guard let leader = entry.leader, brokers[leader] != nil else { return .ask }
        return .known(leader, epoch: entry.leaderEpoch)
    }

    /// The name behind an id.
    func name(of id: Uuid) -> String? { names[id] }

    /// What was known about a topic proved wrong.
    mutating func distrust(_ topic: String) { stale.insert(topic) }

    /// The topics that ought to be asked for again now: those in use that are distrusted, unknown or too old.
    func due(inUse: some Sequence<String>, now: Int64) -> [String] {
        inUse.filter { name in
            guard let topic = topics[name] else { return true }
            return stale.contains(name) || now - topic.askedAtMilliseconds >= maximumAgeMilliseconds
        }
    }

    /// A topic was deleted, or created anew under another id.
    mutating func forget(_ name: String) {
        stale.remove(name)
        if let topic = topics.removeValue(forKey: name) { names[topic.id] = nil }
    }

    /// An answer from a broker that lags must not bring back an older leader: within one incarnation of a topic the
    /// epoch of a partition only grows (KIP-320).
    private mutating func learn(_ topic: Topic) {
        var topic = topic
        if let known = topics[topic.name] {
            if known.id != topic.id {
                names[known.id] = nil
            } else {
                for index in topic.partitions.indices where index < known.partitions.count {
                    let before = known.partitions[index]
                    if before.leaderEpoch > topic.partitions[index].leaderEpoch,
                        topic.partitions[index].leaderEpoch >= 0
                    {
                        topic.partitions[index] = before
                    }
                }
            }
        }
        stale.remove(topic.name)
        if topic.id != .zero { names[topic.id] = topic.name }
        topics[topic.name] = topic
    }

    private let unknownTopicOrPartition: Int16 = 3
}
