public import KafkaWire
import Log
import Machine

/// Membership.
extension GroupCoordinator {
    /// JoinGroup. Answered when the rebalance is over, or at once with what is wrong, INVALID_GROUP_ID and
    /// POLICY_VIOLATION (too many groups) included.
    public func join(_ request: GroupJoin, answer: @escaping @Sendable (GroupJoinAnswer) -> Void) {
        if let error = refusal(request.groupID, allowsEmpty: false) {
            return answer(GroupJoinAnswer(error, memberID: request.member.memberID))
        }
        let uuid = newUUID()
        while true {
            let creates = request.member.memberID.isEmpty
            switch lookup(request.groupID, creates: creates, missing: .unknownMemberId) {
            case .refused(let error): return answer(GroupJoinAnswer(error, memberID: request.member.memberID))
            case .handle(let handle):
                let done: Void? = change(handle) { cell, effects, now in
                    let token = cell.takeToken()
                    cell.joins[token] = answer
                    let actions = cell.group.join(request, uuid: uuid, token: token, now: now)
                    perform(actions, handle, &cell, &effects, now)
                }
                if done != nil { return }
            }
        }
    }

    /// SyncGroup. Answered when the leader's assignment is stored, or at once with what is wrong.
    public func sync(_ request: GroupSync, answer: @escaping @Sendable (GroupSyncAnswer) -> Void) {
        if let error = refusal(request.groupID, allowsEmpty: false) { return answer(GroupSyncAnswer(error)) }
        guard let handle = registry.find(request.groupID) else { return answer(GroupSyncAnswer(.unknownMemberId)) }
        let done: Void? = change(handle) { cell, effects, now in
            let token = cell.takeToken()
            cell.syncs[token] = answer
            perform(cell.group.sync(request, token: token, now: now), handle, &cell, &effects, now)
        }
        if done == nil { answer(GroupSyncAnswer(.unknownMemberId)) }
    }

    /// Heartbeat.
    ///
    /// - Returns: NONE, REBALANCE_IN_PROGRESS (join again), or what is wrong with the member.
    public func heartbeat(groupID: String, member: GroupMemberIdentity, generation: Int32) -> ErrorCode {
        if let error = refusal(groupID, allowsEmpty: false) { return error }
        guard let handle = registry.find(groupID) else { return .unknownMemberId }
        return change(handle) { cell, _, now in cell.group.heartbeat(member, generation: generation, now: now) }
            ?? .unknownMemberId
    }

    /// LeaveGroup: members by their id, or static ones by their instance id alone.
    public func leave(groupID: String, members: [GroupMemberIdentity]) -> GroupLeaveAnswer {
        if let error = refusal(groupID, allowsEmpty: false) { return GroupLeaveAnswer(error: error) }
        guard let handle = registry.find(groupID) else { return GroupLeaveAnswer(error: .unknownMemberId) }
        return change(handle) { cell, effects, now in
            let (answer, actions) = cell.group.leave(members, now: now)
            perform(actions, handle, &cell, &effects, now)
            return answer
        } ?? GroupLeaveAnswer(error: .unknownMemberId)
    }

    /// Version 4, as text: what makes a member id unique.
    private func newUUID() -> String {
        let random = log.machine.randomness
        let high = random.next() & ~0xF000 | 0x4000
        let low = random.next() & ~(3 << 62) | 2 << 62
        let digits = [high, low].map { half in
            let text = String(half, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }
}
