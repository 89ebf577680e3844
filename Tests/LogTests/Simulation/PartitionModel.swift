import MillraceTesting

/// What a partition must hold, as far as its promises go.
struct PartitionModel {
    /// A batch with its place.
    struct Stored {
        let batch: SimulatedBatch
        let baseOffset: Int64
        let leaderEpoch: Int32
        let bytes: [UInt8]

        init(batch: SimulatedBatch, baseOffset: Int64, leaderEpoch: Int32) {
            self.batch = batch
            self.baseOffset = baseOffset
            self.leaderEpoch = leaderEpoch
            bytes = batch.stored(at: baseOffset, leaderEpoch: leaderEpoch)
        }

        var endOffset: Int64 { baseOffset + Int64(batch.count) }
    }

    /// Every batch from the first offset ever, without a gap.
    private(set) var batches: [Stored] = []
    /// Appends whose outcome the producer does not know, with the place they would have: after the process has ended,
    /// they may be there.
    private var doubtful: [Stored] = []
    /// Everything below was promised: acknowledged as synced, or readable.
    private(set) var promised: Int64 = 0
    /// The largest start offset seen. A restart may go back behind it, to the same bytes.
    private(set) var startOffset: Int64 = 0
    private(set) var leaderEpoch: Int32 = -1
    /// Producers whose batches all lie below may be forgotten: a power cut took these batches, or retention went on
    /// though a fault, perhaps a full disk, kept it from storing what is known of them.
    private(set) var forgettable: Int64 = 0
    /// Records before it were deleted, for good.
    private var deleted: Int64 = 0
    /// The largest offset that was asked to be the start; it may lie within a batch.
    private var cut: Int64 = 0

    var endOffset: Int64 { batches.last?.endOffset ?? 0 }

    /// The batch that holds an offset.
    func index(of offset: Int64) -> Int? {
        var low = 0
        var high = batches.count
        while low < high {
            let middle = (low + high) / 2
            if batches[middle].endOffset <= offset { low = middle + 1 } else { high = middle }
        }
        return low < batches.count ? low : nil
    }

    // MARK: Appending

    mutating func appended(_ batch: SimulatedBatch, at baseOffset: Int64, leaderEpoch: Int32) throws {
        try expect(baseOffset == endOffset, "appended at \(baseOffset), the end was \(endOffset)")
        if batch.producerID >= 0, let first = stored(batch), first.baseOffset >= forgettable {
            throw SimulationFailure(
                "stored twice: sequence \(batch.firstSequence) at \(first.baseOffset) and \(baseOffset)")
        }
        batches.append(Stored(batch: batch, baseOffset: baseOffset, leaderEpoch: leaderEpoch))
    }

    func checkDuplicate(_ batch: SimulatedBatch, at baseOffset: Int64) throws {
        guard let first = stored(batch) else {
            throw SimulationFailure("called a duplicate, but never stored: sequence \(batch.firstSequence)")
        }
        try expect(first.baseOffset == baseOffset, "a duplicate of \(first.baseOffset) answered \(baseOffset)")
    }

    /// Notes an append that failed for a reason that leaves its outcome open.
    mutating func doubt(_ batch: SimulatedBatch, leaderEpoch: Int32) {
        doubtful.append(Stored(batch: batch, baseOffset: endOffset, leaderEpoch: leaderEpoch))
    }

    /// Where an idempotent producer's batch was stored.
    func offset(of batch: SimulatedBatch) -> Int64? { stored(batch)?.baseOffset }

    private func stored(_ batch: SimulatedBatch) -> Stored? {
        batches.last { $0.batch.producerID == batch.producerID && $0.batch.firstSequence == batch.firstSequence }
    }

    // MARK: Promises

    mutating func promise(upTo offset: Int64) throws {
        try expect(offset <= endOffset, "promised up to \(offset), the end is \(endOffset)")
        promised = max(promised, offset)
        doubtful.removeAll { $0.baseOffset < promised }
    }

    mutating func started(at offset: Int64) throws {
        try expect(offset <= promised, "the start \(offset) is above the promised \(promised)")
        startOffset = max(startOffset, offset)
    }

    mutating func mayForgetProducers() {
        forgettable = max(forgettable, startOffset)
    }

    /// Notes a deletion of records. What is not promised may be undone by a restart.
    mutating func deleted(before offset: Int64, isPromised: Bool) {
        cut = max(cut, offset)
        if isPromised { deleted = max(deleted, offset) }
    }

    mutating func serves(leaderEpoch: Int32) throws {
        try expect(leaderEpoch >= self.leaderEpoch, "leader epoch \(leaderEpoch) after \(self.leaderEpoch)")
        self.leaderEpoch = leaderEpoch
    }

    /// Takes over what a restart has recovered: it must be what was promised, followed by batches that were written or
    /// are in doubt, in order, and nothing else.
    ///
    /// - Parameters:
    ///   - content: all stored bytes from `start` to `end`.
    ///   - keepsWritten: whether nothing may be missing, because only the process ended.
    mutating func recovered(from start: Int64, to end: Int64, _ content: [UInt8], keepsWritten: Bool) throws {
        try expect(end >= promised, "lost: promised up to \(promised), recovered up to \(end)")
        try expect(!keepsWritten || end >= endOffset, "lost by a crash: written up to \(endOffset), found \(end)")
        try expect(start >= deleted, "deleted before \(deleted), recovered from \(start)")
        var survivors = batches.prefix { $0.endOffset <= start }
        var offset = survivors.last?.endOffset ?? 0
        try expect(offset == start || start <= cut, "starts within a batch, at \(start)")
        if start == end { offset = end }
        var position = 0
        while offset < end {
            let candidates = [index(of: offset).map { batches[$0] }].compactMap { $0 } + doubtful
            let found = candidates.first { candidate in
                candidate.baseOffset == offset && hasBytes(candidate.bytes, in: content, at: position)
            }
            guard let found else { throw SimulationFailure("unknown bytes at offset \(offset)") }
            survivors.append(found)
            position += found.bytes.count
            offset = found.endOffset
        }
        try expect(offset == end && position == content.count, "ends within a batch, at \(end)")
        // A power cut took whole segments that were never synced: what they held is gone, and may be stored again.
        if start > promised { forgettable = max(forgettable, start) }
        batches = Array(survivors)
        doubtful = []
        startOffset = start
        promised = end
    }

    /// Checks what a backup holds: what was promised when it began, and whatever of the rest was there when it came by.
    func checkBackup(
        from start: Int64, to end: Int64, _ content: [UInt8], since earlier: PartitionModel
    ) throws {
        var copy = self
        copy.promised = earlier.promised
        copy.deleted = earlier.deleted
        try copy.recovered(from: start, to: end, content, keepsWritten: false)
    }

    // MARK: Reading

    /// Checks a slice that was read from `offset`.
    func checkRead(_ bytes: [UInt8], from offset: Int64, highWatermark: Int64, maximumBytes: Int) throws {
        guard var next = index(of: offset), offset < highWatermark else {
            return try expect(bytes.isEmpty, "read \(bytes.count) bytes from \(offset), beyond \(highWatermark)")
        }
        try expect(!bytes.isEmpty, "read nothing from \(offset), below \(highWatermark)")
        var position = 0
        while position < bytes.count {
            try expect(next < batches.count, "read beyond the end, from \(offset)")
            let expected = batches[next]
            try expect(expected.endOffset <= highWatermark, "read unsynced bytes, at \(expected.baseOffset)")
            try expect(
                hasBytes(expected.bytes, in: bytes, at: position), "wrong bytes at offset \(expected.baseOffset)")
            position += expected.bytes.count
            next += 1
            try expect(
                position <= maximumBytes || position == expected.bytes.count,
                "read \(position) bytes, allowed were \(maximumBytes)")
        }
    }

    /// The first readable record with at least a timestamp.
    func firstOffset(withTimestamp timestamp: Int64, from start: Int64, below highWatermark: Int64) -> Int64? {
        for stored in batches where stored.endOffset > start && stored.endOffset <= highWatermark {
            for index in 0..<stored.batch.count
            where stored.batch.timestamp(index) >= timestamp && stored.baseOffset + Int64(index) >= start {
                return stored.baseOffset + Int64(index)
            }
        }
        return nil
    }
}
