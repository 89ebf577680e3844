import KafkaClient
import Testing

@Suite struct AdminTests {
    @Test func topicsAreCreatedListedDescribedAndDeleted() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let admin = client.admin
                let created = try await admin.createTopic(NewTopic("b", partitions: 3))
                #expect(created.name == "b" && created.partitions == 3 && created.replicationFactor == 1)
                try await admin.createTopic(NewTopic("a"))
                let topics = try await admin.listTopics()
                #expect(topics.map(\.name) == ["a", "b"])
                let description = try await admin.describeTopic("b")
                #expect(description.partitions.map(\.index) == [0, 1, 2])
                #expect(description.id == created.id && description.id?.count == 22)
                #expect(description.partitions.allSatisfy { $0.leader != nil && $0.replicas.count == 1 })
                try await admin.deleteTopic("b")
                #expect(try await admin.listTopics().map(\.name) == ["a"])
            }
        }
    }

    @Test func refusalsSayWhy() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let admin = client.admin
                try await admin.createTopic(NewTopic("taken"))
                await #expect(throws: KafkaClientError.self) { try await admin.createTopic(NewTopic("taken")) }
                await #expect { try await admin.createTopic(NewTopic("taken")) } throws: { error in
                    (error as? KafkaClientError)?.brokerCode == 36
                }
                await #expect { try await admin.createTopic(NewTopic("no/slash")) } throws: { error in
                    (error as? KafkaClientError)?.brokerCode == 17
                }
                func missing(_ body: () async throws(KafkaClientError) -> Void) async -> Bool {
                    await code(body) == .unknownTopic
                }
                #expect(await missing { () async throws(KafkaClientError) in try await admin.deleteTopic("gone") })
                #expect(
                    await missing { () async throws(KafkaClientError) in _ = try await admin.describeTopic("gone") })
                #expect(
                    await missing { () async throws(KafkaClientError) in
                        _ = try await admin.listOffsets([TopicPartition("taken", 9): .latest])
                    })
            }
        }
    }

    @Test func validationChangesNothing() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                try await client.admin.createTopic(NewTopic("maybe", partitions: 2), onlyValidating: true)
                #expect(try await client.admin.listTopics().isEmpty)
            }
        }
    }

    @Test func topicsAreChanged() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let admin = client.admin
                try await admin.createTopic(NewTopic("t", configs: ["retention.ms": "1000"]))
                func config(_ name: String) async throws -> TopicConfig? {
                    try await admin.describeConfigs(ofTopic: "t").first { $0.name == name }
                }
                let before = try await config("retention.ms")
                #expect(before?.value == "1000" && before?.source == .topic && before?.isReadOnly == false)
                #expect(before?.documentation?.isEmpty == false)
                try await admin.alterConfigs(ofTopic: "t", set: ["flush.ms": "7"], onlyValidating: true)
                #expect(try await config("flush.ms")?.source == .default)
                try await admin.alterConfigs(ofTopic: "t", set: ["flush.ms": "7"], delete: ["retention.ms"])
                #expect(try await config("flush.ms")?.value == "7")
                #expect(try await config("retention.ms")?.source == .default)
                await #expect { try await admin.alterConfigs(ofTopic: "t", set: ["x": "1"]) } throws: { error in
                    (error as? KafkaClientError)?.brokerCode == 40
                }
                try await admin.createPartitions(ofTopic: "t", total: 3, onlyValidating: true)
                #expect(try await admin.describeTopic("t").partitions.count == 1)
                try await admin.createPartitions(ofTopic: "t", total: 3)
                #expect(try await admin.describeTopic("t").partitions.count == 3)
                await #expect { try await admin.createPartitions(ofTopic: "t", total: 3) } throws: { error in
                    (error as? KafkaClientError)?.brokerCode == 37
                }
            }
        }
    }

    @Test func recordsAreDeleted() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let producer = try client.producer()
                for _ in 0..<5 { _ = try await producer.send(Record(value: [0]), to: "t") }
                let partition = TopicPartition("t", 0)
                #expect(try await client.admin.deleteRecords(of: partition, before: 3) == 3)
                let first = try await client.admin.listOffsets([partition: .earliest])
                #expect(first[partition]?.offset == 3)
                #expect(try await client.admin.deleteRecords(of: partition, before: nil) == 5)
                #expect(
                    await code { () async throws(KafkaClientError) in
                        _ = try await client.admin.deleteRecords(of: partition, before: 6)
                    } == .offsetOutOfRange)
            }
        }
    }

    @Test func theClusterDescribesItself() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let cluster = try await client.admin.describeCluster()
                #expect(cluster.brokers.map(\.port) == [server.port])
                #expect(cluster.clusterID?.isEmpty == false)
                #expect(cluster.controller == cluster.brokers.first?.id)
            }
        }
    }

    @Test func offsetsAreLookedUp() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let producer = try client.producer()
                for index in 0..<5 {
                    _ = try await producer.send(
                        Record(value: [0], timestampMilliseconds: 1_000_000 + Int64(index)), to: "offsets")
                }
                let partition = TopicPartition("offsets", 0)
                func offset(_ spec: OffsetSpec) async throws -> Int64? {
                    try await client.admin.listOffsets([partition: spec])[partition]?.offset
                }
                #expect(try await offset(.earliest) == 0)
                #expect(try await offset(.latest) == 5)
                #expect(try await offset(.beforeEnd(2)) == 3)
                #expect(try await offset(.offset(77)) == 77)
                #expect(try await offset(.time(milliseconds: 1_000_003)) == 3)
                #expect(try await offset(.time(milliseconds: 2_000_000)) == 5)
            }
        }
    }
}
