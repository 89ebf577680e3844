import KafkaWire
import Log

/// SyncGroup, Heartbeat, and whether a commit is welcome.
extension ConsumerGroup {
    /// A member wants its assignment; the leader brings everybody's.
    mutating func sync(_ request: GroupSync, token: UInt64, now: Int64) -> [GroupAction] {
        if let error = refusal(request) {
            act(.answerSync(token, GroupSyncAnswer(error)))
        } else if state == .completingRebalance {
            wait(request, token: token, now: now)
        } else {
            received(request.member.memberID)
            act(.answerSync(token, assignmentAnswer(request.member.memberID)))
        }
        return takeActions()
    }

    private func refusal(_ request: GroupSync) -> ErrorCode? {
        switch state {
        case .dead: return .coordinatorNotAvailable
        case .empty: return .unknownMemberId
        case .preparingRebalance, .completingRebalance, .stable: break
        }
        if let error = check(request.member) { return error }
        guard request.generation == generation else { return .illegalGeneration }
        guard request.protocolType == nil || request.protocolType == protocolType,
            request.protocolName == nil || request.protocolName == protocolName
        else { return .inconsistentGroupProtocol }
        return state == .preparingRebalance ? .rebalanceInProgress : nil
    }

    private mutating func received(_ memberID: String) {
        pendingSyncs.remove(memberID)
        if pendingSyncs.isEmpty { syncDeadline = nil }
    }

    private mutating func wait(_ request: GroupSync, token: UInt64, now: Int64) {
        let memberID = request.member.memberID
        if let older = members[memberID]?.syncToken {
            act(.answerSync(older, GroupSyncAnswer(.rebalanceInProgress)))
        }
        members[memberID]?.syncToken = token
        received(memberID)
        guard leaderID == memberID else { return }
        let snapshot = snapshot(assignments: request.assignments)
        guard snapshot.sizeBytes <= settings.maximumGroupBytes else {
            return finishSync(generation: generation, [:], .messageTooLarge, now: now)
        }
        persist(snapshot, then: .assignment(generation: generation, request.assignments))
    }

    /// The assignment is durable, or is not. In the meantime another rebalance may have begun: then it is void.
    mutating func finishSync(
        generation: Int32, _ assignments: [String: [UInt8]], _ error: ErrorCode, now: Int64
    ) {
        guard state == .completingRebalance, generation == self.generation else { return }
        guard error == .none else {
            propagateAssignments([:], error, now: now)
            return rebalanceOrComplete(now: now)
        }
        // The state first: members hear what a stable group would tell them.
        transition(to: .stable)
        propagateAssignments(assignments, .none, now: now)
    }

    /// Sets everybody's assignment, and tells those that wait.
    mutating func propagateAssignments(_ assignments: [String: [UInt8]], _ error: ErrorCode, now: Int64) {
        for member in orderedMembers {
            members[member.id]?.assignment = assignments[member.id] ?? []
            guard let token = member.syncToken else { continue }
            members[member.id]?.syncToken = nil
            act(.answerSync(token, error == .none ? assignmentAnswer(member.id) : GroupSyncAnswer(error)))
            // While it waited, its session may have passed unnoticed.
            restartSession(member.id, now: now)
        }
    }

    private func assignmentAnswer(_ memberID: String) -> GroupSyncAnswer {
        var answer = GroupSyncAnswer(.none)
        answer.protocolType = protocolType
        answer.protocolName = protocolName
        answer.assignment = members[memberID]?.assignment ?? []
        return answer
    }

    /// A member is alive.
    ///
    /// - Returns: NONE, REBALANCE_IN_PROGRESS (join again), or what is wrong with it.
    mutating func heartbeat(_ identity: GroupMemberIdentity, generation: Int32, now: Int64) -> ErrorCode {
        if state == .dead { return .coordinatorNotAvailable }
        if let error = check(identity) { return error }
        guard generation == self.generation else { return .illegalGeneration }
        restartSession(identity.memberID, now: now)
        return state == .preparingRebalance ? .rebalanceInProgress : .none
    }

    /// Whether offsets may be committed by this member; a welcome commit counts as a heartbeat.
    ///
    /// - Parameter generation: -1 from somebody who is no member (a tool, or a consumer that assigns by itself).
    mutating func admitCommit(_ identity: GroupMemberIdentity, generation: Int32, now: Int64) -> ErrorCode {
        if state == .dead { return .coordinatorNotAvailable }
        if generation < 0, state == .empty { return .none }
        guard generation >= 0 || !identity.memberID.isEmpty || identity.instanceID != nil else {
            return .unknownMemberId
        }
        if let error = check(identity) { return error }
        guard generation == self.generation else { return .illegalGeneration }
        // It has seen this generation, but not its assignment: what it commits may be another's by now.
        guard state != .completingRebalance else { return .rebalanceInProgress }
        restartSession(identity.memberID, now: now)
        return .none
    }
}
