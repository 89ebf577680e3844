import Machine
import Synchronization

extension Partition {
    /// Takes out of the log the segments that are too old or too much, as the topic's configs say. Segments go whole,
    /// oldest first; the growing one is sealed first if it has to go. Nothing at or beyond the high watermark goes, and
    /// nothing that a view still needs.
    ///
    /// - Parameter now: milliseconds, from `RetentionClock`.
    /// - Returns: what has to be durable before their files go, for `CommitLog.remove`; nil if there is nothing to
    ///   remove.
    func expire(now: Int64) throws(LogError) -> SnapshotDraft? {
        // Groups keep their topic small themselves: an old offset there may be the newest of its group.
        guard !TopicName.isInternal(topicName) else { return nil }
        let (configuration, logEndOffset) = (configuration, logEndOffset)
        let isLimited = configuration.retentionMilliseconds >= 0 || configuration.retentionBytes >= 0
        return try withCore { core throws(LogError) in
            guard core.phase == .open || core.phase == .cold && isLimited && logEndOffset > logStartOffset else {
                return nil
            }
            try open(&core)
            core.state.removeIdleProducers(
                since: context.monotonicMilliseconds() - context.settings.producerExpirationMilliseconds)
            guard core.fence == nil else { return nil }
            core.expired += try takeExpired(&core, now: now)
            return draftRemoval(core)
        }
    }

    /// Takes out of the log the segments that end at or before `offset`, which must be synced.
    ///
    /// - Returns: as `expire(now:)`.
    func expire(
        before offset: Int64, _ reason: LogStatistics.RemovalReason
    ) throws(LogError) -> SnapshotDraft? {
        try withCore { core throws(LogError) in
            try open(&core)
            guard core.fence == nil else { return nil }
            let ends = core.segments.dropFirst().map(\.baseOffset)
            let count = zip(core.segments, ends).prefix { segment, end in
                end <= min(offset, removableEnd(core)) && !segment.isUnsynced
            }.count
            core.expired += take(count, &core) { _ in reason }
            return draftRemoval(core)
        }
    }

    /// Without a snapshot, a start would know a producer only by the batches that are left, and take a repetition of one
    /// that is gone for something new.
    func draftRemoval(_ core: borrowing PartitionCore) -> SnapshotDraft? {
        guard !core.expired.isEmpty, let first = core.segments.first else { return nil }
        let snapshot = core.state.producers.count > 0 ? ProducerSnapshot(of: core.state) : nil
        return SnapshotDraft(partition: self, snapshot: snapshot, startOffset: first.baseOffset)
    }

    /// What retention by share of the disk may remove, oldest first, and the bytes of the rest.
    ///
    /// - Parameter seals: whether a growing segment that is synced, and large enough to matter, is sealed first.
    func segmentsForShare(seals: Bool) -> (sealed: [DiskShare.Candidate], growingBytes: Int64) {
        let found = try? withCore { core throws(LogError) in
            try open(&core)
            if seals, core.fence == nil, removableEnd(core) == core.state.logEndOffset,
                core.position >= Self.minimumSealedBytes
            {
                try seal(&core)
            }
            var sealed: [DiskShare.Candidate] = []
            for (segment, next) in zip(core.segments, core.segments.dropFirst()) {
                guard next.baseOffset <= removableEnd(core), !segment.isUnsynced else { break }
                let newest = ageTimestamp(try segment.maxTimestamp(), segment) ?? -1
                sealed.append(
                    DiskShare.Candidate(
                        sizeBytes: segment.sizeBytes, maxTimestamp: newest, endOffset: next.baseOffset))
            }
            return (sealed, size(core) - sealed.reduce(0) { $0 + $1.sizeBytes })
        }
        return found ?? ([], 0)
    }

    /// A growing segment below this size is not sealed by retention by share, in bytes: it would make many files of
    /// little.
    private static let minimumSealedBytes: Int64 = 1 << 20

    /// Begins a new segment behind a wholly synced one.
    func seal(_ core: inout PartitionCore) throws(LogError) {
        try roll(&core)
        core.synced = core.end
        if core.queued.insert(.lazy).inserted {
            context.commits.addLazy(self, within: configuration.flushMilliseconds)
        }
    }

    private func takeExpired(_ core: inout PartitionCore, now: Int64) throws(LogError) -> [Segment] {
        let removableEnd = removableEnd(core)
        let isWhole = removableEnd == core.state.logEndOffset
        if isWhole, core.position > 0, isExpired(core.builder.maxTimestamp, core.active, now) {
            try seal(&core)
        }
        var excess = configuration.retentionBytes < 0 ? 0 : size(core) - configuration.retentionBytes
        var reasons: [LogStatistics.RemovalReason] = []
        let deleted = deletedCount(core)
        for (index, (segment, next)) in zip(core.segments, core.segments.dropFirst()).enumerated() {
            guard next.baseOffset <= removableEnd, !segment.isUnsynced else { break }
            let isTooMuch = configuration.retentionBytes >= 0 && excess >= segment.sizeBytes
            if index >= deleted, !isTooMuch, !isExpired(try segment.maxTimestamp(), segment, now) { break }
            excess -= segment.sizeBytes
            reasons.append(index < deleted ? .deletedRecords : isTooMuch ? .size : .time)
        }
        return take(reasons.count, &core) { reasons[$0] }
    }

    /// Takes the oldest segments out of the log, and counts them.
    func take(
        _ count: Int, _ core: inout PartitionCore, because reason: (Int) -> LogStatistics.RemovalReason
    ) -> [Segment] {
        guard count > 0 else { return [] }
        let removed = Array(core.segments[..<count])
        for (index, segment) in removed.enumerated() { context.statistics.noteRemoval(segment, reason(index)) }
        core.segments.removeFirst(count)
        core.state.advanceStart(to: core.segments[0].baseOffset)
        core.hints.removeAll()
        core.isChanged = true
        return removed
    }

    func size(_ core: borrowing PartitionCore) -> Int64 {
        core.segments.dropLast().reduce(core.position) { $0 + $1.sizeBytes }
    }

    private func isExpired(_ maxTimestamp: Int64, _ segment: Segment?, _ now: Int64) -> Bool {
        guard configuration.retentionMilliseconds >= 0, let segment else { return false }
        guard let newest = ageTimestamp(maxTimestamp, segment) else { return false }
        return newest < now - configuration.retentionMilliseconds
    }

    /// The time by which a segment's age counts, in milliseconds. Records without timestamps are as old as their file,
    /// and so are those of a view whose records carry the times of lines: a line of 1970 stays as long as any other, and
    /// one of 2200 no longer.
    private func ageTimestamp(_ maxTimestamp: Int64, _ segment: Segment) -> Int64? {
        let countsAppends = configuration.view != .none && !configuration.view.usesAppendTime
        guard maxTimestamp < 0 || countsAppends else { return maxTimestamp }
        return try? context.files.information(at: segment.path(.log))?.modifiedMilliseconds
    }

    /// Removes the files of segments that were taken out of the log. Slices that hold a file keep reading. What cannot
    /// be removed is left to the next pass. Retention and deletion may come here at the same time.
    ///
    /// - Parameters:
    ///   - start: only segments before this offset, for which everything was prepared.
    ///   - inOrder: whether each has to be gone durably before the next one, because no checkpoint tells where the log
    ///     begins: a start must then never find an older segment without the ones that followed it.
    /// - Returns: bytes removed.
    func removeExpired(below start: Int64, inOrder: Bool) -> Int64 {
        removals.withLock { _ in
            var removed: Int64 = 0
            for segment in core.withLock({ $0.expired }) where segment.baseOffset < start {
                segment.forgetFiles()
                do {
                    guard try setAside(segment) else { return removed }
                    removed += segment.sizeBytes
                    if inOrder { try context.files.synchronizeDirectory(directory) }
                    for kind in Self.segmentFiles {
                        try context.files.remove(segment.path(kind) + SegmentName.deleted)
                    }
                } catch {
                    report(.warning, "cannot remove \(segment.path(.log)): \(error)")
                    return removed
                }
            }
            return removed
        }
    }

    private static let segmentFiles = [SegmentName.Kind.log, .index, .timeindex]

    /// Renames the files of the oldest expired segment, so that a start never sees half of it. Under the lock: once the
    /// topic is deleted, another one may have files of these names.
    ///
    /// - Returns: false if the partition's files are not its own any more, or in doubt.
    private func setAside(_ segment: Segment) throws(MachineError) -> Bool {
        try core.withLock { core throws(MachineError) in
            guard core.phase == .open, core.fence == nil, core.expired.first === segment else { return false }
            for kind in Self.segmentFiles {
                do throws(MachineError) {
                    try context.files.rename(segment.path(kind), to: segment.path(kind) + SegmentName.deleted)
                } catch  where error.code == .notFound {
                    continue
                }
            }
            core.expired.removeFirst()
            return true
        }
    }
}
