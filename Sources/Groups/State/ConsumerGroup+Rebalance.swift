import KafkaWire
import Log

/// The phase in which members join.
extension ConsumerGroup {
    /// Begins a rebalance where that is possible; in one that runs, ends the phase if everybody is there.
    mutating func rebalanceOrComplete(now: Int64) {
        switch state {
        case .empty, .completingRebalance, .stable: prepareRebalance(now: now)
        case .preparingRebalance, .dead: completeJoinIfReady(now: now)
        }
    }

    /// Lets everybody join (again).
    mutating func prepareRebalance(now: Int64) {
        if state == .completingRebalance { propagateAssignments([:], .rebalanceInProgress, now: now) }
        pendingSyncs = []
        syncDeadline = nil
        let isInitial = state == .empty
        transition(to: .preparingRebalance)
        guard isInitial else {
            if hasAllMembersJoined { completeJoin(now: now) } else { scheduleCompletion(now: now) }
            return
        }
        let delay = Int64(settings.initialRebalanceDelayMilliseconds)
        isNewMemberAdded = false
        joinTimer = .initial(deadline: now + delay, delay: delay, remaining: max(rebalanceMilliseconds - delay, 0))
    }

    /// The longest that any member wants.
    private var rebalanceMilliseconds: Int64 {
        Int64(members.values.reduce(0) { max($0, $1.rebalanceMilliseconds) })
    }

    private mutating func scheduleCompletion(now: Int64, atLeast minimum: Int64 = 0) {
        joinTimer = .complete(deadline: now + max(rebalanceMilliseconds, minimum))
    }

    /// Ends the phase if everybody joined; not in the first rebalance of an empty group, which lasts its time.
    mutating func completeJoinIfReady(now: Int64) {
        guard state == .preparingRebalance, previousState != .empty, hasAllMembersJoined else { return }
        completeJoin(now: now)
    }

    mutating func joinTimerPassed(_ timer: JoinTimer, now: Int64) {
        joinTimer = nil
        guard state == .preparingRebalance else { return }
        if case .initial(_, let delay, let remaining) = timer, isNewMemberAdded, remaining > 0 {
            isNewMemberAdded = false
            let next = min(Int64(settings.initialRebalanceDelayMilliseconds), remaining)
            joinTimer = .initial(deadline: now + next, delay: next, remaining: max(remaining - delay, 0))
        } else {
            completeJoin(now: now)
        }
    }

    /// Ends the phase: dynamic members that did not come are out, the others get the next generation.
    mutating func completeJoin(now: Int64) {
        joinTimer = nil
        for member in orderedMembers where member.joinToken == nil && !member.isStatic {
            remove(member.id, .unknownMemberId)
        }
        guard electJoinedLeader() || members.isEmpty else {
            // Only static members, and none came: their sessions decide. Members may want no time at all; looking
            // once per second is often enough.
            return scheduleCompletion(now: now, atLeast: 1_000)
        }
        generation = generation == Int32.max ? 1 : generation + 1
        pendingSyncs = []
        guard !members.isEmpty else { return becomeEmpty() }
        protocolName = selectProtocol()
        subscribedTopics = computeSubscribedTopics()
        transition(to: .completingRebalance)
        for member in orderedMembers {
            answerJoin(member.id, currentAnswer(member.id))
            restartSession(member.id, now: now)
            members[member.id]?.isNew = false
            pendingSyncs.insert(member.id)
        }
        syncDeadline = now + rebalanceMilliseconds
    }

    private mutating func becomeEmpty() {
        protocolName = nil
        leaderID = nil
        subscribedTopics = usesConsumerProtocol ? [] : nil
        transition(to: .empty)
        persist(snapshot())
    }

    /// Whether the leader is among those that joined; if it is not, the first that did becomes it.
    private mutating func electJoinedLeader() -> Bool {
        guard let leaderID, let leader = members[leaderID] else { return false }
        if leader.joinToken != nil { return true }
        guard let joined = orderedMembers.first(where: { $0.joinToken != nil }) else { return false }
        self.leaderID = joined.id
        return true
    }
}
