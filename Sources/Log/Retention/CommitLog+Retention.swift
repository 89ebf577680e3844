import Machine
import Synchronization

extension CommitLog {
    /// One pass of retention over every partition.
    public func enforceRetention() {
        let clock = context.machine.clock
        let monotonic = context.monotonicMilliseconds()
        let reading = retentionClock.withLock { $0.read(wall: clock.wallMilliseconds(), monotonic: monotonic) }
        if case .jumped(let milliseconds, let time) = reading {
            report(
                .warning,
                """
                the wall clock jumped ahead by \(milliseconds / 1000) s; retention goes on from \(time) ms and will \
                believe the new time in \(RetentionClock.graceMilliseconds / 60_000) minutes
                """)
        }
        for partition in registry.topics.flatMap(\.partitions) {
            do {
                try partition.enforceRetention(now: reading.time)
            } catch {
                if error.code != .closed, error.code != .unknownTopic { report(.warning, "retention: \(error)") }
            }
        }
    }
}
