import KafkaWire

/// The requests that the broker answers, with the versions that it advertises.
///
/// One table: ApiVersions is answered from it, requests are routed by it, and metrics are named by it.
enum ServedAPI: Int16, CaseIterable, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case joinGroup = 11
    case heartbeat = 12
    case leaveGroup = 13
    case syncGroup = 14
    case describeGroups = 15
    case listGroups = 16
    case apiVersions = 18
    case createTopics = 19
    case deleteTopics = 20
    case deleteRecords = 21
    case initProducerId = 22
    case offsetForLeaderEpoch = 23
    case describeConfigs = 32
    case alterConfigs = 33
    case describeLogDirs = 35
    case createPartitions = 37
    case deleteGroups = 42
    case incrementalAlterConfigs = 44
    case offsetDelete = 47
    case describeCluster = 60
    case describeProducers = 61
    case describeTopicPartitions = 75

    /// The versions that are advertised: those of Kafka 4.3.
    var versions: ClosedRange<Int16> {
        switch self {
        // Served from 3 on. Advertised from 0 because librdkafka takes a broker without Produce 0 for one that
        // cannot take compressed batches, and silently sends uncompressed ones.
        case .produce: 0...13
        case .fetch: 4...18
        case .listOffsets: 1...11
        case .metadata: 0...13
        case .offsetCommit: 2...10
        case .offsetFetch: 1...10
        case .findCoordinator: 0...6
        case .joinGroup: 0...9
        case .heartbeat: 0...4
        case .leaveGroup: 0...5
        case .syncGroup: 0...5
        case .describeGroups: 0...6
        case .listGroups: 0...5
        case .apiVersions: 0...4
        case .createTopics: 2...7
        case .deleteTopics: 1...6
        case .deleteRecords: 0...2
        case .initProducerId: 0...5
        case .offsetForLeaderEpoch: 2...4
        case .describeConfigs: 1...4
        case .alterConfigs: 0...2
        case .describeLogDirs: 1...5
        case .createPartitions: 0...3
        case .deleteGroups: 0...2
        case .incrementalAlterConfigs: 0...1
        case .offsetDelete: 0...0
        case .describeCluster: 0...2
        case .describeProducers: 0...0
        case .describeTopicPartitions: 0...0
        }
    }

    /// The name in Kafka's documentation, as metrics carry it.
    var name: String { ApiKey(rawValue: rawValue)?.name ?? "\(rawValue)" }
}
