import Machine

extension CommitLog {
    /// Up to so many directories are synced one by one, two syncs each; for more, the volume is: docs/decisions/002.
    static let maximumDirectorySyncs = 8

    /// Writes the snapshots that are due, makes them and their directories durable, and removes older ones.
    ///
    /// - Returns: the drafts whose directories are durable now. A snapshot for which there is no space is left out, so
    ///   that retention can make some.
    func write(_ drafts: [SnapshotDraft]) -> [SnapshotDraft] {
        let isSyncing = drafts.count <= Self.maximumDirectorySyncs || flusher.volume.isInDoubt
        let written = drafts.filter(\.isDue).compactMap { write($0, isSyncing: isSyncing) }
        guard !written.isEmpty else { return [] }
        do {
            if !isSyncing { try flusher.flushVolume() }
        } catch {
            report(.warning, "cannot sync producer snapshots: \(error)")
            return []
        }
        for draft in written { prune(draft) }
        return written
    }

    private func write(_ draft: SnapshotDraft, isSyncing: Bool) -> SnapshotDraft? {
        do {
            try draft.write(isSyncing: isSyncing, context.files)
            return draft
        } catch {
            draft.partition.report(.warning, "cannot write a producer snapshot: \(error)")
            guard error.code == .noSpace, draft.snapshot != nil else { return nil }
            let bare = SnapshotDraft(partition: draft.partition, snapshot: nil, startOffset: draft.startOffset)
            return write(bare, isSyncing: isSyncing)
        }
    }

    private func prune(_ draft: SnapshotDraft) {
        do {
            try draft.prune(context.files)
        } catch {
            draft.partition.report(.warning, "cannot remove old producer snapshots: \(error)")
        }
    }
}
