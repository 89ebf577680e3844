import Instruments
import KafkaWire
import Log
import Machine
import Synchronization

/// What the timer's thread looks at.
struct GroupTimerState: Sendable {
    var deadlines = GroupDeadlines()
    var isStopping = false
    /// Until when the thread sleeps, in monotonic milliseconds.
    var sleepsUntil = Int64.max
    var isWoken = false
}

/// What time does.
extension GroupCoordinator {
    /// Starts the thread that keeps time: members' sessions, rebalances, old offsets, the size of the topic.
    public func start() {
        thread.withLock { thread in
            guard thread == nil else { return }
            thread = WorkerThread(named: "group-timer") { [weak self] in
                var chores = GroupChores()
                while let self, let pause = self.work(&chores) { self.sleep(pause) }
            }
        }
    }

    /// Answers everybody who waits with NOT_COORDINATOR, and stops the thread. What comes later is answered with
    /// COORDINATOR_NOT_AVAILABLE. Calling it twice is harmless. To be called before the log is closed.
    public func stop() {
        timer.withLock { $0.isStopping = true }
        timer.wake()
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
        for handle in registry.close() {
            _ = change(handle) { cell, effects, now in
                perform(cell.group.die(.notCoordinator), handle, &cell, &effects, now)
                cell.isRemoved = true
            }
        }
    }

    /// Does what is due in every group.
    ///
    /// - Returns: when to come back, in monotonic milliseconds; nil if nothing is to come.
    @discardableResult
    public func expireDue() -> Int64? {
        let now = now()
        while let handle = timer.withLock({ $0.deadlines.takeDue(now: now) }) {
            // `change` does what is due, and sets the next time.
            _ = change(handle) { cell, _, _ in cell.scheduled = .max }
        }
        return timer.withLock { $0.deadlines.first }
    }

    func schedule(_ handle: GroupHandle, _ deadline: Int64) {
        let wakes = timer.withLock { state in
            state.deadlines.set(handle, deadline)
            guard deadline < state.sleepsUntil else { return false }
            state.isWoken = true
            return true
        }
        if wakes { timer.wake() }
    }

    func unschedule(_ handle: GroupHandle) {
        timer.withLock { $0.deadlines.remove(handle) }
    }

    /// - Returns: until when there is nothing to do; nil to stop.
    private func work(_ chores: inout GroupChores) -> Int64? {
        guard !timer.withLock({ $0.isStopping }) else { return nil }
        if chores.takeExpiry(now: now(), every: settings.expiryIntervalMilliseconds) { expireOffsets() }
        if chores.takeRewriting(now: now(), every: settings.rewriteIntervalMilliseconds) { rewriteIfDue() }
        let next = expireDue() ?? .max
        return min(next, chores.next)
    }

    private func sleep(_ until: Int64) {
        let pause = max(0, until - now())
        let isClear = timer.withLock { state in
            // A deadline that came in since the last look is not slept over.
            state.isWoken = (state.deadlines.first ?? .max) < until
            state.sleepsUntil = until
            return !state.isWoken
        }
        if isClear {
            _ = timer.wait(timeoutNanoseconds: UInt64(pause) * 1_000_000) { state in
                state.isWoken || state.isStopping ? true : nil
            }
        }
        timer.withLock { $0.sleepsUntil = .min }
    }

    /// Forgets offsets that are too old, and groups without members or offsets. One pass.
    public func expireOffsets() {
        // A wall clock that jumps a year ahead must not take everybody's offsets.
        let wall = log.retentionMilliseconds()
        for handle in registry.all {
            _ = change(handle) { cell, _, _ in expireOffsets(handle, &cell, wall) }
        }
    }

    private func expireOffsets(_ handle: GroupHandle, _ cell: inout GroupCell, _ wall: Int64) {
        let expired = cell.offsets.expired(
            cell.expiry, now: wall, retention: settings.offsetRetentionMilliseconds)
        let leavesNothing = cell.offsets.places.count == expired.count && cell.offsets.pendingCount == 0
        let forgets = leavesNothing && cell.group.state == .empty && cell.group.pendingMembers.isEmpty
        guard !expired.isEmpty || forgets else { return }
        switch removeOffsets(expired, handle, &cell, withGroup: forgets) {
        case .success:
            expiredOffsets.add(UInt64(expired.count))
            if forgets { forget(handle, &cell) }
        case .failure(let refusal):
            report(.warning, "old offsets of group \"\(handle.id)\" stay: \(refusal.code)")
        }
    }
}

/// When the chores are due, in monotonic milliseconds.
private struct GroupChores {
    private var expiry: Int64?
    private var rewriting: Int64?

    var next: Int64 { min(expiry ?? .max, rewriting ?? .max) }

    mutating func takeExpiry(now: Int64, every interval: Int64) -> Bool { Self.take(&expiry, now, interval) }

    mutating func takeRewriting(now: Int64, every interval: Int64) -> Bool { Self.take(&rewriting, now, interval) }

    private static func take(_ due: inout Int64?, _ now: Int64, _ interval: Int64) -> Bool {
        let isDue = due.map { $0 <= now } ?? false
        if isDue || due == nil { due = now + interval }
        return isDue
    }
}
