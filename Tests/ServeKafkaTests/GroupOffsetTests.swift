import KafkaWire
import Log
import Testing

@testable import ServeKafka

@Suite struct GroupOffsetTests {
    private let anybody = WireMember()

    @Test(arguments: OffsetFetchRequest.versions)
    func whatWasNeverCommittedIsMinusOne(version: Int16) async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                for isReady in [false, true] {
                    if isReady { try await findCoordinator(&client) }
                    let request = offsetFetchRequest("nobody", "t", id: topic.id, partitions: [0, 9], version: version)
                    let found = FetchedOffsets(try await client.call(request, version: version), version: version)
                    #expect(found.error == .none && found.offsets == [0: -1, 9: -1])
                    #expect(found.errors == [0: .none, 9: .none])
                    if version >= 2 {
                        let all = offsetFetchRequest("nobody", nil, version: version)
                        let found = FetchedOffsets(try await client.call(all, version: version), version: version)
                        #expect(found.error == .none && found.offsets.isEmpty)
                    }
                }
            }
        }
    }

    @Test(arguments: OffsetFetchRequest.versions)
    func nullAsksForEverything(version: Int16) async throws {
        guard version >= 2 else { return }
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 2, configs: [:])
            try await broker.client { client in
                try await findCoordinator(&client)
                _ = try await client.call(anybody.commitRequest("t", [0: 3, 1: 4]), version: 9)
                let request = offsetFetchRequest("g", nil, version: version)
                let found = FetchedOffsets(try await client.call(request, version: version), version: version)
                #expect(found.offsets == [0: 3, 1: 4])
            }
        }
    }

    @Test func severalGroupsAtOnce() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                try await findCoordinator(&client)
                _ = try await client.call(anybody.commitRequest("t", [0: 3]), version: 9)
                var request = offsetFetchRequest("g", "t", version: 8)
                request.groups.append(offsetFetchRequest("other", "t", version: 8).groups[0])
                request.groups.append(
                    offsetFetchRequest(String(repeating: "g", count: 2_000), "t", version: 8).groups[0])
                let groups = try await client.call(request, version: 8).groups
                #expect(groups.map { $0.topics.first?.partitions.first?.committedOffset } == [3, -1, nil])
                #expect(groups.map(\.errorCode) == [.none, .none, .invalidGroupId])
                // Version 1 has no place for a group's error but the partitions.
                let long = offsetFetchRequest(String(repeating: "g", count: 2_000), "t", version: 1)
                let found = FetchedOffsets(try await client.call(long, version: 1), version: 1)
                #expect(found.errors == [0: .invalidGroupId])
            }
        }
    }

    @Test func unknownTopicsAreToldByNameAndByID() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                try await findCoordinator(&client)
                let unknownID = Uuid(randomBits: 1, 2)
                for version in OffsetCommitRequest.versions {
                    let id = version >= 10 ? unknownID : .zero
                    let request = anybody.commitRequest("gone", id: id, [0: 1])
                    let expected = version >= 10 ? ErrorCode.unknownTopicId : .unknownTopicOrPartition
                    let answer = try await client.call(request, version: version).topics
                    #expect(answer.map { $0.partitions.map(\.errorCode) } == [[expected]])
                    #expect(version < 10 || answer.map(\.topicId) == [unknownID])
                }
                let byID = offsetFetchRequest("g", "", id: unknownID, version: 10)
                let found = FetchedOffsets(try await client.call(byID, version: 10), version: 10)
                #expect(found.errors == [0: .unknownTopicId] && found.offsets == [0: -1])
                _ = try await client.call(anybody.commitRequest("", id: topic.id, [0: 8]), version: 10)
                let known = offsetFetchRequest("g", "t", version: 9)
                expectEqual(FetchedOffsets(try await client.call(known, version: 9), version: 9).offsets, [0: 8])
            }
        }
    }

    @Test func commitsOfWhoIsNoMemberAreRefused() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                let early = try await client.call(anybody.commitRequest("t", [0: 1]), version: 9)
                #expect(early.topics.first?.partitions.map(\.errorCode) == [.notCoordinator])
                try await findCoordinator(&client)
                var member = WireMember()
                try await member.join(&client)
                _ = try await client.call(member.syncRequest(), version: 5)
                func code(_ member: WireMember, metadata: String? = nil) async throws -> ErrorCode? {
                    let request = member.commitRequest("t", [0: 1], metadata: metadata)
                    return try await client.call(request, version: 9).topics.first?.partitions.first?.errorCode
                }
                expectEqual(try await code(member), ErrorCode.none)
                expectEqual(try await code(anybody), .unknownMemberId)
                var late = member
                late.generation = 0
                expectEqual(try await code(late), .illegalGeneration)
                late = WireMember(group: "never", memberID: "m", generation: 3)
                expectEqual(try await code(late), .illegalGeneration)
                let long = String(repeating: "m", count: 5_000)
                expectEqual(try await code(member, metadata: long), .offsetMetadataTooLarge)
            }
        }
    }

    @Test func aDeletedTopicTakesItsOffsetsWithIt() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                try await findCoordinator(&client)
                for round in [Int64(1), 2] {
                    _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
                    let request = offsetFetchRequest("g", "t", version: 9)
                    let before = FetchedOffsets(try await client.call(request, version: 9), version: 9)
                    #expect(before.offsets == [0: -1])
                    _ = try await client.call(anybody.commitRequest("t", [0: round]), version: 9)
                    var deletion = DeleteTopicsRequest()
                    deletion.topicNames = ["t"]
                    expectEqual(try await client.call(deletion, version: 4).responses.map(\.errorCode), [.none])
                }
            }
        }
    }
}
