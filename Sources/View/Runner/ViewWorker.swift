import Machine
import Synchronization

/// One thread that gives turns to many: whoever asks for a turn gets one, in order of asking; whoever wants to be
/// reminded at a time gets one then. Nobody is polled.
final class ViewWorker: Sendable {
    /// What somebody wants after a turn.
    enum Next: Sendable, Equatable {
        /// Another turn, behind those who wait.
        case again
        /// A turn at this time in milliseconds of the clock that does not jump, or when it asks; nil: when it asks.
        case wait(untilMilliseconds: Int64?)
    }

    /// Somebody who gets turns from one worker, never two at a time.
    final class Seat: Sendable {
        fileprivate let work: @Sendable () -> Next
        private let worker: ViewWorker

        init(at worker: ViewWorker, _ work: @escaping @Sendable () -> Next) {
            self.worker = worker
            self.work = work
        }

        /// Asks for a turn. Any thread, and from a turn, too.
        func request() { worker.request(self) }

        /// Asks to be reminded at a time, or earlier.
        func request(atMilliseconds time: Int64) { worker.request(self, at: time) }

        /// Gets no more turns but the one that may be at hand.
        func leave() { worker.remove(self) }
    }

    private struct State: Sendable {
        var queue: [Seat] = []
        var queued: Set<ObjectIdentifier> = []
        var reminders: [ObjectIdentifier: (time: Int64, seat: Seat)] = [:]
        var isStopping = false

        /// - Returns: whether the seat did not stand in the queue.
        mutating func queue(_ seat: Seat) -> Bool {
            guard queued.insert(ObjectIdentifier(seat)).inserted else { return false }
            queue.append(seat)
            return true
        }

        /// - Returns: whether the worker has to look at the clock earlier than it thought.
        mutating func remind(_ seat: Seat, at time: Int64) -> Bool {
            let id = ObjectIdentifier(seat)
            if let known = reminders[id], known.time <= time { return false }
            let earliest = nextReminder ?? .max
            reminders[id] = (time, seat)
            return time < earliest
        }

        var nextReminder: Int64? { reminders.values.lazy.map(\.time).min() }

        mutating func queueReminders(dueAt now: Int64) {
            for (id, reminder) in reminders where reminder.time <= now {
                reminders[id] = nil
                _ = queue(reminder.seat)
            }
        }
    }

    /// Where those who read in their turns read to. Only the thread takes it, so nobody waits for it.
    let buffer = Mutex(ReadBuffer())
    private let state = Monitor(State())
    private let thread = Monitor<WorkerThread?>(nil)
    private let clock: any Clock
    private let name: String

    init(named name: String, clock: any Clock) {
        self.name = name
        self.clock = clock
    }

    func start() {
        let thread = WorkerThread(named: name) { self.run() }
        self.thread.withLock { $0 = thread }
    }

    /// Waits for the turn at hand; there are no more.
    func stop() {
        state.withLock { $0.isStopping = true }
        state.wake()
        let thread = self.thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.join()
        state.withLock { state in
            state.queue = []
            state.reminders = [:]
        }
    }

    private func request(_ seat: Seat) {
        if state.withLock({ $0.queue(seat) }) { state.wake() }
    }

    private func request(_ seat: Seat, at time: Int64) {
        if state.withLock({ $0.remind(seat, at: time) }) { state.wake() }
    }

    private func remove(_ seat: Seat) {
        state.withLock { state in
            state.queue.removeAll { $0 === seat }
            state.queued.remove(ObjectIdentifier(seat))
            state.reminders[ObjectIdentifier(seat)] = nil
        }
    }

    private var now: Int64 { Int64(clock.monotonicNanoseconds() / 1_000_000) }

    private func run() {
        while let seat = take() {
            switch seat.work() {
            case .again: request(seat)
            case .wait(let time?): request(seat, at: time)
            case .wait(nil): break
            }
        }
    }

    private enum Taken: Sendable {
        case seat(Seat)
        /// A reminder is due earlier than the pause ends.
        case nobodyYet
        case stop
    }

    /// The next one whose turn it is; nil when the worker stops.
    private func take() -> Seat? {
        while true {
            let planned = state.withLock(\.nextReminder) ?? .max
            // At most an hour: a deadline may be the end of time.
            let pause = UInt64(min(max(0, planned == .max ? .max : planned - now), 3_600_000)) * 1_000_000
            let taken = state.wait(timeoutNanoseconds: pause) { state -> Taken? in
                if state.isStopping { return .stop }
                state.queueReminders(dueAt: now)
                guard let first = state.queue.first else {
                    return (state.nextReminder ?? .max) < planned ? .nobodyYet : nil
                }
                state.queue.removeFirst()
                state.queued.remove(ObjectIdentifier(first))
                return .seat(first)
            }
            switch taken {
            case .seat(let seat): return seat
            case .stop: return nil
            case .nobodyYet, nil: continue
            }
        }
    }
}
