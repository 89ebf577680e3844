import Machine
import Synchronization

extension Partition {
    /// Removes segments that are too old or too much, as the topic's configs say. Segments go whole, oldest first;
    /// the growing one is sealed first if it has to go. Nothing at or beyond the high watermark goes.
    ///
    /// - Parameter now: milliseconds, from `RetentionClock`.
    /// - Returns: bytes removed.
    @discardableResult
    func enforceRetention(now: Int64) throws(LogError) -> Int64 {
        // Groups keep their topic small themselves: an old offset there may be the newest of its group.
        guard !TopicName.isInternal(topicName) else { return 0 }
        let (configuration, logEndOffset) = (configuration, logEndOffset)
        let isLimited = configuration.retentionMilliseconds >= 0 || configuration.retentionBytes >= 0
        try withCore { core throws(LogError) in
            guard core.phase == .open || core.phase == .cold && isLimited && logEndOffset > logStartOffset else {
                return
            }
            try open(&core)
            core.state.removeIdleProducers(
                since: context.monotonicMilliseconds() - context.settings.producerExpirationMilliseconds)
            guard core.fence == nil else { return }
            core.expired += try takeExpired(&core, now: now)
        }
        return try removeExpired()
    }

    /// Removes the segments that end at or before `offset`, which must be synced.
    ///
    /// - Returns: bytes removed.
    func discard(before offset: Int64) throws(LogError) -> Int64 {
        try withCore { core throws(LogError) in
            try open(&core)
            guard core.fence == nil else { return }
            let ends = core.segments.dropFirst().map(\.baseOffset)
            let count = zip(core.segments, ends).prefix { segment, end in
                end <= min(offset, core.synced.offset) && !segment.isUnsynced
            }.count
            core.expired += take(count, &core)
        }
        return try removeExpired()
    }

    /// What retention by share of the disk may remove, oldest first, and the bytes of the rest.
    ///
    /// - Parameter seals: whether a growing segment that is synced, and large enough to matter, is sealed first.
    func segmentsForShare(seals: Bool) -> (sealed: [DiskShare.Candidate], growingBytes: Int64) {
        let found = try? withCore { core throws(LogError) in
            try open(&core)
            if seals, core.fence == nil, core.synced.offset == core.state.logEndOffset,
                core.position >= Self.minimumSealedBytes
            {
                try seal(&core)
            }
            var sealed: [DiskShare.Candidate] = []
            for (segment, next) in zip(core.segments, core.segments.dropFirst()) {
                guard next.baseOffset <= core.synced.offset, !segment.isUnsynced else { break }
                let newest = try segment.maxTimestamp()
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

    /// Removes what was taken out of the log. Retention and deletion may come here at the same time.
    ///
    /// - Returns: bytes removed.
    func removeExpired() throws(LogError) -> Int64 {
        try removals.withLock { _ throws(LogError) in
            let removed = core.withLock { $0.expired }
            guard !removed.isEmpty else { return 0 }
            do {
                // The segment that the log now begins with must be found by a start before the ones before it are gone.
                try context.files.synchronizeDirectory(directory)
            } catch {
                throw LogError(.storage, "\(label): segments stay until the next start", cause: error)
            }
            let count = remove(removed)
            core.withLock { $0.expired.removeFirst(count) }
            return removed.prefix(count).reduce(0) { $0 + $1.sizeBytes }
        }
    }

    private func takeExpired(_ core: inout PartitionCore, now: Int64) throws(LogError) -> [Segment] {
        let isWhollySynced = core.synced.offset == core.state.logEndOffset
        if isWhollySynced, core.position > 0, isExpired(core.builder.maxTimestamp, core.active, now) {
            try seal(&core)
        }
        var excess = configuration.retentionBytes < 0 ? 0 : size(core) - configuration.retentionBytes
        var count = 0
        let deleted = deletedCount(core)
        for (index, (segment, next)) in zip(core.segments, core.segments.dropFirst()).enumerated() {
            guard next.baseOffset <= core.synced.offset, !segment.isUnsynced else { break }
            let isTooMuch = configuration.retentionBytes >= 0 && excess >= segment.sizeBytes
            if index >= deleted, !isTooMuch, !isExpired(try segment.maxTimestamp(), segment, now) { break }
            excess -= segment.sizeBytes
            count += 1
        }
        return take(count, &core)
    }

    /// Takes the oldest segments out of the log.
    func take(_ count: Int, _ core: inout PartitionCore) -> [Segment] {
        guard count > 0 else { return [] }
        let removed = Array(core.segments[..<count])
        core.segments.removeFirst(count)
        core.state.advanceStart(to: core.segments[0].baseOffset)
        core.hints.removeAll()
        core.isChanged = true
        return removed
    }

    private func size(_ core: borrowing PartitionCore) -> Int64 {
        core.segments.dropLast().reduce(core.position) { $0 + $1.sizeBytes }
    }

    /// Records without timestamps are as old as their file.
    private func isExpired(_ maxTimestamp: Int64, _ segment: Segment?, _ now: Int64) -> Bool {
        guard configuration.retentionMilliseconds >= 0, let segment else { return false }
        var newest = maxTimestamp
        if newest < 0 {
            let information = try? context.files.information(at: segment.path(.log))
            guard let information else { return false }
            newest = information.modifiedMilliseconds
        }
        return newest < now - configuration.retentionMilliseconds
    }

    /// Removes the files of segments, oldest first, each durably before the next: a start must never find an older
    /// segment without the ones that followed it. Slices that hold a file keep reading.
    ///
    /// - Returns: how many went. What failed, and everything after it, is for the next pass.
    private func remove(_ segments: [Segment]) -> Int {
        for segment in segments {
            segment.closeFiles()
            context.segments.open.closed(segment)
        }
        for (index, segment) in segments.enumerated() {
            do {
                try remove(segment)
            } catch {
                report(.warning, "cannot remove \(segment.path(.log)): \(error)")
                return index
            }
        }
        return segments.count
    }

    /// Renames a segment's files first, so that a start never sees half a segment.
    private func remove(_ segment: Segment) throws(MachineError) {
        let kinds = [SegmentName.Kind.log, .index, .timeindex]
        for kind in kinds where try context.files.information(at: segment.path(kind)) != nil {
            try context.files.rename(segment.path(kind), to: segment.path(kind) + SegmentName.deleted)
        }
        try context.files.synchronizeDirectory(directory)
        for kind in kinds { try context.files.remove(segment.path(kind) + SegmentName.deleted) }
    }
}
