import KafkaWire

/// A directory in which a broker keeps partitions.
public struct LogDirectory: Sendable, Hashable {
    /// The broker.
    public let broker: Int32
    /// Where it is on that broker.
    public let path: String
    /// The size of its disk, in bytes; nil if the broker does not tell (Kafka before 3.4, KIP-827).
    public let totalBytes: Int64?
    /// What may still be written to that disk, in bytes; nil if the broker does not tell.
    public let usableBytes: Int64?
    /// The bytes of each partition's segments.
    public let sizes: [TopicPartition: Int64]
}

extension Admin {
    /// What each broker's disks hold. Throws with code `.unsupported` if the brokers are too old to tell (KIP-113), and
    /// with `.refused` if a directory is offline.
    public func describeLogDirectories() async throws(KafkaClientError) -> [LogDirectory] {
        var found: [LogDirectory] = []
        for broker in try await describeCluster().brokers {
            let response = try await client.retrying(
                until: client.operationDeadline
            ) { () async throws(KafkaClientError) in
                try await client.request(to: .node(broker.id)) { _ in DescribeLogDirsRequest() }
            }
            for result in response.results {
                guard result.errorCode == .none else {
                    throw .refused(result.errorCode, "cannot describe the directory \(result.logDir)", detail: nil)
                }
                found.append(LogDirectory(result, on: broker.id))
            }
        }
        return found
    }

    /// Configs of several topics, by topic and name; topics that do not exist are left out.
    ///
    /// - Parameter names: the configs wanted; one that the broker does not know is left out.
    public func describeConfigs(
        _ names: [String], ofTopics topics: [String]
    ) async throws(KafkaClientError) -> [String: [String: TopicConfig]] {
        guard !topics.isEmpty else { return [:] }
        let response = try await onController(until: client.operationDeadline) { () async throws(KafkaClientError) in
            try await client.request(to: .controller) { _ in
                DescribeConfigsRequest(describing: topics, type: Self.topicResource, only: names)
            }
        }
        let described = response.results.lazy.filter { $0.errorCode == .none }.map { result in
            let configs = result.configs.map { ($0.name, TopicConfig($0)) }
            return (result.resourceName, Dictionary(configs, uniquingKeysWith: { first, _ in first }))
        }
        return Dictionary(described, uniquingKeysWith: { first, _ in first })
    }
}

extension LogDirectory {
    fileprivate init(_ result: DescribeLogDirsResponse.DescribeLogDirsResult, on broker: Int32) {
        self.broker = broker
        path = result.logDir
        totalBytes = result.totalBytes < 0 ? nil : result.totalBytes
        usableBytes = result.usableBytes < 0 ? nil : result.usableBytes
        let sizes = result.topics.lazy.flatMap { topic in
            topic.partitions.lazy.map { (TopicPartition(topic.name, $0.partitionIndex), $0.partitionSize) }
        }
        // A partition that is being moved has a second, future copy in another directory, never in the same one.
        self.sizes = Dictionary(sizes, uniquingKeysWith: +)
    }
}
