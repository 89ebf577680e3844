import KafkaWire
import Log
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Groups

/// A group under requests that make no sense, from a seed: whatever comes in, each request is answered once, and the
/// group's books agree.
@Suite struct GroupSimulationTests {
    @Test(arguments: SimulationSeeds.chosen(150))
    func booksAgree(seed: UInt64) throws {
        var simulation = GroupSimulation(seed: seed)
        for step in 0..<400 {
            simulation.step()
            if let fault = simulation.fault {
                Issue.record(
                    "seed \(seed), step \(step): \(fault)\n\(simulation.steps.suffix(8).joined(separator: "\n"))")
                return
            }
        }
        simulation.end()
        #expect(simulation.fault == nil, "seed \(seed)")
        #expect(simulation.open.isEmpty, "seed \(seed): never answered")
    }

    @Test func theSameSeedGoesTheSameWay() {
        var one = GroupSimulation(seed: 5)
        var other = GroupSimulation(seed: 5)
        for _ in 0..<300 {
            one.step()
            other.step()
        }
        #expect(one.steps == other.steps && one.group.description == other.group.description)
    }
}

private struct GroupSimulation {
    private(set) var group: ConsumerGroup
    private(set) var steps: [String] = []
    private(set) var fault: String?
    /// Requests without an answer.
    private(set) var open: Set<UInt64> = []
    private var generator: SeededGenerator
    private var now: Int64 = 0
    private var nextToken: UInt64 = 1
    /// Ids that were ever given out.
    private var ids = ["nobody"]
    private var tickets: [UInt64] = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        var settings = GroupSettings()
        settings.initialRebalanceDelayMilliseconds = Int32(seed % 3) * 1_000
        settings.maximumMembers = 6
        group = ConsumerGroup(id: "g", settings: settings)
    }

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    private mutating func identity() -> GroupMemberIdentity {
        let recent = ids.suffix(8)
        let id = pick(6) == 0 ? "" : recent[recent.startIndex + pick(recent.count)]
        return GroupMemberIdentity(memberID: id, instanceID: pick(3) == 0 ? "i\(pick(3))" : nil)
    }

    private mutating func generation() -> Int32 { group.generation - Int32(pick(8) == 0 ? 1 : 0) }

    mutating func step() {
        let choice = pick(12)
        switch choice {
        case 0...3: join()
        case 4...6: sync()
        case 7:
            let (who, when) = (identity(), generation())
            note("heartbeat \(who) \(when): \(group.heartbeat(who, generation: when, now: now))", [])
        case 8:
            let who = [identity(), identity()]
            note("leave \(who)", group.leave(who, now: now).actions)
        case 9: stored()
        case 10: pass(Int64(pick(3_000)))
        default: pass(Int64(pick(20_000)))
        }
        check()
    }

    private mutating func join() {
        let protocols = ["range", "sticky", "own\(pick(2))"].shuffled(using: &generator).prefix(1 + pick(3))
        let who =
            pick(2) == 0
            ? GroupMemberIdentity(memberID: "", instanceID: pick(3) == 0 ? "i\(pick(3))" : nil) : identity()
        let request = GroupJoin(
            groupID: "g", member: who, client: GroupClient(id: "c", host: "/h"),
            sessionMilliseconds: Int32(6_000 + pick(20_000)), rebalanceMilliseconds: Int32(pick(30_000)),
            protocolType: pick(20) == 0 ? "connect" : "consumer",
            protocols: protocols.map { GroupProtocol(name: $0, metadata: [UInt8(pick(3))]) },
            requiresMemberID: pick(2) == 0, supportsSkippingAssignment: pick(2) == 0)
        let token = takeToken()
        note("join \(token) \(who)", group.join(request, uuid: "\(token)", token: token, now: now))
    }

    private mutating func sync() {
        let leader = group.leaderID.map { GroupMemberIdentity(memberID: $0, instanceID: group.members[$0]?.instanceID) }
        let request = GroupSync(
            groupID: "g", member: pick(3) == 0 ? leader ?? identity() : identity(), generation: generation(),
            assignments: ["x": [1]])
        let token = takeToken()
        note("sync \(token) \(request.member)", group.sync(request, token: token, now: now))
    }

    private mutating func stored() {
        guard !tickets.isEmpty else { return }
        let ticket = tickets.remove(at: pick(tickets.count))
        let error: ErrorCode = pick(4) == 0 ? .coordinatorNotAvailable : .none
        note("stored \(ticket) \(error)", group.stored(ticket, error, now: now))
    }

    private mutating func pass(_ milliseconds: Int64) {
        let end = now + milliseconds
        var wakeUps = 0
        while let deadline = group.nextDeadline, deadline <= end {
            now = max(now, deadline)
            note("at \(now)", group.expire(now: now))
            wakeUps += 1
            guard wakeUps < 1_000 else { return fault = "it spins" }
        }
        now = end
    }

    mutating func end() {
        note("die", group.die(.notCoordinator))
    }

    private mutating func takeToken() -> UInt64 {
        defer { nextToken += 1 }
        open.insert(nextToken)
        return nextToken
    }

    private mutating func note(_ step: String, _ actions: [GroupAction]) {
        steps.append("\(now): \(step) → \(group.state) \(actions)")
        for action in actions {
            switch action {
            case .answerJoin(let token, let answer):
                if open.remove(token) == nil { fault = "join \(token) is answered twice" }
                if !answer.memberID.isEmpty { ids.append(answer.memberID) }
            case .answerSync(let token, _): if open.remove(token) == nil { fault = "sync \(token) is answered twice" }
            case .persist(_, let ticket): if let ticket { tickets.append(ticket) }
            }
        }
    }

    private mutating func check() {
        let members = group.members.values
        let waiting = members.count { $0.joinToken != nil }
        if waiting != group.awaitingJoinCount { fault = "\(waiting) wait, \(group.awaitingJoinCount) are counted" }
        let tokens = members.flatMap { [$0.joinToken, $0.syncToken].compactMap(\.self) }
        if Set(tokens) != open { fault = "\(open) are open, \(tokens) are waited for" }
        var support: [String: Int] = [:]
        for member in members { for name in Set(member.protocols.map(\.name)) { support[name, default: 0] += 1 } }
        if support != group.supportCounts { fault = "\(group.supportCounts) is counted, \(support) is so" }
        let statics = Dictionary(
            uniqueKeysWithValues: members.compactMap { member in member.instanceID.map { ($0, member.id) } })
        if statics != group.staticMembers { fault = "static members are \(group.staticMembers), not \(statics)" }
        if members.count + group.pendingMembers.count > 6 { fault = "too many members" }
        if let leader = group.leaderID, group.members[leader] == nil { fault = "the leader is no member" }
        if group.state == .stable || group.state == .completingRebalance {
            if members.isEmpty { fault = "\(group.state) without members" }
            if group.selectProtocol() == nil { fault = "no protocol that all support" }
            if group.leaderID == nil { fault = "no leader" }
        }
        if group.state == .empty, !members.isEmpty { fault = "empty with members" }
        let deadlines = members.compactMap(\.deadline) + group.pendingMembers.values
        if let first = deadlines.min(), group.nextDeadline ?? .max > first { fault = "a deadline is slept over" }
        // A record that is being stored always comes back.
        let isIdle = group.nextDeadline == nil && tickets.isEmpty
        if isIdle, group.state != .empty { fault = "nothing will ever happen in \(group.state)" }
    }
}
