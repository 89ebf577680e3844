import Machine

/// The partitions that wait for a sync. Each stands in each list at most once, so the partitions bound it.
final class CommitQueue: Sendable {
    /// The lists of the queue. A partition notes which ones it stands in, so that it enters none twice.
    struct Lists: OptionSet, Sendable {
        let rawValue: UInt8
        /// To be synced when its deadline has come.
        static let lazy = Lists(rawValue: 1)
        /// To be synced with the next round.
        static let urgent = Lists(rawValue: 2)
    }

    /// What a round takes.
    struct Round: Sendable {
        var urgent: [Partition]
        var lazy: [Partition]
        /// Requests that wait for it.
        var requests: Int
    }

    private struct Lazy: Sendable {
        let partition: Partition
        let deadline: UInt64
    }

    private struct State: Sendable {
        var urgent: [Partition] = []
        var lazy: [Lazy] = []
        /// The first deadline in `lazy`.
        var firstDeadline = UInt64.max
        var window = CommitWindow()
        var isStopping = false
        /// Until when the flusher sleeps, in monotonic nanoseconds; 0 while it is awake.
        var sleepsUntil: UInt64 = 0
        var isWoken = false
    }

    private enum Step {
        case run(Round)
        /// Nothing is due for this long; nil: until something comes.
        case pause(nanoseconds: UInt64?)
        case stop
    }

    private let state = Monitor(State())
    private let clock: any Clock

    init(clock: any Clock) {
        self.clock = clock
    }

    /// Partitions that wait.
    var count: Int { state.withLock { $0.urgent.count + $0.lazy.count } }

    /// Requests that wait for the next round.
    var waitingRequests: Int { state.withLock { $0.window.waiting } }

    /// Notes appends that somebody waits for.
    ///
    /// - Parameters:
    ///   - isNew: whether the partition is to be listed; false if it already is.
    ///   - requests: how many wait.
    func addUrgent(_ partition: Partition, isNew: Bool, requests: Int) {
        let now = clock.monotonicNanoseconds()
        let wakes = state.withLock { state in
            if isNew { state.urgent.append(partition) }
            let before = state.window.waiting
            state.window.arrive(requests, now: now)
            let reachesTarget = before < state.window.target && state.window.waiting >= state.window.target
            guard state.sleepsUntil > 0, before == 0 || reachesTarget else { return false }
            state.isWoken = true
            return true
        }
        if wakes { state.wake() }
    }

    /// Notes a partition to be synced within `milliseconds`.
    func addLazy(_ partition: Partition, within milliseconds: Int64) {
        let deadline = clock.monotonicNanoseconds() &+ UInt64(max(0, milliseconds)) &* 1_000_000
        let wakes = state.withLock { state in
            state.lazy.append(Lazy(partition: partition, deadline: deadline))
            state.firstDeadline = min(state.firstDeadline, deadline)
            guard deadline < state.sleepsUntil else { return false }
            state.isWoken = true
            return true
        }
        if wakes { state.wake() }
    }

    /// Everything that waits, at once.
    func takeAll() -> Round {
        state.withLock { state in
            defer { state.urgent = [] }
            return Round(
                urgent: state.urgent, lazy: Self.takeLazy(&state, dueAt: .max), requests: state.window.take())
        }
    }

    /// Partitions that are not due yet, to be synced along with the whole volume.
    func takeLazy() -> [Partition] {
        state.withLock { Self.takeLazy(&$0, dueAt: .max) }
    }

    /// Waits until a round is due, and takes it; nil when the queue was stopped.
    func waitForRound() -> Round? {
        while true {
            let now = clock.monotonicNanoseconds()
            switch state.withLock({ Self.step(&$0, now: now) }) {
            case .run(let round): return round
            case .stop: return nil
            case .pause(let nanoseconds):
                _ = state.wait(timeoutNanoseconds: nanoseconds) { $0.isWoken || $0.isStopping ? true : nil }
            }
        }
    }

    func finish(requests: Int) {
        state.withLock { $0.window.finish(committed: requests) }
    }

    /// Lets `waitForRound` return nil, for ever.
    func stop() {
        state.withLock { $0.isStopping = true }
        state.wake()
    }

    private static func step(_ state: inout State, now: UInt64) -> Step {
        state.sleepsUntil = 0
        state.isWoken = false
        if state.isStopping { return .stop }
        var pause: UInt64?
        if state.window.waiting > 0 {
            guard case .wait(let nanoseconds) = state.window.decide(now: now) else {
                return .run(takeDue(&state, now: now))
            }
            pause = nanoseconds
        } else if !state.lazy.isEmpty {
            guard state.firstDeadline > now else { return .run(takeDue(&state, now: now)) }
            pause = state.firstDeadline - now
        }
        state.sleepsUntil = pause.map { now + $0 } ?? .max
        return .pause(nanoseconds: pause)
    }

    private static func takeDue(_ state: inout State, now: UInt64) -> Round {
        let urgent = state.urgent
        state.urgent.removeAll(keepingCapacity: true)
        return Round(urgent: urgent, lazy: takeLazy(&state, dueAt: now), requests: state.window.take())
    }

    private static func takeLazy(_ state: inout State, dueAt now: UInt64) -> [Partition] {
        guard state.firstDeadline <= now else { return [] }
        var partitions: [Partition] = []
        state.lazy.removeAll { entry in
            guard entry.deadline <= now else { return false }
            partitions.append(entry.partition)
            return true
        }
        state.firstDeadline = state.lazy.lazy.map(\.deadline).min() ?? .max
        return partitions
    }
}
