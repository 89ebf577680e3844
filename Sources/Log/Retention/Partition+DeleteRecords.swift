import Synchronization

extension Partition {
    /// Moves the log's start to `offset`; at once for readers, durably with the next checkpoint. The bytes stay until
    /// `expireDeleted`.
    ///
    /// - Parameter offset: at most the high watermark; -1 stands for it, or for where a view's hold begins. Below the log's start nothing changes.
    /// - Returns: the log's start.
    /// - Throws: `.offsetOutOfRange`; `.viewBehind` beyond a view's hold; `.storage` while the partition is being recovered; `.fenced`, `.damaged`,
    ///   `.closed`, `.unknownTopic`.
    func deleteRecords(before offset: Int64) throws(LogError) -> Int64 {
        try withCore { core throws(LogError) in
            try open(&core)
            if let fence = core.fence { throw fence }
            try checkRecovered(core)
            // "All there is" leaves what a view still needs; a certain offset is refused as long as it does.
            let target = offset == -1 ? removableEnd(core) : offset
            guard target >= 0, target <= core.synced.offset else {
                throw LogError(
                    .offsetOutOfRange,
                    "\(label): cannot delete before offset \(target); the log ends at \(core.synced.offset)")
            }
            guard target > core.state.logStartOffset else { return core.state.logStartOffset }
            let end = removableEnd(core)
            guard target <= end else {
                throw LogError(
                    .viewBehind,
                    "\(label): cannot delete before offset \(target); its view needs the records from \(end) on")
            }
            core.state.advanceStart(to: target)
            core.isChanged = true
            return target
        }
    }

    /// Takes out of the log the segments that end at or before its start. The growing one is sealed first if nothing is
    /// left.
    ///
    /// - Returns: as `expire(now:)`.
    func expireDeleted() throws(LogError) -> SnapshotDraft? {
        try withCore { core throws(LogError) in
            guard core.phase == .open, core.fence == nil else { return nil }
            let isEmpty = core.state.logStartOffset == core.state.logEndOffset
            if core.position > 0, isEmpty, core.synced.offset == core.state.logEndOffset { try seal(&core) }
            core.expired += take(deletedCount(core), &core) { _ in .deletedRecords }
            return draftRemoval(core)
        }
    }

    /// How many segments hold nothing but deleted records.
    func deletedCount(_ core: borrowing PartitionCore) -> Int {
        let start = core.state.logStartOffset
        return zip(core.segments, core.segments.dropFirst()).prefix { segment, next in
            next.baseOffset <= start && !segment.isUnsynced
        }.count
    }
}
