import KafkaWire

extension Admin {
    static let topicResource: Int8 = 2
    private static let brokerResource: Int8 = 4

    /// The configs of a topic with their sources, sorted by name. Throws with code `.unknownTopic` if there is none of
    /// this name.
    public func describeConfigs(ofTopic name: String) async throws(KafkaClientError) -> [TopicConfig] {
        let result = try await onController(until: client.operationDeadline) { () async throws(KafkaClientError) in
            let response = try await client.request(to: .controller) { _ in
                DescribeConfigsRequest(describing: [name], type: Self.topicResource, documented: true)
            }
            guard let result = response.results.first else {
                throw KafkaClientError(.malformed, "the broker's answer does not mention topic \"\(name)\"")
            }
            guard result.errorCode == .none else {
                throw .refused(
                    result.errorCode, "cannot describe the configs of topic \"\(name)\"", detail: result.errorMessage)
            }
            return result
        }
        return result.configs.map(TopicConfig.init).sorted { $0.name < $1.name }
    }

    /// The configs of a broker with their sources, sorted by name, as that broker tells them.
    public func describeConfigs(ofBroker id: Int32) async throws(KafkaClientError) -> [BrokerConfig] {
        let deadline = client.operationDeadline
        let result = try await client.retrying(until: deadline) { () async throws(KafkaClientError) in
            let response = try await client.request(to: .node(id)) { _ in
                DescribeConfigsRequest(describing: ["\(id)"], type: Self.brokerResource, documented: true)
            }
            guard let result = response.results.first else {
                throw KafkaClientError(.malformed, "the broker's answer does not mention broker \(id)")
            }
            guard result.errorCode == .none else {
                throw .refused(
                    result.errorCode, "cannot describe the configs of broker \(id)", detail: result.errorMessage)
            }
            return result
        }
        return result.configs.map(BrokerConfig.init).sorted { $0.name < $1.name }
    }

    /// Changes configs of a broker while it runs, or of every broker; what is not named stays. Throws with code `.refused`
    /// and Kafka's reason, for instance INVALID_REQUEST (42), and changes nothing then. With `onlyValidating`, checks and
    /// changes nothing.
    ///
    /// - Parameters:
    ///   - id: the broker; nil: every broker of the cluster.
    ///   - set: values by name.
    ///   - delete: what returns to what the broker was started with.
    public func alterConfigs(
        ofBroker id: Int32?, set: [String: String] = [:], delete: [String] = [], onlyValidating: Bool = false
    ) async throws(KafkaClientError) {
        try await client.retrying(until: client.operationDeadline) { () async throws(KafkaClientError) in
            let response = try await client.request(to: id.map(Cluster.Target.node) ?? .controller) { _ in
                IncrementalAlterConfigsRequest(
                    altering: id.map { "\($0)" } ?? "", type: Self.brokerResource, set: set, delete: delete,
                    onlyValidating: onlyValidating)
            }
            let subject = id.map { "broker \($0)" } ?? "every broker"
            guard let result = response.responses.first else {
                throw KafkaClientError(.malformed, "the broker's answer does not mention \(subject)")
            }
            guard result.errorCode == .none else {
                throw .refused(
                    result.errorCode, "cannot change the configs of \(subject)", detail: result.errorMessage)
            }
        }
    }

    /// Changes configs of a topic; what is not named stays. Throws with code `.refused` and Kafka's reason, for instance
    /// INVALID_CONFIG (40), and changes nothing then. With `onlyValidating`, checks and changes nothing.
    ///
    /// - Parameters:
    ///   - set: values by name.
    ///   - delete: what returns to its default.
    public func alterConfigs(
        ofTopic name: String, set: [String: String] = [:], delete: [String] = [], onlyValidating: Bool = false
    ) async throws(KafkaClientError) {
        try await onController(until: client.operationDeadline) { () async throws(KafkaClientError) in
            let response = try await client.request(to: .controller) { _ in
                IncrementalAlterConfigsRequest(
                    altering: name, type: Self.topicResource, set: set, delete: delete, onlyValidating: onlyValidating)
            }
            guard let result = response.responses.first else {
                throw KafkaClientError(.malformed, "the broker's answer does not mention topic \"\(name)\"")
            }
            guard result.errorCode == .none else {
                throw .refused(
                    result.errorCode, "cannot change the configs of topic \"\(name)\"", detail: result.errorMessage)
            }
        }
    }
}

extension DescribeConfigsRequest {
    init(describing names: [String], type: Int8, only keys: [String]? = nil, documented: Bool = false) {
        self.init()
        resources = names.map { name in
            var resource = DescribeConfigsResource()
            resource.resourceType = type
            resource.resourceName = name
            resource.configurationKeys = keys
            return resource
        }
        includeDocumentation = documented
    }
}

extension IncrementalAlterConfigsRequest {
    private static let setting: Int8 = 0
    private static let deletion: Int8 = 1

    fileprivate init(
        altering name: String, type: Int8, set: [String: String], delete: [String], onlyValidating: Bool
    ) {
        self.init()
        var resource = AlterConfigsResource()
        resource.resourceType = type
        resource.resourceName = name
        resource.configs =
            set.sorted { $0.key < $1.key }.map { Self.change($0.key, Self.setting, $0.value) }
            + delete.map { Self.change($0, Self.deletion, nil) }
        resources = [resource]
        validateOnly = onlyValidating
    }

    private static func change(_ name: String, _ operation: Int8, _ value: String?) -> AlterableConfig {
        var config = AlterableConfig()
        config.name = name
        config.configOperation = operation
        config.value = value
        return config
    }
}

extension TopicConfig {
    init(_ config: DescribeConfigsResponse.DescribeConfigsResourceResult) {
        name = config.name
        value = config.value
        source = Source(code: config.configSource)
        isReadOnly = config.readOnly
        documentation = config.documentation
    }
}

extension TopicConfig.Source {
    fileprivate init(code: Int8) {
        switch code {
        case 1: self = .topic
        case 2, 3, 4: self = .broker
        case 5: self = .default
        default: self = .unknown
        }
    }
}

extension BrokerConfig {
    fileprivate init(_ config: DescribeConfigsResponse.DescribeConfigsResourceResult) {
        name = config.name
        value = config.value
        source = Source(code: config.configSource)
        isReadOnly = config.readOnly
        documentation = config.documentation
    }
}

extension BrokerConfig.Source {
    fileprivate init(code: Int8) {
        switch code {
        case 2: self = .thisBroker
        case 3: self = .everyBroker
        case 4: self = .start
        case 5: self = .default
        default: self = .unknown
        }
    }
}
