import KafkaWire
import Machine
import Synchronization

extension Partition {
    /// The most bytes that the records of one batch may unpack to when a time is looked up.
    static let decompressionLimitBytes = 64 << 20

    /// The first record with a timestamp of at least `timestamp` milliseconds, or nil if there is none below the high
    /// watermark. Decodes the records of one batch.
    public func offset(forTimestamp timestamp: Int64) throws(LogError) -> TimestampOffset? {
        for segment in try readableSegments() where try maxTimestamp(segment) >= timestamp {
            if let found = try search(segment, from: timestamp) { return found }
        }
        return nil
    }

    /// The (first) record with the largest timestamp, or nil if no record has one.
    public func offsetOfMaximumTimestamp() throws(LogError) -> TimestampOffset? {
        var largest: (timestamp: Int64, segment: Segment)?
        let start = logStartOffset
        for segment in try readableSegments() {
            // What is known of a segment covers its deleted records, too.
            let isCut = segment.baseOffset < start
            let timestamp = isCut ? try maxTimestamp(segment, from: start) : try maxTimestamp(segment)
            if timestamp > largest?.timestamp ?? -1 { largest = (timestamp, segment) }
        }
        guard let largest else { return nil }
        return try search(largest.segment, from: largest.timestamp)
    }

    /// The high watermark, for whoever asks where the log ends and goes by the answer.
    ///
    /// - Throws: `.storage` while an earlier process may have shown more than is known to be synced again: the files
    ///   could not be opened, or were opened a moment ago. What that process promised must not seem to be gone.
    public func latestOffset() throws(LogError) -> Int64 {
        try withCore { core throws(LogError) in
            if isUnclean { try open(&core) }
            try checkRecovered(core)
            return core.synced.offset
        }
    }

    func checkRecovered(_ core: borrowing PartitionCore) throws(LogError) {
        guard core.synced.offset < core.recovered.offset else { return }
        throw core.fence
            ?? LogError(
                .storage, "\(label): offsets \(core.synced.offset) to \(core.recovered.offset) are being recovered")
    }

    /// The first offset after leader epoch `epoch`, with the largest epoch not above it (OffsetForLeaderEpoch).
    ///
    /// The current epoch ends at the high watermark, and one before all that the log has ends where the log begins.
    ///
    /// - Returns: nil for an epoch that is still to come, or if the log is empty and knows none.
    public func endOffset(ofLeaderEpoch epoch: Int32) throws(LogError) -> (epoch: Int32, endOffset: Int64)? {
        try withCore { core throws(LogError) in
            try open(&core)
            try checkRecovered(core)
            return core.state.end(ofLeaderEpoch: epoch, highWatermark: core.synced.offset)
        }
    }

    /// The leader epoch under which the record at `offset` was appended; -1 if unknown.
    public func leaderEpoch(ofOffset offset: Int64) -> Int32 {
        withCore { core in
            guard (try? open(&core)) != nil else { return -1 }
            return core.state.epochs.epoch(ofOffset: offset)
        }
    }

    /// The idempotent producers that the partition remembers, sorted by id.
    public func producers() throws(LogError) -> [ProducerDescription] {
        let entries = try withCore { core throws(LogError) in
            try open(&core)
            return core.state.producers.entries
        }
        return entries.map { entry in
            ProducerDescription(
                producerID: entry.producerID, epoch: entry.epoch, lastSequence: entry.lastSequence,
                lastTimestamp: entry.lastTimestamp)
        }
    }

    private func readableSegments() throws(LogError) -> [Segment] {
        try withCore { core throws(LogError) in
            try open(&core)
            try checkRecovered(core)
            // The first one may hold the log's start; those before it wait to be removed.
            let first = core.segmentIndex(holding: core.state.logStartOffset) ?? 0
            return core.segments.dropFirst(first).filter { $0.baseOffset < core.synced.offset }
        }
    }

    private func maxTimestamp(_ segment: Segment) throws(LogError) -> Int64 {
        let growing = core.withLock { core in core.active === segment ? core.builder.maxTimestamp : nil }
        if let growing { return growing }
        return try segment.maxTimestamp()
    }

    /// The largest timestamp of a segment's readable records from offset `start` on, or -1; looks at every batch.
    private func maxTimestamp(_ segment: Segment, from start: Int64) throws(LogError) -> Int64 {
        var from = start
        var largest: Int64 = -1
        while from < highWatermark {
            let slice = try read(from: from, maximumBytes: 1 << 20, atLeastOneBatch: true)
            guard !slice.isEmpty, slice.file?.path == segment.path(.log) else { break }
            let bytes = try copy(slice)
            let position = from
            do throws(WireError) {
                try bytes.withBytes { bytes throws(WireError) in
                    var batches = RecordBatches(bytes)
                    while let batch = try batches.next() {
                        largest = max(largest, try maxTimestamp(batch, from: start))
                        from = batch.header.nextOffset
                    }
                }
            } catch {
                throw LogError(.damaged, "\(label): the records at offset \(from) do not decode", cause: error)
            }
            guard from > position else {
                throw LogError(.damaged, "\(segment.path(.log)): a batch at offset \(position) leads back to \(from)")
            }
        }
        return largest
    }

    private func maxTimestamp(_ batch: RecordBatch, from start: Int64) throws(WireError) -> Int64 {
        guard batch.header.baseOffset < start else { return batch.header.maxTimestamp }
        var largest: Int64 = -1
        var records = try RecordIterator(batch, decompressionLimit: Self.decompressionLimitBytes)
        while let record = try records.next() {
            if record.offset >= start { largest = max(largest, record.timestamp) }
        }
        return largest
    }

    /// The first readable record of a segment from `timestamp` on.
    private func search(_ segment: Segment, from timestamp: Int64) throws(LogError) -> TimestampOffset? {
        let growing = core.withLock { core in core.active === segment ? core.builder.indexes : nil }
        let indexes: SegmentIndexes
        if let growing { indexes = growing } else { indexes = try segment.indexes() }
        let earlier = indexes.times.last { $0.timestamp < timestamp }
        var from = segment.baseOffset + Int64(earlier?.relativeOffset ?? 0)
        from = max(from, logStartOffset)
        while from < highWatermark {
            let slice = try read(from: from, maximumBytes: 1 << 20, atLeastOneBatch: true)
            guard !slice.isEmpty, slice.file?.path == segment.path(.log) else { return nil }
            let bytes = try copy(slice)
            let (found, next) = try bytes.withBytes { bytes throws(LogError) in
                try firstRecord(in: bytes, from: timestamp, after: from)
            }
            if let found { return found }
            guard next > from else {
                throw LogError(.damaged, "\(segment.path(.log)): a batch after offset \(from) leads back to \(next)")
            }
            from = next
        }
        return nil
    }

    private func copy(_ slice: LogSlice) throws(LogError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: slice.count)
        _ = try bytes.withMutableBytes { buffer throws(LogError) in try slice.read(into: buffer) }
        return bytes
    }

    /// The first record from `timestamp` on, or where to go on.
    private func firstRecord(
        in bytes: UnsafeRawBufferPointer, from timestamp: Int64, after start: Int64
    ) throws(LogError) -> (TimestampOffset?, next: Int64) {
        var next = start + 1
        do throws(WireError) {
            var batches = RecordBatches(bytes)
            while let batch = try batches.next() {
                next = batch.header.nextOffset
                guard batch.header.maxTimestamp >= timestamp else { continue }
                var records = try RecordIterator(batch, decompressionLimit: Self.decompressionLimitBytes)
                while let record = try records.next() {
                    guard record.timestamp >= timestamp, record.offset >= start else { continue }
                    let found = TimestampOffset(
                        offset: record.offset, timestamp: record.timestamp,
                        leaderEpoch: batch.header.partitionLeaderEpoch)
                    return (found, next)
                }
            }
        } catch {
            throw LogError(.damaged, "\(label): the records at offset \(next - 1) do not decode", cause: error)
        }
        return (nil, next)
    }
}
