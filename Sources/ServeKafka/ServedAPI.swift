/// The requests that the broker answers, with the versions that it advertises.
///
/// One table: ApiVersions is answered from it, requests are routed by it, and metrics are named by it.
enum ServedAPI: Int16, CaseIterable, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case findCoordinator = 10
    case apiVersions = 18
    case createTopics = 19
    case deleteTopics = 20
    case initProducerId = 22
    case describeCluster = 60
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
        // Not served, but librdkafka sends lz4 only to brokers that advertise it.
        case .findCoordinator: 0...6
        case .apiVersions: 0...4
        case .createTopics: 2...7
        case .deleteTopics: 1...6
        case .initProducerId: 0...5
        case .describeCluster: 0...2
        case .describeTopicPartitions: 0...0
        }
    }

    /// The first version whose request and response headers carry tagged fields (KIP-482).
    var firstFlexibleVersion: Int16 {
        switch self {
        case .produce: 9
        case .fetch: 12
        case .listOffsets: 6
        case .metadata: 9
        case .findCoordinator: 3
        case .apiVersions: 3
        case .createTopics: 5
        case .deleteTopics: 4
        case .initProducerId: 2
        case .describeCluster: 0
        case .describeTopicPartitions: 0
        }
    }

    /// The name in Kafka's documentation, as metrics carry it.
    var name: String {
        switch self {
        case .produce: "Produce"
        case .fetch: "Fetch"
        case .listOffsets: "ListOffsets"
        case .metadata: "Metadata"
        case .findCoordinator: "FindCoordinator"
        case .apiVersions: "ApiVersions"
        case .createTopics: "CreateTopics"
        case .deleteTopics: "DeleteTopics"
        case .initProducerId: "InitProducerId"
        case .describeCluster: "DescribeCluster"
        case .describeTopicPartitions: "DescribeTopicPartitions"
        }
    }

    /// Whether responses of this version carry tagged fields in their header. ApiVersions never does: its reader
    /// cannot know yet what the broker speaks.
    func hasFlexibleResponseHeader(_ version: Int16) -> Bool {
        self != .apiVersions && version >= firstFlexibleVersion
    }

    /// The position in per-API tables.
    var position: Int {
        switch self {
        case .produce: 0
        case .fetch: 1
        case .listOffsets: 2
        case .metadata: 3
        case .apiVersions: 4
        case .createTopics: 5
        case .deleteTopics: 6
        case .initProducerId: 7
        case .describeCluster: 8
        case .describeTopicPartitions: 9
        case .findCoordinator: 10
        }
    }
}
