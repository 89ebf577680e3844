import Machine

/// Opens a partition's files and rebuilds its state: replays headers up to the recovery point, verifies everything
/// after it, and settles what does not verify.
struct PartitionLoader {
    let label: String
    let directory: String
    let intervalBytes: Int
    let context: LogContext
    let checkpoint: CheckpointEntry
    /// Whether there was a checkpoint. Without one, nothing tells what was synced.
    let isKnown: Bool
    let now: Int64

    private(set) var listing: SegmentListing
    private(set) var state: PartitionState
    private(set) var builder: IndexBuilder
    /// Where the sound log ends.
    private(set) var end: LogPosition
    /// Bytes of batches that were replayed, because no snapshot covers them.
    private(set) var replayedBytes: Int64 = 0
    /// Where verification began.
    private(set) var resume: LogPosition
    /// Damage below the recovery point.
    private(set) var damage: LogError?
    /// What was set aside or cut, for the operator.
    private(set) var findings: [String] = []
    /// Whether a file was changed, or holds bytes that may not be synced.
    private(set) var needsSync = false

    var files: any FileSystem { context.files }

    init(
        label: String, directory: String, intervalBytes: Int, checkpoint: CheckpointEntry, isKnown: Bool,
        context: LogContext
    ) throws(LogError) {
        self.label = label
        self.directory = directory
        self.intervalBytes = intervalBytes
        self.context = context
        self.checkpoint = checkpoint
        self.isKnown = isKnown
        now = context.monotonicMilliseconds()
        do {
            listing = try SegmentListing(directory, context.segments)
        } catch {
            throw LogError(.storage, "\(label): cannot list \(directory)", cause: error)
        }
        let start = max(checkpoint.logStartOffset, listing.segments.first?.baseOffset ?? 0)
        state = PartitionState(
            startOffset: start, leaderEpoch: checkpoint.leaderEpoch,
            producerLimit: context.settings.maximumProducersPerPartition)
        builder = IndexBuilder(baseOffset: start, intervalBytes: intervalBytes)
        end = checkpoint.recoveryPoint
        resume = end
    }

    /// Does it all. Damage does not throw; it is told by `damage`.
    mutating func load() throws(LogError) {
        guard let first = listing.segments.first else { return loadNothing() }
        resume = resumePosition(first)
        let snapshot = try newestSnapshot(upTo: resume.offset)
        do {
            try restoreState(snapshot, upTo: resume)
            try listing.removeSegments(below: min(checkpoint.logStartOffset, resume.segmentBase), files)
            if damage == nil { try continueIndex(of: resume) }
            if damage == nil { try verify(from: resume) }
        } catch {
            throw LogError(.storage, "\(label): cannot read \(directory)", cause: error)
        }
        if damage == nil, end.offset < checkpoint.recoveryPoint.offset {
            damage = LogError(
                .damaged,
                """
                \(label): the log ends at offset \(end.offset), but was synced up to \
                \(checkpoint.recoveryPoint.offset)
                """)
        }
        if end.offset > checkpoint.recoveryPoint.offset { needsSync = true }
        if damage != nil { listing.segments.removeAll { $0.baseOffset > end.segmentBase } }
        state.end(at: end.offset)
    }

    private mutating func loadNothing() {
        let known = checkpoint.recoveryPoint.offset
        state.restore(offset: known, epochs: checkpoint.epochs, producers: [], now: now)
        guard known > checkpoint.logStartOffset else { return }
        damage = LogError(.damaged, "\(label): \(directory) holds no segment, but the log reached offset \(known)")
    }

    /// Where verification begins: the recovery point, or what comes closest to it.
    private func resumePosition(_ first: Segment) -> LogPosition {
        let known = checkpoint.recoveryPoint
        if let segment = listing.segments.first(where: { $0.baseOffset == known.segmentBase }) {
            if segment.sizeBytes >= known.position { return known }
            return LogPosition(offset: segment.baseOffset, segmentBase: segment.baseOffset, position: 0)
        }
        // Without the segment: retention went past it, or it was lost, and the one before it is as far as we get.
        let segment = listing.segments.last { $0.baseOffset < known.offset } ?? first
        return LogPosition(offset: segment.baseOffset, segmentBase: segment.baseOffset, position: 0)
    }

    // MARK: Up to the recovery point

    private mutating func restoreState(
        _ snapshot: ProducerSnapshot?, upTo resume: LogPosition
    ) throws(MachineError) {
        var from = listing.segments[0].baseOffset
        if let snapshot {
            // Behind a snapshot that ends before the log begins, batches are missing: what it knows of producers is
            // stale and would refuse their next batch, where an unknown producer may go on.
            let isStale = snapshot.offset < from
            state.restore(
                offset: snapshot.offset, epochs: snapshot.epochs, producers: isStale ? [] : snapshot.producers,
                now: now)
            from = max(from, snapshot.offset)
        }
        for segment in listing.segments where segment.baseOffset <= resume.segmentBase {
            let isLast = segment.baseOffset == resume.segmentBase
            let next = listing.segments.first { $0.baseOffset > segment.baseOffset }
            if !isLast, let next, next.baseOffset <= from { continue }
            try replay(segment, from: from, to: isLast ? resume.position : segment.sizeBytes)
            if damage != nil { return }
        }
        end = resume
    }

    /// Replays the headers of one segment.
    private mutating func replay(_ segment: Segment, from: Int64, to limit: Int64) throws(MachineError) {
        let floor = storedFloor(of: from, in: segment, below: limit)
        guard floor < limit else { return }
        let file = try files.open(segment.path(.log), .read)
        defer { file.close() }
        var scanner = BatchScanner(file, from: floor, to: limit, chunkBytes: 64 << 10)
        var expected: Int64? = floor == 0 ? segment.baseOffset : nil
        while true {
            switch try scanner.next(expecting: expected) {
            case .end: return
            case .batch(let facts, _):
                expected = facts.endOffset
                guard facts.baseOffset >= from else { continue }
                state.replay(facts, now: now)
                replayedBytes += Int64(facts.sizeBytes)
            case .invalid(let position, let reason):
                end = LogPosition(
                    offset: max(state.logEndOffset, segment.baseOffset), segmentBase: segment.baseOffset,
                    position: position)
                damage = LogError(.damaged, "\(label): \(segment.path(.log)) at \(position): \(reason)")
                return
            }
        }
    }

    /// The newest snapshot that verifies and lies at or before `offset`. Those after it are of no use any more. One that
    /// cannot be read now may verify later: without it, producers whose batches retention has removed would be forgotten.
    private func newestSnapshot(upTo offset: Int64) throws(LogError) -> ProducerSnapshot? {
        for place in listing.snapshots.reversed() {
            let path = directory + "/" + SegmentName.file(place, .snapshot)
            guard place <= offset else {
                try? files.remove(path)
                continue
            }
            do throws(LogError) {
                guard let bytes = try WholeFile.read(path, files) else { continue }
                let snapshot = try ProducerSnapshot(decoding: bytes, path: path)
                if snapshot.offset == place { return snapshot }
            } catch {
                if error.code != .damaged { throw error }
            }
        }
        return nil
    }

    /// A batch boundary at or before `offset`, from the segment's index file if that can be trusted.
    private func storedFloor(of offset: Int64, in segment: Segment, below limit: Int64) -> Int64 {
        guard offset > segment.baseOffset, let stored = storedOffsets(of: segment) else { return 0 }
        let relative = offset - segment.baseOffset
        let entry = stored.last { Int64($0.relativeOffset) <= relative && Int64($0.position) < limit }
        guard let entry, begins(at: entry, segment) else { return 0 }
        return Int64(entry.position)
    }

    private func storedOffsets(of segment: Segment) -> SparseIndex<OffsetEntry>? {
        let view = try? IndexFile.read(
            OffsetEntry.self, baseOffset: segment.baseOffset, directory: directory, files: files)
        return view.map { .mapped($0) }
    }

    /// Whether a batch with the entry's offset begins where the entry says.
    private func begins(at entry: OffsetEntry, _ segment: Segment) -> Bool {
        guard let file = try? files.open(segment.path(.log), .read) else { return false }
        defer { file.close() }
        var scanner = BatchScanner(file, from: Int64(entry.position), to: segment.sizeBytes)
        guard case .batch(let facts, _) = try? scanner.next() else { return false }
        return facts.baseOffset == segment.baseOffset + Int64(entry.relativeOffset)
    }

    // MARK: The growing segment's index

    /// Takes the index entries before the recovery point from the files, as far as these verify, and adds the rest.
    private mutating func continueIndex(of resume: LogPosition) throws(MachineError) {
        guard let segment = listing.segments.first(where: { $0.baseOffset == resume.segmentBase }) else { return }
        builder = storedBuilder(of: segment, below: resume.position)
        let file = try files.open(segment.path(.log), .read)
        defer { file.close() }
        let from = Int64(builder.offsets.last?.position ?? 0)
        var scanner = BatchScanner(file, from: from, to: resume.position, chunkBytes: 64 << 10)
        var next = builder.lastOffset ?? segment.baseOffset
        while true {
            switch try scanner.next(expecting: next) {
            case .end: return
            case .batch(let facts, let position):
                next = facts.endOffset
                builder.add(
                    offset: facts.baseOffset, sizeBytes: facts.sizeBytes, maxTimestamp: facts.maxTimestamp,
                    position: position)
            case .invalid(let position, let reason):
                damage = LogError(.damaged, "\(label): \(segment.path(.log)) at \(position): \(reason)")
                end = LogPosition(offset: next, segmentBase: segment.baseOffset, position: position)
                return
            }
        }
    }

    private func storedBuilder(of segment: Segment, below position: Int64) -> IndexBuilder {
        let empty = IndexBuilder(baseOffset: segment.baseOffset, intervalBytes: intervalBytes)
        guard let offsets = storedOffsets(of: segment),
            let times = try? IndexFile.read(
                TimeEntry.self, baseOffset: segment.baseOffset, directory: directory, files: files)
        else { return empty }
        // The files are written one after the other: one may be older, and know nothing of the last batches.
        let covered = min(position, times.coveredBytes + 1)
        let kept = offsets.entries.filter { Int64($0.position) < covered }
        guard let last = kept.last, begins(at: last, segment) else { return empty }
        let keptTimes = SparseIndex.mapped(times).entries.filter { $0.relativeOffset <= last.relativeOffset }
        return IndexBuilder(
            continuing: kept, keptTimes, baseOffset: segment.baseOffset, intervalBytes: intervalBytes)
    }

    // MARK: Beyond the recovery point

    private mutating func verify(from resume: LogPosition) throws(MachineError) {
        end = resume
        let first = listing.segments.firstIndex { $0.baseOffset == resume.segmentBase } ?? 0
        for index in first..<listing.segments.count {
            let segment = listing.segments[index]
            if index > first {
                guard segment.baseOffset == end.offset else {
                    return try settle(
                        index - 1, "the next segment begins at offset \(segment.baseOffset), not \(end.offset)")
                }
                end = LogPosition(offset: end.offset, segmentBase: segment.baseOffset, position: 0)
                builder = IndexBuilder(baseOffset: segment.baseOffset, intervalBytes: intervalBytes)
            }
            if let reason = try verify(segment) { return try settle(index, reason) }
        }
    }

    /// Verifies a segment from `end` on, and moves `end`. Returns what is wrong there, if anything.
    private mutating func verify(_ segment: Segment) throws(MachineError) -> String? {
        guard segment.sizeBytes > end.position else { return nil }
        let file = try files.open(segment.path(.log), .read)
        defer { file.close() }
        var scanner = BatchScanner(file, from: end.position, to: segment.sizeBytes, chunkBytes: 256 << 10)
        while true {
            switch try scanner.nextVerified(expecting: end.offset) {
            case .end: return nil
            case .invalid(_, let reason): return reason
            case .batch(let facts, let position):
                state.replay(facts, now: now)
                replayedBytes += Int64(facts.sizeBytes)
                builder.add(
                    offset: facts.baseOffset, sizeBytes: facts.sizeBytes, maxTimestamp: facts.maxTimestamp,
                    position: position)
                end.offset = facts.endOffset
                end.position = position + Int64(facts.sizeBytes)
            }
        }
    }

    /// Deals with bytes after `end` that do not verify: cut off if they are the torn end of the last writes, set aside
    /// if sound batches follow them. What was synced, or may have been because no checkpoint tells, is not touched.
    private mutating func settle(_ index: Int, _ reason: String) throws(MachineError) {
        let segment = listing.segments[index]
        let place = "\(segment.path(.log)) at \(end.position)"
        let later = Array(listing.segments[(index + 1)...])
        let tail = TailSettlement(directory: directory, segment: segment, later: later, end: end, files: files)
        let isQuarantined = try tail.isWorthKeeping()
        guard end.offset >= checkpoint.recoveryPoint.offset, isKnown || !isQuarantined else {
            damage = LogError(.damaged, "\(label): \(place): \(reason)")
            return
        }
        needsSync = true
        try tail.settle(keeping: isQuarantined)
        listing.segments.removeSubrange((index + 1)...)
        let lost = segment.sizeBytes - end.position + later.reduce(0) { $0 + $1.sizeBytes }
        segment.sizeBytes = end.position
        findings.append(
            isQuarantined
                ? "\(place): \(reason); sound batches follow, so \(lost) bytes were moved to quarantine"
                : "\(place): \(reason); cut off \(lost) unsynced bytes")
    }
}
