import KafkaWire

/// Administers the topics of a cluster. Each operation repeats what fails in passing until
/// `ClientSettings.operationTimeoutMilliseconds` is over.
public struct Admin: Sendable {
    let client: KafkaClient

    /// Creates a topic. Throws with code `.refused` and Kafka's reason if the broker does not want it, for instance
    /// TOPIC_ALREADY_EXISTS (36). With `onlyValidating`, checks and changes nothing.
    ///
    /// A broker that creates the topic and cannot say so (its answer is lost) may make the repetition fail with
    /// TOPIC_ALREADY_EXISTS.
    @discardableResult
    public func createTopic(
        _ topic: NewTopic, onlyValidating: Bool = false
    ) async throws(KafkaClientError) -> CreatedTopic {
        let deadline = client.operationDeadline
        return try await onController(until: deadline) { () async throws(KafkaClientError) in
            let response = try await client.request(to: .controller) { version in
                CreateTopicsRequest(creating: topic, version: version, onlyValidating: onlyValidating)
            }
            guard let result = response.topics.first(where: { $0.name == topic.name }) else {
                throw KafkaClientError(.malformed, "the broker's answer does not mention topic \"\(topic.name)\"")
            }
            guard result.errorCode == .none else {
                throw .refused(
                    result.errorCode, "cannot create topic \"\(topic.name)\"", detail: result.errorMessage)
            }
            return CreatedTopic(result)
        }
    }

    /// Deletes a topic with all its records. Throws with code `.unknownTopic` if there is none of this name.
    public func deleteTopic(_ name: String) async throws(KafkaClientError) {
        let timeout = client.settings.requestTimeoutMilliseconds
        try await onController(until: client.operationDeadline) { () async throws(KafkaClientError) in
            let response = try await client.request(to: .controller) { version in
                DeleteTopicsRequest(deleting: name, version: version, timeoutMilliseconds: timeout)
            }
            guard let result = response.responses.first else {
                throw KafkaClientError(.malformed, "the broker's answer does not mention topic \"\(name)\"")
            }
            guard result.errorCode == .none else {
                throw .refused(result.errorCode, "cannot delete topic \"\(name)\"", detail: result.errorMessage)
            }
        }
        client.onLoop { $0.metadata.forget(name) }
    }

    /// Every topic, by name.
    public func listTopics() async throws(KafkaClientError) -> [TopicDescription] {
        let answer = try await client.retrying(until: client.operationDeadline) { () async throws(KafkaClientError) in
            try await client.metadata(of: nil)
        }
        return answer.topics.map(TopicDescription.init).sorted { $0.name < $1.name }
    }

    /// One topic. Throws with code `.unknownTopic` if there is none of this name.
    public func describeTopic(_ name: String) async throws(KafkaClientError) -> TopicDescription {
        TopicDescription(
            try await client.topic(named: name, mayCreate: false, deadline: client.operationDeadline))
    }

    /// The cluster and its brokers.
    public func describeCluster() async throws(KafkaClientError) -> ClusterDescription {
        let answer = try await client.retrying(until: client.operationDeadline) { () async throws(KafkaClientError) in
            try await client.metadata(of: [])
        }
        let brokers = answer.brokers.sorted { $0.key < $1.key }.map { id, address in
            ClusterDescription.Broker(id: id, host: address.host, port: address.port, rack: answer.racks[id])
        }
        return ClusterDescription(clusterID: answer.clusterID, controller: answer.controller, brokers: brokers)
    }

    /// Looks up offsets, one per partition asked for. Partitions that cannot be told make the whole call throw.
    ///
    /// `.offset` is answered as it stands and `.beforeEnd` never goes below the first offset. With `committedOnly`,
    /// the end is the end of what transactions have committed.
    public func listOffsets(
        _ specs: [TopicPartition: OffsetSpec], committedOnly: Bool = false
    ) async throws(KafkaClientError) -> [TopicPartition: OffsetAndTimestamp] {
        try await OffsetLookup(client: client, committedOnly: committedOnly).resolve(
            specs, deadline: client.operationDeadline)
    }

    /// Repeats an operation of the controller; if it moved, metadata tells where to.
    func onController<Value: Sendable>(
        until deadline: Int64, _ operation: () async throws(KafkaClientError) -> Value
    ) async throws(KafkaClientError) -> Value {
        // A controller that does not know a topic will not come to know it by being asked again.
        let mayPass: (KafkaClientError) -> Bool = { $0.isRetriable && $0.code != .unknownTopic }
        return try await client.retrying(until: deadline, while: mayPass) { () async throws(KafkaClientError) in
            do throws(KafkaClientError) {
                return try await operation()
            } catch {
                if error.brokerCode == ErrorCode.notController.rawValue { _ = try await client.metadata(of: []) }
                throw error
            }
        }
    }
}

extension CreateTopicsRequest {
    fileprivate init(creating topic: NewTopic, version: Int16, onlyValidating: Bool) {
        self.init()
        var creatable = CreatableTopic()
        creatable.name = topic.name
        // Versions below 4 know no "default": one of each is what most brokers are set to.
        creatable.numPartitions = topic.partitions ?? (version >= 4 ? -1 : 1)
        creatable.replicationFactor = topic.replicationFactor ?? (version >= 4 ? -1 : 1)
        creatable.configs = topic.configs.sorted { $0.key < $1.key }.map { key, value in
            var config = CreatableTopicConfig()
            config.name = key
            config.value = value
            return config
        }
        topics = [creatable]
        validateOnly = onlyValidating
    }
}

extension DeleteTopicsRequest {
    fileprivate init(deleting name: String, version: Int16, timeoutMilliseconds: Int64) {
        self.init()
        timeoutMs = Int32(clamping: timeoutMilliseconds)
        guard version >= 6 else {
            topicNames = [name]
            return
        }
        var topic = DeleteTopicState()
        topic.name = name
        topics = [topic]
    }
}

extension CreatedTopic {
    fileprivate init(_ result: CreateTopicsResponse.CreatableTopicResult) {
        name = result.name
        id = result.topicId == .zero ? nil : "\(result.topicId)"
        partitions = result.numPartitions < 0 ? nil : result.numPartitions
        replicationFactor = result.replicationFactor < 0 ? nil : result.replicationFactor
        var configs: [String: String] = [:]
        for config in result.configs ?? [] { configs[config.name] = config.value }
        self.configs = configs
    }
}

extension TopicDescription {
    init(_ topic: MetadataState.Topic) {
        name = topic.name
        id = topic.id == .zero ? nil : "\(topic.id)"
        isInternal = topic.isInternal
        partitions = topic.partitions.enumerated().map { index, partition in
            Partition(
                index: Int32(index), leader: partition.leader, replicas: partition.replicas,
                inSyncReplicas: partition.inSyncReplicas)
        }
    }
}
