import Instruments
import KafkaWire
import Machine
import MillraceTesting
import SimulatedMachine
import Synchronization
import Testing

@testable import Groups
@testable import Log

/// What a restart finds, however the last process ended.
@Suite struct GroupRestartTests {
    @Test(arguments: [true, false])
    func groupsAndOffsetsAreFound(isClean: Bool) throws {
        let site = try GroupSite()
        let members = try site.stable("g", members: 3, metadata: subscription(["t"]))
        _ = site.commit("g", 7, memberID: members[0], generation: 1)
        _ = site.commit("simple", "u", 4, 8, metadata: "note")
        site.flush()
        if isClean { site.close() } else { site.site.simulation.crash() }
        try site.reopen()
        #expect(site.committed("g") == 7)
        let place = GroupTopicPartition(topic: "u", partition: 4)
        #expect(site.groups.committedOffset(groupID: "simple", place)?.metadata == "note")
        let description = try #require(site.groups.describe(groupID: "g"))
        #expect(description.state == .stable && description.generation == 1)
        #expect(description.members.map(\.identity.memberID) == members)
        #expect(description.members.map(\.assignment) == [[0], [1], [2]])
        for member in members {
            let identity = GroupMemberIdentity(memberID: member)
            #expect(site.groups.heartbeat(groupID: "g", member: identity, generation: 1) == .none)
        }
        #expect(site.sync("g", members[2], 1).value?.assignment == [2])
        site.pass(10_000)
        #expect(site.groups.describe(groupID: "g")?.state == .empty, "their sessions count from the start")
    }

    @Test func garbageIsSkippedAndReported() throws {
        let site = try GroupSite()
        _ = site.commit("g", 1)
        site.flush()
        let partition = try #require(site.groups.topic.partitions.first { $0.highWatermark > 0 })
        let index = Int(partition.index)
        func append(_ key: [UInt8]?, _ value: [UInt8]?) throws {
            var batch = try keyedBatch(key, value)
            _ = try batch.withUnsafeMutableBytes { try partition.append($0, durability: .now) }
        }
        try append(nil, [1])
        try append([], [1])
        try append([0, 1, 0, 9], [1])
        try append([0, 9, 0, 0], [1])
        try append(GroupRecord.groupKey("h"), [0, 3, 0])
        try append(GroupRecord.offsetKey("g", GroupTopicPartition(topic: "t", partition: 0)), [0, 77])
        _ = try site.groups.topic.append(
            [OffsetsTopic.Record(key: GroupRecord.groupKey("dead"), value: nil)], to: index, .now)
        _ = site.commit("g", "t", 1, 2)
        site.flush()
        site.close()
        try site.reopen()
        #expect(site.committed("g") == 1 && site.committed("g", "t", 1) == 2)
        #expect(site.groups.groups().map(\.groupID) == ["g"])
        #expect(site.site.messages().count { $0.contains("is skipped") } == 6)
    }

    @Test func aDamagedPartitionIsNotServedAndNotTouched() throws {
        let site = try GroupSite {
            $0.offsetsPartitions = 2
            $0.rewriteBytes = 1
        }
        for round in 0..<50 as Range<Int64> { for group in ["a", "b"] { _ = site.commit(group, round) } }
        site.flush()
        site.close()
        let index = GroupPlacement.partition(of: "a", count: 2)
        #expect(index != GroupPlacement.partition(of: "b", count: 2))
        let path = "/data/log/__consumer_offsets/\(index)/00000000000000000000.log"
        try site.site.overwrite(path, at: 8, with: [0xFF, 0xFF, 0xFF, 0xFF])
        try site.reopen()
        #expect(site.groups.availability(groupID: "a") == .coordinatorNotAvailable)
        #expect(site.groups.availability(groupID: "b") == .none && site.committed("b") == 49)
        #expect(site.commit("a", 1).value == [.coordinatorNotAvailable])
        #expect(site.join("a").value?.error == .coordinatorNotAvailable)
        #expect(site.delete("a").value == .coordinatorNotAvailable)
        site.groups.rewriteIfDue()
        site.flush()
        site.groups.rewriteIfDue()
        #expect(site.groups.topic.partitions[index].logStartOffset == 0)
        #expect(site.site.messages().contains { $0.contains("its groups are not served") })
    }

    @Test func whatCannotBeReadNowIsReadLater() throws {
        let site = try GroupSite()
        _ = site.commit("g", 7)
        site.flush()
        site.close()
        site.log = try site.site.open()
        site.site.simulation.inject(SimulatedFault(.device, at: [.read, .open], .from(1)))
        site.groups = GroupCoordinator(log: site.log, settings: site.settings)
        #expect(site.groups.availability(groupID: "g") == .coordinatorNotAvailable)
        #expect(site.commit("g", 1).value == [.coordinatorNotAvailable])
        site.groups.rewriteIfDue()
        #expect(site.groups.availability(groupID: "g") == .coordinatorNotAvailable)
        site.site.simulation.clearFaults()
        site.groups.rewriteIfDue()
        #expect(site.groups.availability(groupID: "g") == .none && site.committed("g") == 7)
        #expect(site.site.messages().count { $0.contains("not served") } == 1)
    }

    /// Whoever looks every few seconds whether the topic has grown must not open what nobody uses.
    @Test func anIdleTopicIsNotOpened() throws {
        let site = try GroupSite()
        _ = site.commit("g", 7)
        site.flush()
        site.close()
        try site.reopen()
        let isCold = { site.groups.topic.partitions.map { $0.core.withLock { $0.phase == .cold } } }
        let before = isCold()
        #expect(before.count { $0 } == before.count - 1, "only the one that holds a group was read")
        for _ in 0..<3 { site.groups.rewriteIfDue() }
        #expect(isCold() == before)
    }

    @Test func theTopicStaysSmallAndLosesNothing() throws {
        let site = try GroupSite {
            $0.rewriteBytes = 20_000
            $0.offsetsPartitions = 1
        }
        _ = try site.stable("members", members: 2)
        _ = site.commit("once", 1)
        _ = site.commit("gone", 1)
        site.flush()
        _ = site.delete("gone")
        var largest: Int64 = 0
        for round in 1...3_000 as ClosedRange<Int64> {
            _ = site.commit("g\(round % 5)", "t", Int32(round % 3), round)
            if round % 7 == 0 { site.flush() }
            if round % 20 == 0 { site.groups.rewriteIfDue() }
            largest = max(largest, site.groups.topic.partitions[0].sizeBytes)
        }
        site.flush()
        #expect(site.log.statistics.removals[.rewritten]?.segments.value ?? 0 > 0)
        #expect(largest < 40_000 && site.groups.topic.partitions[0].logStartOffset > 2_000)
        let before = (0..<5).map { site.groups.committedOffsets(groupID: "g\($0)") }
        for isClean in [false, true] {
            if isClean { site.close() } else { site.site.simulation.cutPower() }
            try site.reopen()
            #expect((0..<5).map { site.groups.committedOffsets(groupID: "g\($0)") } == before)
            #expect(site.committed("once") == 1 && site.committed("gone") == nil)
            #expect(site.groups.describe(groupID: "members")?.members.count == 2)
        }
    }

    @Test func aFullDiskStopsARewritingAndNothingElse() throws {
        let site = try GroupSite {
            $0.rewriteBytes = 4_000
            $0.offsetsPartitions = 1
        }
        for round in 1...100 as ClosedRange<Int64> { _ = site.commit("g", round) }
        site.flush()
        site.site.simulation.inject(SimulatedFault(.noSpace, at: [.write], .from(1)))
        for _ in 0..<3 { site.groups.rewriteIfDue() }
        #expect(site.site.messages().count { $0.contains("cannot be made smaller") } == 1)
        site.site.simulation.clearFaults()
        site.groups.rewriteIfDue()
        site.flush()
        site.groups.rewriteIfDue()
        #expect(site.groups.topic.partitions[0].logStartOffset > 0 && site.committed("g") == 100)
    }

    /// The process dies in each of its file operations in turn. What was answered is there; what was seen is not
    /// taken back.
    @Test func nothingThatWasAnsweredIsLost() throws {
        let site = try GroupLife(seed: 1)
        site.live()
        let operations = site.operations
        #expect(operations > 100)
        for stop in 1...operations {
            let life = try GroupLife(seed: UInt64(stop))
            life.stop(at: stop)
            life.live()
            life.end(withPowerCut: stop % 3 != 0)
            try life.judge("the end came in operation \(stop)")
            life.live()
            life.end(withPowerCut: true)
            try life.judge("the second end, after operation \(stop)")
        }
    }

    @Test func aLifeIsReproducible() throws {
        let (one, other) = (try GroupLife(seed: 7), try GroupLife(seed: 7))
        for life in [one, other] { life.live() }
        #expect(one.operations == other.operations && one.acknowledged == other.acknowledged)
    }
}

/// A short life of some groups, and what they were promised.
private final class GroupLife {
    private let site: GroupSite
    private let callsBefore: Int
    private var next: Int64 = 1
    /// By group, the largest offset whose commit was answered with NONE, or that was seen.
    private(set) var acknowledged: [String: Int64] = [:]
    /// By group, the largest offset that anybody tried to commit.
    private var attempted: [String: Int64] = [:]
    private var deleted: Set<String> = []
    private var waiting: [(group: String, offset: Int64, answer: Answer<[ErrorCode]>)] = []

    init(seed: UInt64) throws {
        site = try GroupSite(seed: seed) {
            $0.rewriteBytes = 1_500
            $0.offsetsPartitions = 2
        }
        callsBefore = site.site.simulation.calls
    }

    var operations: Int { site.site.simulation.calls - callsBefore }

    func stop(at operation: Int) { site.site.simulation.stop(atOperation: operation) }

    func live() {
        for round in 0..<12 {
            for group in ["a", "b", "c", "d"] { commit(group) }
            site.flush()
            collect()
            // Twice: nothing may go before what was written anew is synced.
            for _ in 0..<2 { site.groups.rewriteIfDue() }
            if round == 5 { site.log.checkpoint() }
            if round % 4 == 3 { delete("victim\(round)") }
            commit("victim\(round + 1)")
        }
        site.flush()
        collect()
    }

    private func commit(_ group: String) {
        let answer = site.commit(group, next)
        attempted[group] = next
        waiting.append((group, next, answer))
        next += 1
    }

    private func delete(_ group: String) {
        let answer = site.delete(group)
        site.flush()
        if answer.value == ErrorCode.none { deleted.insert(group) }
    }

    private func collect() {
        for (group, offset, answer) in waiting where answer.value == [.none] {
            acknowledged[group] = max(acknowledged[group] ?? 0, offset)
        }
        waiting.removeAll { $0.answer.count > 0 }
        for group in attempted.keys {
            if let seen = site.committed(group) { acknowledged[group] = max(acknowledged[group] ?? 0, seen) }
        }
    }

    func end(withPowerCut: Bool) {
        waiting = []
        if withPowerCut { site.site.simulation.cutPower() } else { site.site.simulation.crash() }
        site.site.simulation.clearFaults()
    }

    func judge(_ what: String) throws {
        try site.reopen()
        for (group, offset) in acknowledged where !group.hasPrefix("victim") {
            let found = site.committed(group) ?? -1
            if found < offset || found > attempted[group] ?? 0 {
                Issue.record("\(what): group \(group) has \(found); \(offset) was promised")
            }
        }
        for group in deleted where site.committed(group) != nil {
            Issue.record("\(what): group \(group) was deleted, and is back")
        }
        deleted = []
    }
}
