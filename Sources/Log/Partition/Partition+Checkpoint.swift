import Machine
import Synchronization

extension Partition {
    /// Fewer log bytes than these since the last snapshot are not worth one on closing: replaying them costs less
    /// than the three files, which add up with ten thousand partitions.
    static let closingSnapshotBytes: Int64 = 256 << 10

    /// Takes a snapshot, and stores the growing segment's index, if enough was appended since the last one.
    func draftSnapshot(atLeast bytes: Int64) -> SnapshotDraft? {
        core.withLock { core in
            guard core.phase == .open, core.fence == nil, core.bytesSinceSnapshot >= max(bytes, 1) else { return nil }
            return draftSnapshot(&core)
        }
    }

    private func draftSnapshot(_ core: inout PartitionCore) -> SnapshotDraft {
        core.bytesSinceSnapshot = 0
        if let active = core.active {
            // If the segment is sealed at this size, and what sealing stores is lost, this is taken for the whole index:
            // so it names the largest timestamp as that would.
            var builder = core.builder
            builder.finish(endOffset: core.state.logEndOffset)
            storeIndex(of: active, builder, coveredBytes: core.position, from: core.storedIndexEntries)
            core.storedIndexEntries = core.builder.offsets.count
        }
        core.state.removeIdleProducers(
            since: context.monotonicMilliseconds() - context.settings.producerExpirationMilliseconds)
        return SnapshotDraft(partition: self, snapshot: ProducerSnapshot(of: core.state))
    }

    private func storeIndex(of segment: Segment, _ builder: IndexBuilder, coveredBytes: Int64, from first: Int) {
        do {
            try IndexFile.write(
                builder.offsets, from: first, baseOffset: segment.baseOffset, coveredBytes: coveredBytes,
                directory: directory, files: context.files)
            try IndexFile.write(
                builder.times, baseOffset: segment.baseOffset, coveredBytes: coveredBytes, directory: directory,
                files: context.files)
        } catch {
            report(.warning, "cannot store the index of \(segment.path(.log)): \(error)")
        }
    }

    /// Whether the checkpoint on disk differs from what it should know.
    var isChangedSinceCheckpoint: Bool { core.withLock { $0.isChanged } }

    /// What the checkpoint is to know.
    func checkpointEntry(isClosing: Bool) -> CheckpointEntry {
        core.withLock { core in
            if !core.isLoaded {
                // Nothing happened to it, so what was known holds; an unclean one is verified by the next start.
                var entry = checkpoint
                entry.isClean = isClosing ? !isUnclean : checkpoint.isClean
                return entry
            }
            var entry = CheckpointEntry(topicID: topicID, partition: index)
            entry.leaderEpoch = core.state.leaderEpoch
            entry.logStartOffset = core.state.logStartOffset
            entry.recoveryPoint = recoveryPoint(core)
            entry.isClean = isClosing && core.fence == nil && core.isWhollySynced
            entry.epochs = core.state.epochs
            core.isChanged = false
            return entry
        }
    }

    /// Damage does not lower the recovery point: a start must find it again.
    private func recoveryPoint(_ core: PartitionCore) -> LogPosition {
        core.synced.offset >= checkpoint.recoveryPoint.offset ? core.synced : checkpoint.recoveryPoint
    }

    /// Ends the partition's life in this process, after the last flush.
    ///
    /// - Returns: a snapshot, if one is due.
    func close(_ wakeUps: inout WakeUps) -> SnapshotDraft? {
        withCore { core -> SnapshotDraft? in
            defer { end(&core, .closed, LogError(.closed, "\(label): the log is closed"), &wakeUps) }
            guard core.phase == .open, core.fence == nil, let active = core.active else { return nil }
            if core.preallocatedBytes > core.position { releaseReservation(of: active, at: core.position) }
            let interval = min(Self.closingSnapshotBytes, context.settings.snapshotIntervalBytes)
            guard core.bytesSinceSnapshot >= interval else { return nil }
            return draftSnapshot(&core)
        }
    }

    /// Forgets everything: the topic was deleted.
    func delete() {
        var wakeUps = WakeUps()
        withCore { core in end(&core, .deleted, LogError(.unknownTopic, "\(label) was deleted"), &wakeUps) }
        wakeUps.deliver()
    }

    private func end(
        _ core: inout PartitionCore, _ phase: PartitionCore.Phase, _ error: LogError, _ wakeUps: inout WakeUps
    ) {
        guard core.phase != .closed, core.phase != .deleted else { return }
        if core.phase == .open || phase == .deleted { core.phase = phase } else { core.phase = .closed }
        core.waiters.releaseAll(error, into: &wakeUps)
        for segment in core.segments { segment.forgetFiles() }
    }
}
