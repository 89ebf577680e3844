import Instruments
import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Groups

@Suite struct GroupCoordinatorTests {
    @Test func aGroupLivesAndCommits() throws {
        let site = try GroupSite()
        let first = site.join("g", requiresMemberID: true)
        let id = try #require(first.value?.memberID)
        #expect(first.value?.error == .memberIdRequired && id.hasPrefix("c-") && id.count == 2 + 36)
        let join = site.join("g", id, metadata: subscription(["t"]))
        #expect(join.count == 0)
        site.pass(100)
        #expect(join.value?.error == ErrorCode.none && join.value?.leaderID == id && join.value?.generation == 1)
        let sync = site.sync("g", id, 1, [id: [9]])
        #expect(sync.count == 0, "the assignment is not synced")
        site.flush()
        #expect(sync.value?.assignment == [9])
        let commit = site.commit("g", 5, memberID: id, generation: 1)
        #expect(commit.count == 0 && site.committed("g") == nil)
        site.flush()
        #expect(commit.value == [.none] && site.committed("g") == 5)
        let member = GroupMemberIdentity(memberID: id)
        #expect(site.groups.heartbeat(groupID: "g", member: member, generation: 1) == .none)
        #expect(site.commit("g", 6).value == [.unknownMemberId])
        #expect(site.commit("g", 6, memberID: id, generation: 0).value == [.illegalGeneration])
        #expect(site.commit("nobody", 6, memberID: id, generation: 0).value == [.illegalGeneration])
        #expect(site.groups.groups() == [GroupListing(groupID: "g", protocolType: "consumer", state: .stable)])
        #expect(site.groups.describe(groupID: "g")?.members.map(\.assignment) == [[9]])
        let left = site.groups.leave(groupID: "g", members: [member])
        #expect(left.members.map(\.error) == [.none])
        #expect(site.groups.describe(groupID: "g")?.state == .empty)
        #expect(site.groups.rebalances.value == 2 && site.groups.commits.value == 1)
    }

    @Test func whoIsUnknownIsTold() throws {
        let site = try GroupSite()
        let member = GroupMemberIdentity(memberID: "m")
        #expect(site.join("").value?.error == .invalidGroupId)
        #expect(site.join(String(repeating: "g", count: 1_025)).value?.error == .invalidGroupId)
        #expect(site.join("g", "m").value?.error == .unknownMemberId)
        #expect(site.sync("g", "m", 1).value?.error == .unknownMemberId)
        #expect(site.groups.heartbeat(groupID: "g", member: member, generation: 1) == .unknownMemberId)
        #expect(site.groups.leave(groupID: "g", members: [member]).error == .unknownMemberId)
        #expect(site.groups.describe(groupID: "g") == nil && site.committed("g") == nil)
        #expect(site.groups.committedOffsets(groupID: "g").isEmpty)
        #expect(site.delete("g").value == .groupIdNotFound)
        #expect(site.deleteOffsets("g", ["t"]).value?.0 == .groupIdNotFound)
        #expect(site.join("g", type: "").value?.error == .inconsistentGroupProtocol)
        #expect(site.groups.groupCount == 0, "nothing of this leaves a group behind")
        #expect(site.log.topic(named: TopicName.consumerOffsets) == nil, "nor a topic")
    }

    @Test func groupsAndOffsetsAreDeleted() throws {
        let site = try GroupSite()
        let members = try site.stable("g", members: 1, metadata: subscription(["t"]))
        _ = site.commit("g", "t", 0, 1, memberID: members[0], generation: 1)
        _ = site.commit("g", "u", 0, 2, memberID: members[0], generation: 1)
        site.flush()
        #expect(site.delete("g").value == .nonEmptyGroup)
        let deletion = site.deleteOffsets("g", ["t", "u", "v"])
        #expect(deletion.count == 0)
        site.flush()
        #expect(deletion.value?.0 == ErrorCode.none)
        #expect(deletion.value?.1 == [.groupSubscribedToTopic, .none, .none])
        #expect(site.committed("g", "t") == 1 && site.committed("g", "u") == nil)
        _ = site.groups.leave(groupID: "g", members: [GroupMemberIdentity(memberID: members[0])])
        let end = site.delete("g")
        #expect(end.count == 0 && site.groups.groupCount == 0)
        site.flush()
        #expect(end.value == ErrorCode.none)
        let connect = site.join("workers", type: "connect")
        site.pass(100)
        #expect(connect.value?.generation == 1)
        #expect(site.deleteOffsets("workers", ["t"]).value?.0 == .nonEmptyGroup)
        site.close()
        try site.reopen()
        #expect(site.groups.groupCount == 0)
    }

    @Test func aDeletedGroupDoesNotComeBackWithACommitUnderWay() throws {
        let site = try GroupSite()
        let commit = site.commit("g", 1)
        let deletion = site.delete("g")
        let again = site.commit("g", "u", 0, 2)
        site.flush()
        #expect(commit.value == [.none] && deletion.value == ErrorCode.none && again.value == [.none])
        #expect(site.committed("g") == nil && site.committed("g", "u") == 2)
        site.site.simulation.crash()
        try site.reopen()
        #expect(site.committed("g") == nil && site.committed("g", "u") == 2)
    }

    @Test func offsetsOfADeletedTopicAreForgotten() throws {
        let site = try GroupSite()
        for group in ["a", "b"] { for topic in ["t", "u"] { _ = site.commit(group, topic, 0, 1) } }
        site.flush()
        site.groups.forgetTopic("t")
        site.close()
        try site.reopen()
        #expect(site.committed("a", "t") == nil && site.committed("b", "t") == nil && site.committed("b", "u") == 1)
    }

    @Test func whatIsTooMuchIsRefused() throws {
        let site = try GroupSite {
            $0.maximumGroups = 2
            $0.maximumOffsetsPerGroup = 2
            $0.maximumOffsetMetadataBytes = 3
        }
        let offsets = (0..<4 as Range<Int32>).map {
            GroupCommit.Offset(
                place: GroupTopicPartition(topic: "t", partition: $0 % 3), offset: 1, metadata: $0 == 3 ? "four" : "tre"
            )
        }
        let commit = site.commit("a", offsets)
        site.flush()
        #expect(commit.value == [.none, .none, .policyViolation, .offsetMetadataTooLarge])
        let fetched = site.groups.committedOffsets(groupID: "a", offsets.map(\.place))
        #expect(fetched.map { $0?.offset } == [1, 1, nil, 1])
        #expect(site.commit("a", String(repeating: "t", count: 250), 0, 1).value == [.unknownTopicOrPartition])
        #expect(site.commit("a", "t", -1, 1).value == [.unknownTopicOrPartition])
        _ = site.join("b", requiresMemberID: true)
        #expect(site.commit("c", 1).value == [.policyViolation])
        #expect(site.join("c").value?.error == .policyViolation)
        #expect(site.commit("b", "t", 9, 1, metadata: "four").value == [.offsetMetadataTooLarge])
        site.pass(10_000)
        #expect(site.groups.groupCount == 1, "a group whose only member never came back is nothing")
    }

    @Test func oldOffsetsExpire() throws {
        let site = try GroupSite { $0.offsetRetentionMilliseconds = 100_000 }
        let members = try site.stable("g", members: 1, metadata: subscription(["t"]))
        _ = site.commit("g", "t", 0, 1, memberID: members[0], generation: 1)
        _ = site.commit("g", "u", 0, 2, memberID: members[0], generation: 1)
        _ = site.commit("simple", 3)
        _ = site.commit("short", "t", 0, 4, retention: 1_000)
        site.flush()
        for _ in 0..<10 {
            site.pass(9_999)
            let member = GroupMemberIdentity(memberID: members[0])
            #expect(site.groups.heartbeat(groupID: "g", member: member, generation: 1) == .none)
            site.groups.expireOffsets()
        }
        #expect(site.committed("g", "u") == 2 && site.committed("simple") == 3 && site.committed("short") == nil)
        site.pass(10)
        site.groups.expireOffsets()
        #expect(site.committed("g", "t") == 1, "the group reads it")
        #expect(site.committed("g", "u") == nil, "nobody reads it any more")
        #expect(site.groups.groups().map(\.groupID) == ["g"])
        site.pass(10_000)
        #expect(site.groups.describe(groupID: "g")?.state == .empty)
        site.close()
        try site.reopen()
        site.pass(89_000)
        site.groups.expireOffsets()
        #expect(site.committed("g", "t") == 1, "it became empty not long enough ago")
        site.pass(11_001)
        site.groups.expireOffsets()
        #expect(site.groups.groupCount == 0 && site.groups.expiredOffsets.value == 1)
        site.close()
        try site.reopen()
        #expect(site.groups.groupCount == 0)
    }

    @Test func aClockThatJumpsTakesNoOffsets() throws {
        let site = try GroupSite()
        _ = site.commit("g", 1)
        site.flush()
        site.groups.expireOffsets()
        site.site.simulation.jumpWallClock(byMilliseconds: 40_000_000_000)
        site.pass(1_000)
        site.groups.expireOffsets()
        #expect(site.committed("g") == 1)
    }

    @Test func retentionLeavesOffsetsAlone() throws {
        let site = try GroupSite()
        _ = try site.log.createTopic(
            TopicName.consumerOffsets, partitions: 1, configs: ["retention.ms": "1000", "retention.bytes": "0"])
        site.groups = GroupCoordinator(log: site.log, settings: site.settings)
        _ = site.commit("g", 1)
        site.flush()
        site.pass(100_000)
        site.log.enforceRetention()
        #expect(site.groups.topic.partitions.map(\.logStartOffset) == [0])
        site.close()
        try site.reopen()
        #expect(site.committed("g") == 1)
        #expect(TopicName.isInternal(TopicName.consumerOffsets) && !TopicName.isInternal("t"))
    }

    @Test func stoppingAnswersEverybody() throws {
        let site = try GroupSite()
        let members = try site.stable("g", members: 2)
        let join = site.join("g", members[0])
        let commit = site.commit("h", 1)
        site.close()
        #expect(join.value?.error == .notCoordinator && commit.value == [.none])
        #expect(site.join("g").value?.error == .coordinatorNotAvailable)
        #expect(site.commit("g", 1).value == [.coordinatorNotAvailable])
        #expect(site.delete("g").value == .coordinatorNotAvailable)
    }

    @Test func aDiskThatIsFullIsTold() throws {
        let site = try GroupSite()
        _ = try site.stable("g", members: 1)
        _ = site.commit("h", 1)
        site.flush()
        site.site.simulation.inject(SimulatedFault(.noSpace, at: [.write], .from(1)))
        #expect(site.commit("h", 2).value == [.coordinatorNotAvailable])
        #expect(site.delete("h").value == .coordinatorNotAvailable)
        let join = site.join("i")
        site.pass(100)
        let leader = try #require(join.value)
        #expect(site.sync("i", leader.memberID, 1).value?.error == .coordinatorNotAvailable)
        site.site.simulation.clearFaults()
        #expect(site.committed("h") == 1)
        let commit = site.commit("h", 3)
        site.flush()
        #expect(commit.value == [.none] && site.committed("h") == 3)
    }

    @Test func aDiskThatFailsIsTold() throws {
        let site = try GroupSite()
        _ = site.commit("h", 1)
        site.flush()
        site.site.simulation.inject(
            SimulatedFault(.device, at: [.synchronize, .synchronizeVolume, .synchronizeDirectory], .from(1)))
        let commit = site.commit("h", 2)
        site.flush()
        #expect(commit.value == [.coordinatorNotAvailable] && site.committed("h") == 1)
        #expect(site.commit("h", 3).value == [.coordinatorNotAvailable])
    }
}
