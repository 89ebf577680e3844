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
        _ = remove(registry.topics.flatMap(\.partitions).compactMap { expire($0, now: reading.time) })
    }

    private func expire(_ partition: Partition, now: Int64) -> SnapshotDraft? {
        do {
            return try partition.expire(now: now)
        } catch {
            if error.code != .closed, error.code != .unknownTopic { report(.warning, "retention: \(error)") }
            return nil
        }
    }

    /// Removes the files of what has expired. What that depends on is synced for all partitions together, and the
    /// removal itself needs no sync.
    ///
    /// - Returns: bytes removed.
    func remove(_ drafts: [SnapshotDraft]) -> Int64 {
        guard !drafts.isEmpty else { return 0 }
        let removal = prepareRemoval(drafts)
        return removal.drafts.reduce(0) {
            $0 + $1.partition.removeExpired(below: $1.startOffset, inOrder: removal.inOrder)
        }
    }
}
