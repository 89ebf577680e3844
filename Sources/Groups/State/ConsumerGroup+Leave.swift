import KafkaWire
import Log

/// LeaveGroup, and the end of a group.
extension ConsumerGroup {
    /// Members leave, or an operator sends static members away by their instance id alone.
    ///
    /// - Returns: one result per member, in order; then what follows.
    mutating func leave(
        _ identities: [GroupMemberIdentity], now: Int64
    ) -> (answer: GroupLeaveAnswer, actions: [GroupAction]) {
        guard state != .dead else { return (GroupLeaveAnswer(error: .coordinatorNotAvailable), []) }
        let results = identities.map { GroupLeaveAnswer.Member(identity: $0, error: leave($0)) }
        if results.contains(where: { $0.error == .none }) {
            switch state {
            case .stable, .completingRebalance: rebalanceOrComplete(now: now)
            case .preparingRebalance: completeJoinIfReady(now: now)
            case .empty, .dead: break
            }
        }
        return (GroupLeaveAnswer(error: .none, members: results), takeActions())
    }

    private mutating func leave(_ identity: GroupMemberIdentity) -> ErrorCode {
        var memberID = identity.memberID
        if memberID.isEmpty {
            guard let instanceID = identity.instanceID, let current = staticMembers[instanceID] else {
                return .unknownMemberId
            }
            memberID = current
        } else if pendingMembers[memberID] == nil, let error = check(identity) {
            return error
        }
        remove(memberID, .unknownMemberId)
        return .none
    }

    /// The group is removed, or the coordinator stops: whoever waits is answered.
    mutating func die(_ error: ErrorCode) -> [GroupAction] {
        for member in orderedMembers {
            answerJoin(member.id, GroupJoinAnswer(error, memberID: member.id))
            guard let token = member.syncToken else { continue }
            members[member.id]?.syncToken = nil
            act(.answerSync(token, GroupSyncAnswer(error)))
        }
        transition(to: .dead)
        joinTimer = nil
        syncDeadline = nil
        memberDeadlineFloor = .max
        return takeActions()
    }
}
