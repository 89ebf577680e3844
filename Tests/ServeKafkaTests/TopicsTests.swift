import KafkaWire
import Log
import NIOCore
import Testing

@testable import ServeKafka

@Suite struct MetadataTests {
    private func request(_ names: [String]?, create: Bool = true) -> MetadataRequest {
        var request = MetadataRequest()
        request.allowAutoTopicCreation = create
        request.topics = names.map { names in
            names.map { name in
                var topic = MetadataRequest.MetadataRequestTopic()
                topic.name = name
                return topic
            }
        }
        return request
    }

    @Test(arguments: MetadataRequest.versions)
    func everyVersionDescribesATopic(version: Int16) async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 3, configs: [:])
            let response = try await broker.client { try await $0.call(request(["t"]), version: version) }
            #expect(response.brokers.map(\.nodeId) == [broker.log.nodeID])
            let answer = try #require(response.topics.first)
            #expect(answer.errorCode == .none && answer.name == "t")
            #expect(answer.partitions.map(\.partitionIndex) == [0, 1, 2])
            #expect(answer.partitions.allSatisfy { $0.leaderId == broker.log.nodeID })
            #expect(version < 10 || answer.topicId == topic.id)
            #expect(version < 2 || response.clusterId == broker.log.clusterID)
        }
    }

    @Test func tellsTheAddressThatTheClientConnectedTo() async throws {
        try await TestBroker.with { broker in
            let node = try await broker.client { try await $0.call(request([]), version: 9) }.brokers.first
            #expect(node?.host == "127.0.0.1" && node?.port == Int32(broker.address.port ?? -1))
        }
        let advertised = KafkaServerSettings.Endpoint(host: "kafka.example", port: 19092)
        try await TestBroker.with(settings: { $0.advertised = advertised }) { broker in
            let node = try await broker.client { try await $0.call(request([]), version: 9) }.brokers.first
            #expect(node?.host == "kafka.example" && node?.port == 19092)
        }
    }

    @Test func nullAsksForAllTopicsAndAnEmptyListForNone() async throws {
        try await TestBroker.with { broker in
            for name in ["b", "a"] { _ = try broker.log.createTopic(name, partitions: 1, configs: [:]) }
            try await broker.client { client in
                expectEqual(try await client.call(request(nil), version: 1).topics.map(\.name), ["a", "b"])
                expectEqual(try await client.call(request([]), version: 1).topics.isEmpty, true)
                expectEqual(try await client.call(request([]), version: 0).topics.map(\.name), ["a", "b"])
            }
        }
    }

    @Test func missingTopicsAreCreatedWhereTheClientAllowsIt() async throws {
        try await TestBroker.with(settings: { $0.defaultPartitions = 4 }) { broker in
            try await broker.client { client in
                let refused = try await client.call(request(["new"], create: false), version: 12)
                #expect(refused.topics.map(\.errorCode) == [.unknownTopicOrPartition])
                let created = try await client.call(request(["new"]), version: 12)
                #expect(created.topics.map(\.errorCode) == [.none])
                #expect(created.topics.first?.partitions.count == 4)
                // Clients before version 4 cannot say, and expect it.
                expectEqual(try await client.call(request(["old"]), version: 1).topics.map(\.errorCode), [.none])
            }
        }
        try await TestBroker.with(settings: { $0.autoCreateTopics = false }) { broker in
            let response = try await broker.client { try await $0.call(request(["new"]), version: 12) }
            #expect(response.topics.map(\.errorCode) == [.unknownTopicOrPartition])
        }
    }

    @Test(arguments: ["", ".", "..", "a/b", "../../etc", "a b", String(repeating: "x", count: 250)])
    func badNamesAreRefused(name: String) async throws {
        try await TestBroker.with { broker in
            for create in [true, false] {
                let response = try await broker.client {
                    try await $0.call(request([name], create: create), version: 9)
                }
                #expect(response.topics.map(\.errorCode) == [.invalidTopicException])
            }
            #expect(broker.log.topics().isEmpty)
        }
    }

    @Test func topicsAreFoundByID() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            var asked = request(["", ""])
            asked.topics?[0].name = nil
            asked.topics?[0].topicId = topic.id
            asked.topics?[1].name = nil
            asked.topics?[1].topicId = Uuid(high: 1, low: 2)
            let topics = try await broker.client { try await $0.call(asked, version: 12) }.topics
            #expect(topics.map(\.errorCode) == [.none, .unknownTopicId])
            #expect(topics.map(\.name) == ["t", nil])
        }
    }
}

@Suite struct TopicAdministrationTests {
    private func creation(_ name: String, partitions: Int32 = 2, replicas: Int16 = 1) -> CreateTopicsRequest {
        var topic = CreateTopicsRequest.CreatableTopic()
        topic.name = name
        topic.numPartitions = partitions
        topic.replicationFactor = replicas
        var request = CreateTopicsRequest()
        request.topics = [topic]
        return request
    }

    private func create(
        _ broker: TestBroker, _ request: CreateTopicsRequest, version: Int16 = 7
    ) async throws
        -> CreateTopicsResponse.CreatableTopicResult
    {
        let response = try await broker.client { try await $0.call(request, version: version) }
        return try #require(response.topics.first)
    }

    @Test(arguments: CreateTopicsRequest.versions)
    func everyVersionCreates(version: Int16) async throws {
        try await TestBroker.with { broker in
            let answer = try await create(broker, creation("t"), version: version)
            #expect(answer.errorCode == .none)
            let topic = try #require(broker.log.topic(named: "t"))
            #expect(topic.partitions.count == 2)
            #expect(version < 7 || answer.topicId == topic.id)
            if version >= 5 {
                #expect(answer.numPartitions == 2 && answer.replicationFactor == 1)
                // Null configs crash Java's admin client.
                #expect(answer.configs?.isEmpty == false)
            }
        }
    }

    @Test func configsAreSetAndTold() async throws {
        try await TestBroker.with { broker in
            var request = creation("t", partitions: -1, replicas: -1)
            var config = CreateTopicsRequest.CreatableTopicConfig()
            config.name = "retention.ms"
            config.value = "1234"
            request.topics[0].configs = [config]
            let configs = try await create(broker, request).configs
            let retention = configs?.first { $0.name == "retention.ms" }
            #expect(retention?.value == "1234" && retention?.configSource == 1)
            #expect(configs?.first { $0.name == "segment.bytes" }?.configSource == 5)
            #expect(broker.log.topic(named: "t")?.configuration.retentionMilliseconds == 1_234)
        }
    }

    @Test func validationCreatesNothing() async throws {
        try await TestBroker.with { broker in
            var request = creation("t")
            request.validateOnly = true
            let answer = try await create(broker, request)
            #expect(answer.errorCode == .none && answer.topicId == .zero && answer.configs?.isEmpty == false)
            #expect(broker.log.topic(named: "t") == nil)
            request.topics[0].name = "../t"
            expectEqual(try await create(broker, request).errorCode, .invalidTopicException)
        }
    }

    @Test func refusalsNameWhatIsWrong() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("taken", partitions: 1, configs: [:])
            var unknownConfig = creation("t")
            unknownConfig.topics[0].configs = [CreateTopicsRequest.CreatableTopicConfig()]
            unknownConfig.topics[0].configs[0].name = "no.such.config"
            unknownConfig.topics[0].configs[0].value = "1"
            var nullConfig = unknownConfig
            nullConfig.topics[0].configs[0].value = nil
            let cases: [(CreateTopicsRequest, ErrorCode)] = [
                (creation("taken"), .topicAlreadyExists), (creation("t", partitions: 0), .invalidPartitions),
                (creation("t", partitions: -2), .invalidPartitions),
                (creation("t", replicas: 3), .invalidReplicationFactor),
                (creation("t", replicas: 0), .invalidReplicationFactor), (creation(".."), .invalidTopicException),
                (creation("t", partitions: 1_000_000_000), .policyViolation), (unknownConfig, .invalidConfig),
                (nullConfig, .invalidConfig),
            ]
            for (request, code) in cases {
                let answer = try await create(broker, request)
                #expect(answer.errorCode == code)
                #expect(answer.errorMessage?.isEmpty == false)
            }
            #expect(broker.log.topics().map(\.name) == ["taken"])
        }
    }

    @Test func aNameGivenTwiceIsRefusedTwice() async throws {
        try await TestBroker.with { broker in
            var request = creation("t")
            request.topics += creation("u").topics + request.topics
            let answers = try await broker.client { try await $0.call(request, version: 7) }.topics
            #expect(answers.map(\.errorCode) == [.invalidRequest, .none, .invalidRequest])
            #expect(broker.log.topics().map(\.name) == ["u"])
        }
    }

    @Test func assignmentsMustNameThisBroker() async throws {
        try await TestBroker.with { broker in
            func assigned(_ brokers: [[Int32]], partitions: Int32 = -1, first: Int32 = 0) -> CreateTopicsRequest {
                var request = creation("t", partitions: partitions, replicas: -1)
                request.topics[0].assignments = brokers.enumerated().map { index, ids in
                    var assignment = CreateTopicsRequest.CreatableReplicaAssignment()
                    assignment.partitionIndex = first + Int32(index)
                    assignment.brokerIds = ids
                    return assignment
                }
                return request
            }
            let own = broker.log.nodeID
            expectEqual(
                try await create(broker, assigned([[own], [own + 1]])).errorCode, .invalidReplicationAssignment)
            expectEqual(try await create(broker, assigned([[own]], first: 1)).errorCode, .invalidReplicationAssignment)
            expectEqual(try await create(broker, assigned([[own]], partitions: 1)).errorCode, .invalidRequest)
            expectEqual(try await create(broker, assigned([[own], [own], [own]])).errorCode, .none)
            #expect(broker.log.topic(named: "t")?.partitions.count == 3)
        }
    }

    @Test(arguments: DeleteTopicsRequest.versions)
    func everyVersionDeletes(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            var request = DeleteTopicsRequest()
            if version >= 6 {
                request.topics = ["t", "missing"].map { name in
                    var topic = DeleteTopicsRequest.DeleteTopicState()
                    topic.name = name
                    return topic
                }
            } else {
                request.topicNames = ["t", "missing"]
            }
            let answers = try await broker.client { try await $0.call(request, version: version) }.responses
            #expect(answers.map(\.errorCode) == [.none, .unknownTopicOrPartition])
            #expect(broker.log.topic(named: "t") == nil)
        }
    }

    @Test func topicsAreDeletedByID() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            func state(_ name: String?, _ id: Uuid) -> DeleteTopicsRequest.DeleteTopicState {
                var state = DeleteTopicsRequest.DeleteTopicState()
                state.name = name
                state.topicId = id
                return state
            }
            var request = DeleteTopicsRequest()
            request.topics = [
                state(nil, Uuid(high: 7, low: 7)), state("t", topic.id), state(nil, .zero), state(nil, topic.id),
            ]
            let answers = try await broker.client { try await $0.call(request, version: 6) }.responses
            #expect(answers.map(\.errorCode) == [.unknownTopicId, .invalidRequest, .invalidRequest, .none])
            #expect(answers.last?.name == "t")
        }
    }
}

@Suite struct DescribeTests {
    @Test(arguments: DescribeClusterRequest.versions)
    func theClusterIsThisBroker(version: Int16) async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                let response = try await client.call(DescribeClusterRequest(), version: version)
                #expect(response.errorCode == .none && response.clusterId == broker.log.clusterID)
                #expect(response.brokers.map(\.port) == [Int32(broker.address.port ?? 0)])
                guard version >= 1 else { return }
                var controllers = DescribeClusterRequest()
                controllers.endpointType = 2
                expectEqual(try await client.call(controllers, version: version).errorCode, .unsupportedEndpointType)
            }
        }
    }

    @Test func topicPartitionsComeInPages() async throws {
        try await TestBroker.with { broker in
            for name in ["b", "a", "c"] { _ = try broker.log.createTopic(name, partitions: 3, configs: [:]) }
            var request = DescribeTopicPartitionsRequest()
            request.responsePartitionLimit = 2
            var seen: [String] = []
            try await broker.client { client in
                for _ in 0..<10 {
                    let response = try await client.call(request, version: 0)
                    for topic in response.topics {
                        seen += topic.partitions.map { "\(topic.name ?? "?")-\($0.partitionIndex)" }
                    }
                    guard let next = response.nextCursor else { break }
                    var cursor = DescribeTopicPartitionsRequest.Cursor()
                    cursor.topicName = next.topicName
                    cursor.partitionIndex = next.partitionIndex
                    request.cursor = cursor
                }
            }
            #expect(seen == ["a", "b", "c"].flatMap { name in (0..<3).map { "\(name)-\($0)" } })
        }
    }

    @Test func unknownTopicsAreNamed() async throws {
        try await TestBroker.with { broker in
            var request = DescribeTopicPartitionsRequest()
            request.topics = ["missing", "a/b"].map { name in
                var topic = DescribeTopicPartitionsRequest.TopicRequest()
                topic.name = name
                return topic
            }
            let response = try await broker.client { try await $0.call(request, version: 0) }
            #expect(response.topics.map(\.errorCode) == [.invalidTopicException, .unknownTopicOrPartition])
        }
    }
}
