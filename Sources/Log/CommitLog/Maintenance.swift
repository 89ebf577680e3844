import Machine

/// One thread that does chores at intervals.
final class Maintenance: Sendable {
    struct Chore: Sendable {
        let everyMilliseconds: Int64
        let work: @Sendable () -> Void
    }

    private let clock: any Clock
    private let isStopping = Monitor(false)
    private let thread = Monitor<WorkerThread?>(nil)

    init(clock: any Clock) {
        self.clock = clock
    }

    func start(_ chores: [Chore]) {
        let thread = WorkerThread(named: "log-maintenance") { [clock, isStopping] in
            var due = chores.map { clock.monotonicNanoseconds() + UInt64($0.everyMilliseconds) * 1_000_000 }
            while let next = due.min() {
                let now = clock.monotonicNanoseconds()
                let pause = next > now ? next - now : 0
                if isStopping.wait(timeoutNanoseconds: pause, until: { $0 ? true : nil }) != nil { return }
                for (index, chore) in chores.enumerated() where due[index] <= clock.monotonicNanoseconds() {
                    chore.work()
                    due[index] = clock.monotonicNanoseconds() + UInt64(chore.everyMilliseconds) * 1_000_000
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
