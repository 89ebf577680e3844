import KafkaWire
import Log

/// What time alone does.
extension ConsumerGroup {
    private enum Timer {
        case pending(String)
        case member(String)
        case join(JoinTimer)
        case sync
    }

    /// Nothing happens by itself before this time. It may be too early, never too late; nil: nothing ever will.
    var nextDeadline: Int64? {
        let earliest = min(memberDeadlineFloor, joinTimer?.deadline ?? .max, syncDeadline ?? .max)
        return earliest == .max ? nil : earliest
    }

    /// Does what is due, each thing in the order of its deadline.
    mutating func expire(now: Int64) -> [GroupAction] {
        while let deadline = nextDeadline, deadline <= now, state != .dead {
            for due in dueTimers(now: now) where isSet(due.timer, at: due.deadline) { fire(due.timer, now: now) }
            memberDeadlineFloor = min(
                members.values.reduce(.max) { min($0, $1.deadline ?? .max) },
                pendingMembers.values.reduce(.max, min))
        }
        return takeActions()
    }

    private func dueTimers(now: Int64) -> [(deadline: Int64, timer: Timer)] {
        var due: [(deadline: Int64, order: UInt64, name: String, timer: Timer)] = []
        for (memberID, deadline) in pendingMembers where deadline <= now {
            due.append((deadline, .max, memberID, .pending(memberID)))
        }
        for member in members.values {
            guard let deadline = member.deadline, deadline <= now else { continue }
            due.append((deadline, member.sequence, "", .member(member.id)))
        }
        if let joinTimer, joinTimer.deadline <= now { due.append((joinTimer.deadline, 0, "", .join(joinTimer))) }
        if let syncDeadline, syncDeadline <= now { due.append((syncDeadline, 0, "", .sync)) }
        due.sort { ($0.deadline, $0.order, $0.name) < ($1.deadline, $1.order, $1.name) }
        return due.map { ($0.deadline, $0.timer) }
    }

    /// What fired before may have cancelled or moved it.
    private func isSet(_ timer: Timer, at deadline: Int64) -> Bool {
        switch timer {
        case .pending(let memberID): pendingMembers[memberID] == deadline
        case .member(let memberID): members[memberID]?.deadline == deadline
        case .join(let timer): joinTimer == timer
        case .sync: syncDeadline == deadline
        }
    }

    private mutating func fire(_ timer: Timer, now: Int64) {
        switch timer {
        case .pending(let memberID):
            pendingMembers[memberID] = nil
            if state == .preparingRebalance, hasAllMembersJoined { completeJoin(now: now) }
        case .member(let memberID): sessionPassed(memberID, now: now)
        case .join(let timer): joinTimerPassed(timer, now: now)
        case .sync: syncPassed(now: now)
        }
    }

    private mutating func sessionPassed(_ memberID: String, now: Int64) {
        members[memberID]?.deadline = nil
        guard let member = members[memberID], !member.isExcusedFromHeartbeat else { return }
        remove(memberID, .unknownMemberId)
        switch state {
        case .stable, .completingRebalance: rebalanceOrComplete(now: now)
        case .preparingRebalance: if hasAllMembersJoined { completeJoin(now: now) }
        case .empty, .dead: break
        }
    }

    /// Members that joined but never asked for their assignment are out (KAFKA-10888: they would own partitions).
    private mutating func syncPassed(now: Int64) {
        syncDeadline = nil
        guard state == .completingRebalance || state == .stable, !pendingSyncs.isEmpty else { return }
        for member in orderedMembers where pendingSyncs.contains(member.id) { remove(member.id, .unknownMemberId) }
        prepareRebalance(now: now)
    }
}
