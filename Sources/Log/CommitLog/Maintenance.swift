import Machine

/// One thread that does chores at intervals.
final class Maintenance: Sendable {
    struct Chore: Sendable {
        /// The interval in milliseconds, which may change: it is asked for whenever any chore was due.
        let every: @Sendable () -> Int64
        let work: @Sendable () -> Void

        init(every milliseconds: Int64, work: @escaping @Sendable () -> Void) {
            self.init(every: { milliseconds }, work: work)
        }

        init(every: @escaping @Sendable () -> Int64, work: @escaping @Sendable () -> Void) {
            self.every = every
            self.work = work
        }

        /// When it is due that was done at `done`.
        func due(after done: UInt64) -> UInt64 {
            done + UInt64(max(0, min(every(), Self.longest))) * 1_000_000
        }

        /// A hundred years: no sum overflows.
        private static let longest: Int64 = 3_153_600_000_000
    }

    private let clock: any Clock
    private let isStopping = Monitor(false)
    private let thread = Monitor<WorkerThread?>(nil)

    init(clock: any Clock) {
        self.clock = clock
    }

    func start(_ chores: [Chore]) {
        let thread = WorkerThread(named: "log-maintenance") { [clock, isStopping] in
            var done = chores.map { _ in clock.monotonicNanoseconds() }
            while let next = zip(chores, done).map({ $0.due(after: $1) }).min() {
                let now = clock.monotonicNanoseconds()
                let pause = next > now ? next - now : 0
                if isStopping.wait(timeoutNanoseconds: pause, until: { $0 ? true : nil }) != nil { return }
                for (index, chore) in chores.enumerated()
                where chore.due(after: done[index]) <= clock.monotonicNanoseconds() {
                    chore.work()
                    done[index] = clock.monotonicNanoseconds()
                }
            }
        }
        self.thread.withLock { $0 = thread }
    }

    /// Waits until the chore at hand is done.
    func stop() {
        isStopping.withLock { $0 = true }
        isStopping.wake()
        let thread = self.thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.join()
    }
}
