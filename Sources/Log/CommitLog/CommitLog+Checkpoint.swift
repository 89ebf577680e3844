import Machine
import Synchronization

extension CommitLog {
    /// Writes recovery points, and the producer snapshots that are due. Does nothing if nothing changed.
    public func checkpoint() {
        checkpoint(always: false)
    }

    func checkpoint(always: Bool) {
        checkpoints.withLock { state in
            guard !state.isClosed else { return }
            let partitions = registry.topics.flatMap(\.partitions)
            guard always || state.isOwed || partitions.contains(where: \.isChangedSinceCheckpoint) else { return }
            let drafts = partitions.compactMap { $0.draftSnapshot(atLeast: context.settings.snapshotIntervalBytes) }
            if !drafts.isEmpty { flushDirty() }
            for draft in drafts { draft.write(context) }
            state.isOwed = !writeCheckpoint(partitions, isClean: false)
        }
    }

    /// Makes durable what changed of these partitions, which may wait for the disk.
    ///
    /// - Throws: `.storage`, `.closed`.
    func store(_ partitions: [Partition]) throws(LogError) {
        try checkpoints.withLock { state throws(LogError) in
            guard !state.isClosed else { throw LogError(.closed, "the log is closed") }
            guard state.isOwed || partitions.contains(where: \.isChangedSinceCheckpoint) else { return }
            state.isOwed = !writeCheckpoint(registry.topics.flatMap(\.partitions), isClean: false)
            guard !state.isOwed else { throw LogError(.storage, "cannot write \(data.checkpoint)") }
        }
    }

    private func writeCheckpoint(_ partitions: [Partition], isClean: Bool) -> Bool {
        let checkpoint = Checkpoint(
            isClean: isClean, writtenMilliseconds: context.machine.clock.wallMilliseconds(),
            entries: partitions.map { $0.checkpointEntry(isClosing: isClean) })
        do {
            try checkpoint.write(to: data.checkpoint, inDirectory: data.path, context.files)
            return true
        } catch {
            // The previous one still holds: recovery points only come later, they never become wrong.
            report(.warning, "cannot write the checkpoint: \(error)")
            return false
        }
    }

    func closeDown() {
        checkpoints.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            flushDirty()
            let partitions = registry.topics.flatMap(\.partitions)
            var wakeUps = WakeUps()
            for partition in partitions { partition.close(&wakeUps) }
            _ = writeCheckpoint(partitions, isClean: true)
            wakeUps.deliver()
            data.lock.unlock()
        }
    }
}
