import Machine
import Synchronization

extension Partition {
    /// Where a read begins to look, and how far it may go.
    private struct Plan {
        let segment: Segment
        /// A batch boundary at or before the wanted offset.
        let floor: Int64
        /// Whether `floor` is the place of the wanted offset itself.
        let isExact: Bool
        /// The end of what may be read in the segment.
        let limit: LogPosition
        let isSealed: Bool
        let highWatermark: Int64
        let logStartOffset: Int64

        func slice(_ file: any File, _ range: Range<Int64>) -> LogSlice {
            LogSlice(file: file, range: range, highWatermark: highWatermark, logStartOffset: logStartOffset)
        }

        var empty: LogSlice {
            LogSlice(file: nil, range: 0..<0, highWatermark: highWatermark, logStartOffset: logStartOffset)
        }
    }

    private enum Found {
        case nothing(LogSlice)
        case plan(Plan)
    }

    /// Whole batches from the one that holds `offset` on, from one segment, below the high watermark.
    ///
    /// - Parameters:
    ///   - maximumBytes: no more than this, except for the first batch if `atLeastOneBatch`.
    ///   - atLeastOneBatch: return the first batch even if it is larger than `maximumBytes`.
    /// - Returns: an empty slice at or beyond the high watermark.
    /// - Throws: `.offsetOutOfRange` below the log's start or beyond its end; `.damaged`, `.storage`, `.closed`,
    ///   `.unknownTopic`.
    public func read(
        from offset: Int64, maximumBytes: Int, atLeastOneBatch: Bool
    ) throws(LogError) -> LogSlice {
        switch try core.withLock({ core throws(LogError) in try plan(offset, &core) }) {
        case .nothing(let slice): return slice
        case .plan(let plan): return try read(plan, offset, Int64(max(0, maximumBytes)), atLeastOneBatch)
        }
    }

    private func plan(_ offset: Int64, _ core: inout PartitionCore) throws(LogError) -> Found {
        try open(&core)
        let (start, high) = (core.state.logStartOffset, core.synced.offset)
        guard offset >= start, offset <= core.state.logEndOffset else {
            throw LogError(.offsetOutOfRange, "\(label): offset \(offset) is outside \(start)...\(high)")
        }
        guard offset < high else {
            return .nothing(LogSlice(file: nil, range: 0..<0, highWatermark: high, logStartOffset: start))
        }
        guard let index = core.segmentIndex(holding: offset) else {
            throw core.fence ?? LogError(.damaged, "\(label): no segment holds offset \(offset)")
        }
        let segment = core.segments[index]
        let isSealed = index < core.segments.count - 1
        var limit = core.synced
        if segment.baseOffset != limit.segmentBase {
            limit = LogPosition(
                offset: isSealed ? core.segments[index + 1].baseOffset : core.state.logEndOffset,
                segmentBase: segment.baseOffset, position: segment.sizeBytes)
        }
        var floor = Int64(0)
        var isExact = offset == segment.baseOffset
        if let hint = core.hints.position(of: offset), hint.segmentBase == segment.baseOffset {
            (floor, isExact) = (hint.position, true)
        } else if !isExact, !isSealed {
            floor = Self.floor(of: offset, in: core.builder.indexes, segment)
        }
        core.hints.insert(core.synced)
        return .plan(
            Plan(
                segment: segment, floor: floor, isExact: isExact, limit: limit, isSealed: isSealed,
                highWatermark: high, logStartOffset: start))
    }

    static func floor(of offset: Int64, in indexes: SegmentIndexes, _ segment: Segment) -> Int64 {
        let relative = offset - segment.baseOffset
        return Int64(indexes.offsets.last { Int64($0.relativeOffset) <= relative }?.position ?? 0)
    }

    private func read(
        _ plan: Plan, _ offset: Int64, _ maximumBytes: Int64, _ atLeastOneBatch: Bool
    ) throws(LogError) -> LogSlice {
        let file = try plan.segment.file()
        var start = plan.floor
        if !plan.isExact { start = try locate(offset, plan, file) }
        if plan.limit.position - start <= maximumBytes { return plan.slice(file, start..<plan.limit.position) }
        let end = try lastBoundary(from: start, within: maximumBytes, plan, file)
        if end > start { return plan.slice(file, start..<end) }
        guard atLeastOneBatch else { return plan.empty }
        var scanner = BatchScanner(file, from: start, to: plan.limit.position)
        guard let batch = try batch(from: &scanner, plan) else { throw damaged(start, plan, "no batch") }
        return plan.slice(file, start..<start + Int64(batch.facts.sizeBytes))
    }

    /// The place of the batch that holds `offset`.
    private func locate(_ offset: Int64, _ plan: Plan, _ file: any File) throws(LogError) -> Int64 {
        let floor = plan.isSealed ? Self.floor(of: offset, in: try plan.segment.indexes(), plan.segment) : plan.floor
        var scanner = BatchScanner(file, from: floor, to: plan.limit.position)
        while let batch = try batch(from: &scanner, plan) {
            guard batch.facts.endOffset > offset else { continue }
            if batch.facts.baseOffset <= offset { return batch.position }
            throw damaged(batch.position, plan, "offset \(batch.facts.baseOffset) where \(offset) belongs")
        }
        throw damaged(plan.limit.position, plan, "offset \(offset) is missing")
    }

    /// The last batch boundary that is at most `bytes` after `start`; `start` itself if the first batch is larger.
    private func lastBoundary(
        from start: Int64, within bytes: Int64, _ plan: Plan, _ file: any File
    ) throws(LogError) -> Int64 {
        let indexes: SegmentIndexes
        if plan.isSealed {
            indexes = try plan.segment.indexes()
        } else {
            indexes = core.withLock { core in
                core.active === plan.segment ? core.builder.indexes : SegmentIndexes()
            }
        }
        let stop = start + bytes
        let entry = indexes.offsets.last { Int64($0.position) <= stop }
        var end = start
        var next: Int64 = -1
        if let entry, Int64(entry.position) > start {
            end = Int64(entry.position)
            next = plan.segment.baseOffset + Int64(entry.relativeOffset)
        }
        // Without room for another batch there is nothing to look for: a reader that asks for the size of a batch
        // again and again costs no read of the file.
        if stop - end > BatchFacts.headerBytes {
            var scanner = BatchScanner(file, from: end, to: plan.limit.position)
            while let batch = try batch(from: &scanner, plan), batch.position + Int64(batch.facts.sizeBytes) <= stop {
                end = batch.position + Int64(batch.facts.sizeBytes)
                next = batch.facts.endOffset
            }
        }
        if next >= 0 {
            // Where this reader will go on. If somebody else has the lock, the index will do.
            let place = LogPosition(offset: next, segmentBase: plan.segment.baseOffset, position: end)
            _ = core.withLockIfAvailable { $0.hints.insert(place) }
        }
        return end
    }

    private func batch(
        from scanner: inout BatchScanner, _ plan: Plan
    ) throws(LogError) -> (position: Int64, facts: BatchFacts)? {
        let step: BatchScanner.Step
        do {
            step = try scanner.next()
        } catch {
            throw LogError(.storage, "\(label): cannot read \(plan.segment.path(.log))", cause: error)
        }
        switch step {
        case .batch(let facts, let position): return (position, facts)
        case .end: return nil
        case .invalid(let position, let reason): throw damaged(position, plan, reason)
        }
    }

    private func damaged(_ position: Int64, _ plan: Plan, _ reason: String) -> LogError {
        LogError(.damaged, "\(plan.segment.path(.log)) at \(position): \(reason)")
    }
}
