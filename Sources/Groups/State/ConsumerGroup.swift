import KafkaWire
import Log

/// One group of the classic protocol, as a value: requests and time go in, actions come out. It does no I/O, reads no
/// clock, and draws no random numbers. The rules are those of Kafka 4.3's classic group.
///
/// Times are monotonic milliseconds. Files: `+Join`, `+Static`, `+Rebalance`, `+Sync`, `+Leave`, `+Time`, `+Figures`.
struct ConsumerGroup: Sendable {
    /// What ends the phase in which members join.
    enum JoinTimer: Sendable, Equatable {
        /// The first rebalance of an empty group waits for members that start at the same time.
        case initial(deadline: Int64, delay: Int64, remaining: Int64)
        /// Who has not joined again by then is out.
        case complete(deadline: Int64)

        var deadline: Int64 {
            switch self {
            case .initial(let deadline, _, _), .complete(let deadline): deadline
            }
        }
    }

    let id: String
    /// Those that hold now; whoever keeps the group brings them up to date.
    var settings: GroupSettings
    var state = GroupState.empty
    var previousState = GroupState.empty
    var generation: Int32 = 0
    var protocolType: String?
    var protocolName: String?
    var leaderID: String?
    var members: [String: GroupMember] = [:]
    /// Member ids by `group.instance.id`.
    var staticMembers: [String: String] = [:]
    /// Ids that were given out to members that have not joined with them yet, and when they are void.
    var pendingMembers: [String: Int64] = [:]
    /// Members of this generation that have not asked for their assignment yet.
    var pendingSyncs: Set<String> = []
    /// By protocol, how many members offer it.
    var supportCounts: [String: Int] = [:]
    var awaitingJoinCount = 0
    /// Whether a member came during the initial delay, which extends it.
    var isNewMemberAdded = false
    var joinTimer: JoinTimer?
    /// When members that have not asked for their assignment are out.
    var syncDeadline: Int64?
    /// A lower bound of every member's and pending member's deadline. Heartbeats only move deadlines up, so most of
    /// them need no look at the other members.
    var memberDeadlineFloor = Int64.max
    /// What the members of the consumer protocol subscribed to; nil if it is not known.
    var subscribedTopics: Set<String>?
    private var continuations: [UInt64: GroupContinuation] = [:]
    private var nextTicket: UInt64 = 1
    private var nextSequence: UInt64 = 1
    private var actions: [GroupAction] = []

    /// An empty group.
    init(id: String, settings: GroupSettings) {
        self.id = id
        self.settings = settings
    }

    /// Members in the order in which they joined.
    var orderedMembers: [GroupMember] { members.values.sorted { $0.sequence < $1.sequence } }
    var hasAllMembersJoined: Bool { members.count == awaitingJoinCount && pendingMembers.isEmpty }
    /// Whether it is a group of consumers, whose metadata begins with the topics.
    var usesConsumerProtocol: Bool { protocolType == "consumer" }

    mutating func act(_ action: GroupAction) {
        actions.append(action)
    }

    /// What piled up since the last call.
    mutating func takeActions() -> [GroupAction] {
        defer { actions.removeAll() }
        return actions
    }

    mutating func persist(_ snapshot: GroupSnapshot, then continuation: GroupContinuation? = nil) {
        guard let continuation else { return act(.persist(snapshot, ticket: nil)) }
        continuations[nextTicket] = continuation
        act(.persist(snapshot, ticket: nextTicket))
        nextTicket += 1
    }

    /// Tells that what a `.persist` carried is durable (error NONE), or is not and will not be.
    mutating func stored(_ ticket: UInt64, _ error: ErrorCode, now: Int64) -> [GroupAction] {
        switch continuations.removeValue(forKey: ticket) {
        case .assignment(let generation, let assignments):
            finishSync(generation: generation, assignments, error, now: now)
        case .staticReturn(let comeback): finish(comeback, error, now: now)
        case nil: break
        }
        return takeActions()
    }

    mutating func transition(to next: GroupState) {
        previousState = state
        state = next
    }
}

/// Members.
extension ConsumerGroup {
    /// Who is meant, or why nobody is.
    func check(_ identity: GroupMemberIdentity) -> ErrorCode? {
        if let instanceID = identity.instanceID {
            guard let current = staticMembers[instanceID] else { return .unknownMemberId }
            guard current == identity.memberID else { return .fencedInstanceId }
        }
        return members[identity.memberID] == nil ? .unknownMemberId : nil
    }

    mutating func insert(_ member: GroupMember) {
        var member = member
        if member.sequence == 0 {
            member.sequence = nextSequence
            nextSequence += 1
        }
        if members.isEmpty { protocolType = member.protocolType }
        if leaderID == nil { leaderID = member.id }
        if let instanceID = member.instanceID { staticMembers[instanceID] = member.id }
        if member.joinToken != nil { awaitingJoinCount += 1 }
        if let deadline = member.deadline { memberDeadlineFloor = min(memberDeadlineFloor, deadline) }
        count(member.protocols, 1)
        pendingMembers[member.id] = nil
        members[member.id] = member
    }

    /// Takes a member out. Whatever it still waits for is answered with `error`.
    @discardableResult
    mutating func remove(_ memberID: String, _ error: ErrorCode) -> GroupMember? {
        pendingMembers[memberID] = nil
        pendingSyncs.remove(memberID)
        guard let member = members.removeValue(forKey: memberID) else { return nil }
        count(member.protocols, -1)
        if let instanceID = member.instanceID { staticMembers[instanceID] = nil }
        if let token = member.joinToken {
            awaitingJoinCount -= 1
            act(.answerJoin(token, GroupJoinAnswer(error, memberID: "")))
        }
        if let token = member.syncToken { act(.answerSync(token, GroupSyncAnswer(error))) }
        if leaderID == memberID { leaderID = members.values.min { $0.sequence < $1.sequence }?.id }
        return member
    }

    mutating func count(_ protocols: [GroupProtocol], _ change: Int) {
        for name in Set(protocols.map(\.name)) {
            let count = supportCounts[name, default: 0] + change
            supportCounts[name] = count == 0 ? nil : count
        }
    }

    /// Whether a member with these protocols fits in with all others.
    func supports(_ type: String, _ protocols: [GroupProtocol]) -> Bool {
        if state == .empty { return !type.isEmpty && !protocols.isEmpty }
        return type == protocolType && protocols.contains { supportCounts[$0.name, default: 0] == members.count }
    }

    /// The protocol with the most votes of those that everybody supports; of equal ones the first by name.
    func selectProtocol() -> String? {
        let candidates = Set(supportCounts.lazy.filter { $0.value == members.count }.map(\.key))
        var votes: [String: Int] = [:]
        for member in members.values {
            if let name = member.vote(candidates) { votes[name, default: 0] += 1 }
        }
        return votes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    /// Counts the session of a member from now on.
    mutating func restartSession(_ memberID: String, now: Int64) {
        guard let milliseconds = members[memberID]?.sessionMilliseconds else { return }
        setDeadline(memberID, now + Int64(milliseconds))
    }

    mutating func setDeadline(_ memberID: String, _ deadline: Int64) {
        members[memberID]?.deadline = deadline
        memberDeadlineFloor = min(memberDeadlineFloor, deadline)
    }
}
