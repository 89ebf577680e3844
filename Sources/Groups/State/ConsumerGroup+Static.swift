import KafkaWire
import Log

/// Static members (KIP-345): a process that restarts takes its place again, under a new member id.
extension ConsumerGroup {
    mutating func replaceStatic(
        _ oldID: String, _ newID: String, _ request: GroupJoin, token: UInt64, now: Int64
    ) {
        let leaderBefore = leaderID
        guard let old = rename(oldID, to: newID) else { return }
        restartSession(newID, now: now)
        update(newID, request, token: token)
        switch state {
        case .stable where selectProtocol() == protocolName:
            // Nothing changes for the others: no rebalance. The record must know the new id, or a restart would fence it.
            persist(
                snapshot(),
                then: .staticReturn(
                    StaticReturn(
                        old: old, newID: newID, supportsSkippingAssignment: request.supportsSkippingAssignment,
                        leaderID: leaderBefore)))
        case .stable: rebalanceOrComplete(now: now)
        // The leader may be assigning to the old id right now.
        case .completingRebalance: prepareRebalance(now: now)
        case .preparingRebalance, .empty, .dead: completeJoinIfReady(now: now)
        }
    }

    /// Gives a static member a new id. Whoever waits under the old one is fenced.
    ///
    /// - Returns: the member as it was, waiting for nothing.
    private mutating func rename(_ oldID: String, to newID: String) -> GroupMember? {
        guard var old = members.removeValue(forKey: oldID) else { return nil }
        if let token = old.joinToken {
            awaitingJoinCount -= 1
            act(.answerJoin(token, GroupJoinAnswer(.fencedInstanceId, memberID: oldID)))
        }
        if let token = old.syncToken { act(.answerSync(token, GroupSyncAnswer(.fencedInstanceId))) }
        old.joinToken = nil
        old.syncToken = nil
        var new = GroupMember(
            id: newID, instanceID: old.instanceID, client: old.client, protocolType: old.protocolType,
            sessionMilliseconds: old.sessionMilliseconds, rebalanceMilliseconds: old.rebalanceMilliseconds,
            protocols: old.protocols)
        new.sequence = old.sequence
        new.assignment = old.assignment
        members[newID] = new
        if pendingSyncs.remove(oldID) != nil { pendingSyncs.insert(newID) }
        if leaderID == oldID { leaderID = newID }
        if let instanceID = old.instanceID { staticMembers[instanceID] = newID }
        return old
    }

    /// The record with the new id is durable, or is not.
    mutating func finish(_ comeback: StaticReturn, _ error: ErrorCode, now: Int64) {
        guard members[comeback.newID]?.joinToken != nil, state == .stable else { return }
        guard error == .none else { return undo(comeback, error, now: now) }
        var answer = currentAnswer(comeback.newID)
        if comeback.supportsSkippingAssignment {
            answer.skipsAssignment = leaderID == comeback.newID
        } else {
            // An old client that hears it is the leader would assign. It hears of its predecessor instead, and syncs.
            answer.leaderID = comeback.leaderID ?? ""
            answer.members = []
        }
        answerJoin(comeback.newID, answer)
        restartSession(comeback.newID, now: now)
    }

    private mutating func undo(_ comeback: StaticReturn, _ error: ErrorCode, now: Int64) {
        guard let new = members[comeback.newID] else { return }
        answerJoin(new.id, GroupJoinAnswer(error, memberID: ""))
        _ = rename(new.id, to: comeback.old.id)
        count(new.protocols, -1)
        count(comeback.old.protocols, 1)
        members[comeback.old.id]?.protocols = comeback.old.protocols
        members[comeback.old.id]?.sessionMilliseconds = comeback.old.sessionMilliseconds
        members[comeback.old.id]?.rebalanceMilliseconds = comeback.old.rebalanceMilliseconds
        restartSession(comeback.old.id, now: now)
    }
}
