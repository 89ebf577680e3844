import Groups
import KafkaWire
import Log
import NIOCore
import Testing

@testable import ServeKafka

@Suite struct GroupAdminTests {
    /// A group "busy" with a member, and a group "idle" with an offset of `t`.
    private func withGroups(_ body: (TestBroker, inout WireClient, WireMember) async throws -> Void) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 2, configs: [:])
            try await broker.client { client in
                try await findCoordinator(&client)
                var member = WireMember(group: "busy", instanceID: "i")
                try await member.join(&client)
                _ = try await client.call(member.syncRequest([member.memberID: [7]]), version: 5)
                _ = try await client.call(WireMember(group: "idle").commitRequest("t", [0: 1, 1: 2]), version: 9)
                try await body(broker, &client, member)
            }
        }
    }

    @Test func everyVersionDescribes() async throws {
        try await withGroups { _, client, member in
            for version in DescribeGroupsRequest.versions {
                var request = DescribeGroupsRequest()
                request.groups = ["busy", "idle", "none"]
                let groups = try await client.call(request, version: version).groups
                #expect(groups.map(\.groupId) == ["busy", "idle", "none"])
                #expect(groups.map(\.groupState) == ["Stable", "Empty", "Dead"])
                #expect(groups.map(\.errorCode) == [.none, .none, version >= 6 ? .groupIdNotFound : .none])
                #expect(groups[0].protocolType == "test" && groups[0].protocolData == "range")
                let told = try #require(groups[0].members.first)
                #expect(told.memberId == member.memberID && told.clientId == "test" && told.clientHost == "/127.0.0.1")
                #expect(told.memberMetadata == [1, 2, 3] && told.memberAssignment == [7])
                #expect(version < 4 || told.groupInstanceId == "i")
            }
        }
    }

    @Test func everyVersionLists() async throws {
        try await withGroups { _, client, _ in
            for version in ListGroupsRequest.versions {
                let groups = try await client.call(ListGroupsRequest(), version: version).groups
                #expect(groups.map(\.groupId) == ["busy", "idle"] && groups.map(\.protocolType) == ["test", ""])
                #expect(version < 4 || groups.map(\.groupState) == ["Stable", "Empty"])
                #expect(version < 5 || groups.map(\.groupType) == ["classic", "classic"])
            }
        }
    }

    @Test(arguments: [
        (["Stable"], [], ["busy"]), (["stable", "EMPTY"], [], ["busy", "idle"]), (["Nonsense"], [], []),
        ([], ["Classic"], ["busy", "idle"]), ([], ["consumer"], []), (["Empty"], ["classic", "share"], ["idle"]),
    ])
    func filters(states: [String], types: [String], expected: [String]) async throws {
        try await withGroups { _, client, _ in
            var request = ListGroupsRequest()
            request.statesFilter = states
            request.typesFilter = types
            expectEqual(try await client.call(request, version: 5).groups.map(\.groupId), expected)
        }
    }

    @Test(arguments: DeleteGroupsRequest.versions)
    func everyVersionDeletes(version: Int16) async throws {
        try await withGroups { broker, client, _ in
            var request = DeleteGroupsRequest()
            request.groupsNames = ["busy", "idle", "none"]
            let results = try await client.call(request, version: version).results
            #expect(results.map(\.groupId) == ["busy", "idle", "none"])
            #expect(results.map(\.errorCode) == [.nonEmptyGroup, .none, .groupIdNotFound])
            #expect(broker.groups.groups().map(\.groupID) == ["busy"])
            request.groupsNames = []
            expectEqual(try await client.call(request, version: version).results.isEmpty, true)
        }
    }

    @Test func offsetsAreDeletedOneByOne() async throws {
        try await withGroups { _, client, _ in
            func request(_ group: String, _ topics: [String: [Int32]]) -> OffsetDeleteRequest {
                var request = OffsetDeleteRequest()
                request.groupId = group
                request.topics = topics.sorted { $0.key < $1.key }.map { name, partitions in
                    var topic = OffsetDeleteRequest.OffsetDeleteRequestTopic()
                    topic.name = name
                    topic.partitions = partitions.map { index in
                        var part = OffsetDeleteRequest.OffsetDeleteRequestPartition()
                        part.partitionIndex = index
                        return part
                    }
                    return topic
                }
                return request
            }
            let deleted = try await client.call(request("idle", ["gone": [0], "t": [9, 1]]), version: 0)
            let unknown = ErrorCode.unknownTopicOrPartition
            #expect(deleted.errorCode == .none)
            #expect(deleted.topics.map { $0.partitions.map(\.errorCode) } == [[unknown], [unknown, .none]])
            let left = offsetFetchRequest("idle", nil, version: 9)
            expectEqual(FetchedOffsets(try await client.call(left, version: 9), version: 9).offsets, [0: 1])
            expectEqual(try await client.call(request("none", ["t": [0]]), version: 0).errorCode, .groupIdNotFound)
            expectEqual(try await client.call(request("busy", ["t": [0]]), version: 0).errorCode, .nonEmptyGroup)
        }
    }

    @Test func theCoordinatorIsWhereTheClientConnected() async throws {
        let advertised = KafkaServerSettings.Endpoint(host: "kafka.example", port: 19092)
        for endpoint in [nil, advertised] {
            try await TestBroker.with(settings: { $0.advertised = endpoint }) { broker in
                try await broker.client { client in
                    for version in FindCoordinatorRequest.versions {
                        var request = FindCoordinatorRequest()
                        request.key = "g"
                        request.coordinatorKeys = ["g"]
                        let response = try await client.call(request, version: version)
                        let one = response.coordinators.first
                        let (host, port) = version < 4 ? (response.host, response.port) : (one?.host, one?.port ?? 0)
                        #expect((version < 4 ? response.errorCode : one?.errorCode) == ErrorCode.none)
                        #expect(host == endpoint?.host ?? "127.0.0.1")
                        #expect(port == Int32(endpoint?.port ?? broker.address.port ?? 0))
                    }
                }
            }
        }
    }

    @Test func theTopicOfTheGroupsIsTheBrokersOwn() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                let name = TopicName.consumerOffsets
                var metadata = MetadataRequest()
                var asked = MetadataRequest.MetadataRequestTopic()
                asked.name = name
                metadata.topics = [asked]
                // Nobody but FindCoordinator creates it.
                let before = try await client.call(metadata, version: 12).topics.map(\.errorCode)
                #expect(before == [.unknownTopicOrPartition])
                var creation = CreateTopicsRequest()
                var topic = CreateTopicsRequest.CreatableTopic()
                topic.name = name
                topic.numPartitions = 1
                topic.replicationFactor = 1
                creation.topics = [topic]
                expectEqual(try await client.call(creation, version: 7).topics.map(\.errorCode), [.invalidRequest])
                try await findCoordinator(&client)
                expectEqual(try await client.call(metadata, version: 12).topics.map(\.isInternal), [true])
                for records in [batch(["forged"]), batch(bytes: 100_000)] {
                    let produced = try await client.call(produceRequest(name, records), version: 9)
                    let codes = produced.responses.flatMap(\.partitionResponses).map(\.errorCode)
                    #expect(codes == [.invalidTopicException])
                }
                var deletion = DeleteTopicsRequest()
                deletion.topicNames = [name]
                let deleted = try await client.call(deletion, version: 4).responses.map(\.errorCode)
                #expect(deleted == [.invalidTopicException])
                #expect(broker.log.topic(named: name) != nil)
            }
        }
    }
}
