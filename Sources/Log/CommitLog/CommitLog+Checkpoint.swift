import Machine
import Synchronization

extension CommitLog {
    /// Writes recovery points, and the producer snapshots that are due; before that it empties the sync journal. Does
    /// nothing if nothing changed.
    public func checkpoint() {
        checkpoint(always: false)
    }

    func checkpoint(always: Bool) {
        checkpoints.withLock { state in
            guard !state.isClosed else { return }
            flusher.retireJournal(all: true)
            let partitions = registry.topics.flatMap(\.partitions)
            guard always || state.isOwed || partitions.contains(where: \.isChangedSinceCheckpoint) else { return }
            let drafts = partitions.compactMap { $0.draftSnapshot(atLeast: context.settings.snapshotIntervalBytes) }
            if !drafts.isEmpty { flushDirty() }
            _ = write(drafts)
            state.isOwed = writeCheckpoint(partitions, isClean: false) != nil
        }
    }

    /// Makes durable what changed of these partitions, which may wait for the disk.
    ///
    /// - Throws: `.storage`, `.noSpace`, `.closed`.
    func store(_ partitions: [Partition]) throws(LogError) {
        try checkpoints.withLock { state throws(LogError) in
            guard !state.isClosed else { throw LogError(.closed, "the log is closed") }
            guard state.isOwed || partitions.contains(where: \.isChangedSinceCheckpoint) else { return }
            let failure = writeCheckpoint(registry.topics.flatMap(\.partitions), isClean: false)
            state.isOwed = failure != nil
            if let failure { throw failure }
        }
    }

    /// Makes durable what must be before the files of expired segments go: what is known of their producers, the names
    /// of the segments that the logs begin with now, and the checkpoint, which says where they begin.
    ///
    /// - Returns: the drafts whose segments may go, and whether each has to be gone durably before the next one, because
    ///   there was no space for the checkpoint: a full disk must not keep retention from making some.
    func prepareRemoval(_ drafts: [SnapshotDraft]) -> (drafts: [SnapshotDraft], inOrder: Bool) {
        checkpoints.withLock { state in
            guard !state.isClosed else { return ([], false) }
            if drafts.contains(where: { !$0.isDue }) { flushDirty() }
            let durable = write(drafts)
            guard !durable.isEmpty else { return ([], false) }
            let failure = writeCheckpoint(registry.topics.flatMap(\.partitions), isClean: false)
            state.isOwed = failure != nil
            guard let failure else { return (durable, false) }
            return failure.code == .noSpace ? (durable, true) : ([], false)
        }
    }

    private func writeCheckpoint(_ partitions: [Partition], isClean: Bool) -> LogError? {
        let checkpoint = Checkpoint(
            isClean: isClean, writtenMilliseconds: context.machine.clock.wallMilliseconds(),
            entries: partitions.map { $0.checkpointEntry(isClosing: isClean) })
        do {
            try checkpoint.write(to: data.checkpoint, inDirectory: data.path, context.files)
            return nil
        } catch {
            // The previous one still holds: recovery points only come later, they never become wrong.
            report(.warning, "cannot write the checkpoint: \(error)")
            return LogError(
                error.code == .noSpace ? .noSpace : .storage, "cannot write \(data.checkpoint)", cause: error)
        }
    }

    func closeDown() {
        checkpoints.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            flushDirty()
            let isJournalEmpty = flusher.closeJournal()
            let partitions = registry.topics.flatMap(\.partitions)
            var wakeUps = WakeUps()
            _ = write(partitions.compactMap { $0.close(&wakeUps) })
            _ = writeCheckpoint(partitions, isClean: isJournalEmpty)
            wakeUps.deliver()
            data.lock.unlock()
        }
    }
}
