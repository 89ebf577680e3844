import Machine
import Synchronization

extension Partition {
    /// Waits until everything below `offset` is synced.
    ///
    /// - Returns: false if it already is; the waiter is then never called. True if it will be called exactly once,
    ///   which is before this returns if the partition is fenced, deleted or closed.
    public func notifyWhenSynced(upTo offset: Int64, _ waiter: any SyncWaiter) -> Bool {
        var refusal: LogError?
        let isSynced = core.withLock { core in
            if core.synced.offset >= offset { return true }
            refusal = refusalToWait(core)
            if refusal == nil { core.waiters.add(waiter, upTo: offset) }
            return false
        }
        if let refusal { waiter.synced(refusal) }
        return !isSynced
    }

    private func refusalToWait(_ core: borrowing PartitionCore) -> LogError? {
        if core.isSyncLost, let fence = core.fence { return fence }
        return switch core.phase {
        case .cold, .open: nil
        case .closed: LogError(.closed, "\(label): the log is closed")
        case .deleted: LogError(.unknownTopic, "\(label) was deleted")
        }
    }

    /// Takes what is to be synced now; nil if there is nothing.
    func beginSync(takenFrom list: CommitQueue.Lists) -> SyncTarget? {
        core.withLock { core in
            core.queued.remove(list)
            guard core.phase == .open, !core.isSyncLost else { return nil }
            guard !core.unsynced.isEmpty || !core.unsyncedDirectories.isEmpty else { return nil }
            let target = SyncTarget(
                partition: self, end: core.end, files: core.unsynced, directories: core.unsyncedDirectories,
                plainStart: core.isPlainlyDirty ? core.synced : nil)
            core.isCut = false
            for unsynced in core.unsynced { unsynced.segment.isUnsynced = false }
            core.unsynced.removeAll()
            core.unsyncedDirectories.removeAll()
            return target
        }
    }

    /// Publishes the high watermark after a sync, or fences after a failed one.
    func endSync(_ target: SyncTarget, _ error: LogError?, _ wakeUps: inout WakeUps) {
        withCore { core in
            guard core.phase == .open, !core.isSyncLost else { return }
            if let error {
                core.isSyncLost = true
                fence(&core, error)
                discardUnsynced(&core)
                core.waiters.releaseAll(error, into: &wakeUps)
            } else if target.end.offset >= core.synced.offset {
                core.hints.insert(core.synced)
                core.synced = target.end
                core.isChanged = true
                core.waiters.release(upTo: target.end.offset, into: &wakeUps)
            }
        }
    }

    /// Cuts off what a failed sync left in an unknown state: the page cache may still show what the disk does not
    /// hold, and a restart must not take that for durable. Best effort; recovery verifies what it finds. Only what
    /// this process appended goes: what it found may have been promised by an earlier one.
    private func discardUnsynced(_ core: inout PartitionCore) {
        let kept = core.synced.offset >= core.recovered.offset ? core.synced : core.recovered
        for segment in core.segments.reversed() where segment.baseOffset >= kept.segmentBase {
            let position = segment.baseOffset == kept.segmentBase ? kept.position : 0
            do {
                let file = try segment.file()
                if try file.size() > position { try file.truncate(to: position) }
                segment.sizeBytes = min(segment.sizeBytes, position)
            } catch {
                report(.warning, "cannot cut \(segment.path(.log)) to \(position): \(error)")
            }
        }
    }

    /// Calls `waiter` when the high watermark is above `offset`, that is: when a read from `offset` returns something.
    ///
    /// - Returns: nil if it already is (the waiter is never called), else what `cancel` takes.
    /// - Throws: `.overloaded` beyond `LogSettings.maximumReadWaitersPerPartition`; `.unknownTopic`, `.closed`.
    public func notifyWhenReadable(
        beyond offset: Int64, _ waiter: any ReadWaiter
    ) throws(LogError) -> ReadRegistration? {
        try core.withLock { core throws(LogError) in
            try checkPhase(core)
            guard core.synced.offset <= offset else { return nil }
            let limit = context.settings.maximumReadWaitersPerPartition
            guard core.waiters.readCount < limit else {
                throw LogError(.overloaded, "\(label): \(limit) readers already wait")
            }
            return core.waiters.add(waiter, beyond: offset)
        }
    }

    /// Forgets a waiter. Harmless if it was called already; it may be being called right now.
    public func cancel(_ registration: ReadRegistration) {
        core.withLock { $0.waiters.remove(registration) }
    }

    func checkPhase(_ core: borrowing PartitionCore) throws(LogError) {
        switch core.phase {
        case .cold, .open: return
        case .closed: throw LogError(.closed, "\(label): the log is closed")
        case .deleted: throw LogError(.unknownTopic, "\(label) was deleted")
        }
    }
}
