import Machine
import Synchronization

extension CommitLog {
    /// Writes recovery points, and the producer snapshots that are due.
    public func checkpoint() {
        isClosed.withLock { isClosed in
            guard !isClosed else { return }
            let partitions = registry.topics.flatMap(\.partitions)
            let drafts = partitions.compactMap { $0.draftSnapshot(atLeast: context.settings.snapshotIntervalBytes) }
            if !drafts.isEmpty { flushDirty() }
            for draft in drafts { draft.write(context) }
            writeCheckpoint(partitions, isClean: false)
        }
    }

    private func writeCheckpoint(_ partitions: [Partition], isClean: Bool) {
        let checkpoint = Checkpoint(
            isClean: isClean, writtenMilliseconds: context.machine.clock.wallMilliseconds(),
            entries: partitions.map { $0.checkpointEntry(isClosing: isClean) })
        do {
            try checkpoint.write(to: data.checkpoint, inDirectory: data.path, context.files)
        } catch {
            // The previous one still holds: recovery points only come later, they never become wrong.
            report(.warning, "cannot write the checkpoint: \(error)")
        }
    }

    func closeDown() {
        isClosed.withLock { isClosed in
            guard !isClosed else { return }
            isClosed = true
            flushDirty()
            let partitions = registry.topics.flatMap(\.partitions)
            var wakeUps = WakeUps()
            for partition in partitions { partition.close(&wakeUps) }
            writeCheckpoint(partitions, isClean: true)
            wakeUps.deliver()
            data.lock.unlock()
        }
    }
}
