import Groups
import KafkaWire
import Log
import Testing

@testable import ServeKafka

@Suite struct GroupMemberTests {
    /// Every version of every request of a member's life; where an API has fewer, its nearest.
    @Test(arguments: Int16(0)...10)
    func everyVersionOfALife(version: Int16) async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 2, configs: [:])
            try await broker.client { client in
                try await findCoordinator(&client)
                var member = WireMember()
                let joinVersion = JoinGroupRequest.versions.clamping(version)
                let joined = try await member.join(&client, version: joinVersion)
                #expect(joined.errorCode == .none && joined.generationId == 1 && joined.protocolName == "range")
                #expect(member.isLeader && joined.members.map(\.memberId) == [member.memberID])
                #expect(joined.members.first?.metadata == [1, 2, 3])
                #expect(joinVersion < 7 || joined.protocolType == "test")
                #expect(member.memberID.hasPrefix("test-"))

                let syncVersion = SyncGroupRequest.versions.clamping(version)
                let synced = try await client.call(member.syncRequest([member.memberID: [7]]), version: syncVersion)
                #expect(synced.errorCode == .none && synced.assignment == [7])
                #expect(syncVersion < 5 || synced.protocolName == "range")

                let heartbeatVersion = HeartbeatRequest.versions.clamping(version)
                expectEqual(
                    try await client.call(member.heartbeatRequest(), version: heartbeatVersion).errorCode, .none)

                let commitVersion = OffsetCommitRequest.versions.clamping(version)
                let commit = member.commitRequest("t", id: topic.id, [0: 5, 1: 6, 2: 7])
                let committed = try await client.call(commit, version: commitVersion)
                let unknown = ErrorCode.unknownTopicOrPartition
                #expect(committed.topics.first?.partitions.map(\.errorCode) == [.none, .none, unknown])

                let fetchVersion = OffsetFetchRequest.versions.clamping(version)
                let fetch = offsetFetchRequest("g", "t", id: topic.id, partitions: [0, 1, 2], version: fetchVersion)
                let fetched = FetchedOffsets(try await client.call(fetch, version: fetchVersion), version: fetchVersion)
                #expect(fetched.error == .none && fetched.offsets == [0: 5, 1: 6, 2: -1])
                #expect(fetched.metadata == [0: "note", 1: "note", 2: ""])
                #expect(fetched.errors == [0: .none, 1: .none, 2: .none])

                let leaveVersion = LeaveGroupRequest.versions.clamping(version)
                let left = try await client.call(member.leaveRequest(), version: leaveVersion)
                #expect(left.errorCode == .none)
                #expect(leaveVersion < 3 || left.members.map(\.errorCode) == [.none])
                let again = try await client.call(member.leaveRequest(), version: leaveVersion)
                let error = leaveVersion < 3 ? again.errorCode : again.members.first?.errorCode
                #expect(error == .unknownMemberId)
            }
        }
    }

    @Test func newMembersGetTheirIDFirstFromVersion4() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                try await findCoordinator(&client)
                for version in JoinGroupRequest.versions {
                    let member = WireMember(group: "g\(version)")
                    let response = try await client.call(member.joinRequest(), version: version)
                    #expect(response.errorCode == (version < 4 ? .none : .memberIdRequired))
                    #expect(!response.memberId.isEmpty)
                    if version >= 4 { #expect(response.protocolName == (version < 7 ? "" : nil)) }
                }
            }
        }
    }

    /// Version 0 has no rebalance time-out: with -1 the group would throw its members out at once.
    @Test func version0RebalancesWithinTheSession() async throws {
        try await TestBroker.with { broker in
            var first = WireMember()
            var second = WireMember()
            try await WireClient.with(broker.address) { one in
                try await findCoordinator(&one)
                try await first.join(&one, version: 0)
                _ = try await one.call(first.syncRequest(), version: 0)
                let address = broker.address
                let joining = Task {
                    var second = WireMember()
                    _ = try await WireClient.with(address) { try await second.join(&$0, version: 0) }
                    return second
                }
                while try await one.call(first.heartbeatRequest(), version: 0).errorCode == .none {
                    try await Task.sleep(nanoseconds: 5_000_000)
                }
                expectEqual(
                    try await one.call(first.heartbeatRequest(), version: 0).errorCode, .rebalanceInProgress)
                try await first.join(&one, version: 0)
                second = try await joining.value
                #expect(first.generation == 2 && second.generation == 2 && first.members.count == 2)
                #expect(first.isLeader && !second.isLeader && second.members.isEmpty)
            }
        }
    }

    @Test func syncMustNameTheProtocolFromVersion5() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                try await findCoordinator(&client)
                var member = WireMember()
                try await member.join(&client)
                for (type, name) in [(nil, "range"), ("test", nil), ("test", "other"), ("other", "range")] {
                    var request = member.syncRequest()
                    request.protocolType = type
                    request.protocolName = name
                    expectEqual(try await client.call(request, version: 5).errorCode, .inconsistentGroupProtocol)
                }
                expectEqual(try await client.call(member.syncRequest(), version: 5).errorCode, .none)
            }
        }
    }

    @Test func aStaticMemberComesBackAndFencesItsOlderSelf() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                try await findCoordinator(&client)
                var old = WireMember(instanceID: "i")
                try await old.join(&client)
                _ = try await client.call(old.syncRequest([old.memberID: [1]]), version: 5)
                var new = WireMember(instanceID: "i")
                let joined = try await new.join(&client)
                #expect(joined.errorCode == .none && new.generation == old.generation)
                expectEqual(try await client.call(old.heartbeatRequest(), version: 4).errorCode, .fencedInstanceId)
                expectEqual(try await client.call(new.syncRequest(), version: 5).assignment, [1])
                // An operator sends it away by its instance id alone.
                var request = WireMember(instanceID: "i").leaveRequest()
                request.members.append(WireMember(instanceID: "unknown").leaveRequest().members[0])
                let left = try await client.call(request, version: 5)
                #expect(left.errorCode == .none && left.members.map(\.errorCode) == [.none, .unknownMemberId])
                #expect(left.members.map(\.groupInstanceId) == ["i", "unknown"])
            }
        }
    }

    @Test func aMemberThatIsNotHeardIsGone() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                try await findCoordinator(&client)
                var member = WireMember(sessionMilliseconds: 200)
                try await member.join(&client)
                _ = try await client.call(member.syncRequest(), version: 5)
                while broker.groups.describe(groupID: "g")?.state == .stable {
                    try await Task.sleep(nanoseconds: 20_000_000)
                }
                expectEqual(try await client.call(member.heartbeatRequest(), version: 4).errorCode, .unknownMemberId)
            }
        }
    }

    @Test func whatCannotBeServedIsRefused() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                // Nobody asked for the coordinator yet: its topic is not there.
                expectEqual(try await client.call(WireMember().joinRequest(), version: 9).errorCode, .notCoordinator)
                try await findCoordinator(&client)
                var member = WireMember(group: "")
                expectEqual(try await member.join(&client).errorCode, .invalidGroupId)
                member = WireMember(sessionMilliseconds: 1)
                expectEqual(try await member.join(&client).errorCode, .invalidSessionTimeout)
                member = WireMember(memberID: "made-up")
                expectEqual(try await member.join(&client).errorCode, .unknownMemberId)
                expectEqual(try await client.call(member.heartbeatRequest(), version: 4).errorCode, .unknownMemberId)
                expectEqual(try await client.call(member.syncRequest(), version: 5).errorCode, .unknownMemberId)
                member = WireMember(protocols: [])
                expectEqual(try await member.join(&client).errorCode, .inconsistentGroupProtocol)
            }
        }
    }

    /// A client that waits for a rebalance and vanishes leaves a member without anybody behind it, and nothing else.
    @Test func aWaitingClientMayVanish() async throws {
        try await TestBroker.with(groups: { $0.initialRebalanceDelayMilliseconds = 300 }) { broker in
            try await broker.client { client in
                try await findCoordinator(&client)
                try await client.send(WireMember().joinRequest(), version: 0)
            }
            #expect(try await broker.waits(for: "millrace_kafka_connections", toBe: 0))
            while broker.groups.describe(groupID: "g")?.state == .preparingRebalance {
                try await Task.sleep(nanoseconds: 20_000_000)
            }
            try await broker.client { client in
                var member = WireMember()
                let joining = try await client.send(member.joinRequest(), version: 9)
                let asked = try await client.receive(JoinGroupResponse.self, version: 9, correlationID: joining)
                #expect(asked.errorCode == .memberIdRequired)
                member.memberID = asked.memberId
                var request = member.leaveRequest()
                request.members[0].memberId = broker.groups.describe(groupID: "g")?.members[0].identity.memberID ?? ""
                expectEqual(try await client.call(request, version: 5).members.map(\.errorCode), [.none])
                expectEqual(try await member.join(&client).errorCode, .none)
            }
        }
    }

    @Test func stoppingAnswersWhoWaits() async throws {
        try await TestBroker.with(groups: { $0.initialRebalanceDelayMilliseconds = 60_000 }) { broker in
            try await broker.client { client in
                try await findCoordinator(&client)
                let joining = try await client.send(WireMember().joinRequest(), version: 0)
                while broker.groups.describe(groupID: "g")?.state != .preparingRebalance {
                    try await Task.sleep(nanoseconds: 5_000_000)
                }
                broker.groups.stop()
                let answer = try await client.receive(JoinGroupResponse.self, version: 0, correlationID: joining)
                #expect(answer.errorCode == .notCoordinator)
            }
        }
    }
}
