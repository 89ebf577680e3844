import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Synchronization

@testable import Groups

/// A log and its groups on a simulated machine. No thread runs: `flush` and `pass` do what threads do.
final class GroupSite {
    let site: Site
    var settings: GroupSettings
    var log: CommitLog
    var groups: GroupCoordinator

    init(seed: UInt64 = 1, _ configure: (inout GroupSettings) -> Void = { _ in }) throws {
        site = Site(seed: seed)
        settings = GroupSettings()
        settings.initialRebalanceDelayMilliseconds = 100
        configure(&settings)
        log = try site.open()
        groups = GroupCoordinator(log: log, settings: settings)
    }

    /// The next process, after however the last one ended.
    func reopen() throws {
        log = try site.open()
        groups = GroupCoordinator(log: log, settings: settings)
    }

    func close() {
        groups.stop()
        log.close()
    }

    func flush() { log.flushDirty() }

    /// Lets time pass, from deadline to deadline.
    func pass(_ milliseconds: Int64) {
        let end = now + milliseconds
        while let next = groups.expireDue(), next <= end {
            site.simulation.advance(milliseconds: max(0, next - now))
            flush()
        }
        site.simulation.advance(milliseconds: max(0, end - now))
    }

    private var now: Int64 { Int64(site.simulation.machine.clock.monotonicNanoseconds() / 1_000_000) }

    func join(
        _ group: String, _ memberID: String = "", client: String = "c", type: String = "consumer",
        metadata: [UInt8] = [], requiresMemberID: Bool = false
    ) -> Answer<GroupJoinAnswer> {
        let answer = Answer<GroupJoinAnswer>()
        let request = GroupJoin(
            groupID: group, member: GroupMemberIdentity(memberID: memberID),
            client: GroupClient(id: client, host: "/h"),
            sessionMilliseconds: 10_000, rebalanceMilliseconds: 60_000, protocolType: type,
            protocols: [GroupProtocol(name: "range", metadata: metadata)], requiresMemberID: requiresMemberID,
            supportsSkippingAssignment: true)
        groups.join(request) { answer.take($0) }
        return answer
    }

    func sync(
        _ group: String, _ memberID: String, _ generation: Int32, _ assignments: [String: [UInt8]] = [:]
    ) -> Answer<GroupSyncAnswer> {
        let answer = Answer<GroupSyncAnswer>()
        let request = GroupSync(
            groupID: group, member: GroupMemberIdentity(memberID: memberID), generation: generation,
            assignments: assignments)
        groups.sync(request) { answer.take($0) }
        return answer
    }

    func commit(
        _ group: String, _ offset: Int64, memberID: String = "", generation: Int32 = -1
    ) -> Answer<[ErrorCode]> {
        commit(group, "t", 0, offset, memberID: memberID, generation: generation)
    }

    func commit(
        _ group: String, _ topic: String, _ partition: Int32, _ offset: Int64, memberID: String = "",
        generation: Int32 = -1, metadata: String = "", retention: Int64? = nil
    ) -> Answer<[ErrorCode]> {
        commit(
            group,
            [
                GroupCommit.Offset(
                    place: GroupTopicPartition(topic: topic, partition: partition), offset: offset,
                    metadata: metadata)
            ], memberID: memberID, generation: generation, retention: retention)
    }

    func commit(
        _ group: String, _ offsets: [GroupCommit.Offset], memberID: String = "", generation: Int32 = -1,
        retention: Int64? = nil
    ) -> Answer<[ErrorCode]> {
        let answer = Answer<[ErrorCode]>()
        let request = GroupCommit(
            groupID: group, member: GroupMemberIdentity(memberID: memberID), generation: generation,
            retentionMilliseconds: retention, offsets: offsets)
        groups.commit(request) { answer.take($0) }
        return answer
    }

    func committed(_ group: String, _ topic: String = "t", _ partition: Int32 = 0) -> Int64? {
        groups.committedOffset(groupID: group, GroupTopicPartition(topic: topic, partition: partition))?.offset
    }

    func delete(_ group: String) -> Answer<ErrorCode> {
        let answer = Answer<ErrorCode>()
        groups.deleteGroup(group) { answer.take($0) }
        return answer
    }

    func deleteOffsets(_ group: String, _ topics: [String]) -> Answer<(ErrorCode, [ErrorCode])> {
        let answer = Answer<(ErrorCode, [ErrorCode])>()
        groups.deleteOffsets(groupID: group, topics.map { GroupTopicPartition(topic: $0, partition: 0) }) {
            answer.take(($0, $1))
        }
        return answer
    }

    /// A stable group with members, each with its own number as assignment.
    func stable(_ group: String, members count: Int, metadata: [UInt8] = []) throws -> [String] {
        let joins = (0..<count).map { join(group, client: "c\($0)", metadata: metadata) }
        pass(200)
        let members = joins.compactMap { $0.value?.memberID }
        var assignments: [String: [UInt8]] = [:]
        for (index, member) in members.enumerated() { assignments[member] = [UInt8(truncatingIfNeeded: index)] }
        guard let leader = joins[0].value else { return [] }
        _ = sync(group, leader.memberID, leader.generation, assignments)
        flush()
        return members
    }
}

/// What came back, which may be once.
final class Answer<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    func take(_ value: Value) { values.withLock { $0.append(value) } }
    var count: Int { values.withLock { $0.count } }
    /// The answer; nil if there is none yet, or if there were several.
    var value: Value? { values.withLock { $0.count == 1 ? $0[0] : nil } }
}

/// A consumer's metadata.
func subscription(_ topics: [String]) -> [UInt8] {
    var subscription = ConsumerProtocolSubscription()
    subscription.topics = topics
    return subscription.encoded()
}
