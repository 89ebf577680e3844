import Bytes
import KafkaWire
import Machine
import Synchronization

/// The hold of a view: what no manifest covers stays in the log, up to a bound.
extension Partition {
    /// Keeps everything from `offset` on, whatever retention and deletion of records want.
    ///
    /// - Parameters:
    ///   - offset: the first offset that the view's manifest does not cover.
    ///   - kept: an earlier offset to keep everything from, which the bound does not count; nil for none.
    ///   - limitBytes: the bytes from there on at which appends fail with `.viewBehind`; at half of it an event tells.
    /// - Throws: `.storage`, `.damaged`, `.closed`, `.unknownTopic`.
    public func hold(from offset: Int64, keeping kept: Int64? = nil, limitBytes: Int64) throws(LogError) {
        try withCore { core throws(LogError) in
            try open(&core)
            let bytes = try bytes(from: offset, core)
            let first = min(offset, kept ?? offset)
            core.hold = PartitionHold(offset: first, bytes: bytes, limitBytes: limitBytes, isTold: core.hold.isTold)
            if bytes < limitBytes / 2 { core.hold.isTold = false }
            tellOfHold(&core)
        }
    }

    /// Holds nothing any more: the view is gone.
    public func releaseHold() {
        core.withLock { $0.hold = PartitionHold() }
    }

    /// The bytes that are held, the last ones included, to about one entry of the index.
    public var heldBytes: Int64 { core.withLock { $0.hold.offset == nil ? 0 : $0.hold.bytes } }

    /// Up to which offset records may be removed.
    func removableEnd(_ core: borrowing PartitionCore) -> Int64 {
        guard configuration.view != .none else { return core.synced.offset }
        // Before the view has told what it covers, everything is held.
        return min(core.synced.offset, core.hold.offset ?? core.state.logStartOffset)
    }

    func checkHold(_ core: borrowing PartitionCore) throws(LogError) {
        guard core.hold.bytes >= core.hold.limitBytes else { return }
        throw LogError(
            .viewBehind,
            "\(label): its view is \(core.hold.bytes) bytes behind, \(core.hold.limitBytes) are allowed; try again")
    }

    /// Counts appended bytes, and tells an operator once when half of the bound is reached.
    func noteHeld(_ bytes: Int, _ core: inout PartitionCore) {
        core.hold.bytes += Int64(bytes)
        tellOfHold(&core)
    }

    private func tellOfHold(_ core: inout PartitionCore) {
        guard core.hold.bytes >= core.hold.limitBytes / 2, !core.hold.isTold else { return }
        core.hold.isTold = true
        report(
            .warning,
            "the view has not written \(core.hold.bytes) bytes yet; at \(core.hold.limitBytes) appends are refused")
    }

    private func bytes(from offset: Int64, _ core: borrowing PartitionCore) throws(LogError) -> Int64 {
        guard offset < core.state.logEndOffset else { return 0 }
        guard let index = core.segmentIndex(holding: offset) else { return size(core) }
        let segment = core.segments[index]
        let isGrowing = index == core.segments.count - 1
        let indexes = isGrowing ? core.builder.indexes : try segment.indexes()
        let first = (isGrowing ? core.position : segment.sizeBytes) - Self.floor(of: offset, in: indexes, segment)
        guard !isGrowing else { return first }
        return core.segments[(index + 1)...].dropLast().reduce(first + core.position) { $0 + $1.sizeBytes }
    }

    /// Lets the log end at `offset` at least: a view knows records up to there, which a disk lost or a backup did not
    /// have. The offsets between are never given out again; a batch without records stands for them.
    ///
    /// - Returns: how many offsets are lost.
    /// - Throws: `.fenced`, `.noSpace`, `.storage`, `.damaged`, `.closed`, `.unknownTopic`.
    public func resume(at offset: Int64) throws(LogError) -> Int64 {
        let (wall, now) = (context.machine.clock.wallMilliseconds(), context.monotonicMilliseconds())
        let (lost, isListed) = try withCore { core throws(LogError) in
            try open(&core)
            let end = core.state.logEndOffset
            guard end < offset else { return (Int64(0), true) }
            if let fence = core.fence { throw fence }
            while core.state.logEndOffset < offset {
                let next = min(offset, core.state.logEndOffset + Int64(Int32.max))
                let count = next - core.state.logEndOffset
                var bytes = FillerBatch.bytes(for: core.state.logEndOffset..<next)
                let segment = try segmentForAppend(&core, recordCount: count, byteCount: bytes.count, wall: wall)
                _ = try bytes.withMutableBytes { bytes throws(LogError) in
                    try store(bytes, in: segment, &core, wall: wall, now: now)
                }
            }
            return (offset - end, enlist(&core, .flushInterval))
        }
        if lost > 0 {
            announce(.flushInterval, isListed: isListed, requests: 0)
            report(.error, "the log ends before what its view knows: \(lost) offsets before \(offset) are lost")
        }
        return lost
    }

    /// Appends a control record, which only the server can: clients skip it, views apply it.
    ///
    /// - Throws: as `append`, but never `.viewBehind`: what a control record removes may be what is in the way.
    public func appendControl(
        key: [UInt8], value: [UInt8], durability: Durability, noting note: (Range<Int64>) -> Void = { _ in }
    ) throws(LogError) -> AppendResult {
        let wall = context.machine.clock.wallMilliseconds()
        var builder = RecordBatchBuilder(capacity: key.count + value.count + 32)
        builder.append(key: key, value: value, timestamp: wall)
        var template = RecordBatchHeader()
        template.attributes = BatchAttributes(compression: .none, isControl: true)
        var writer = ByteWriter(capacity: builder.sizeBytes)
        do {
            try builder.finish(into: &writer, template: template)
        } catch {
            throw LogError(.invalidRecord, "\(label): cannot build a control batch", cause: error)
        }
        return try writer.withUnsafeMutableBytes { bytes throws(LogError) in
            let batches = try BatchAdmission(
                bytes, topic: configuration, wallMilliseconds: wall, allowsControl: true)
            return try append(bytes, batches, durability: durability, ignoresHold: true, noting: note)
        }
    }
}

/// What a view needs of a partition.
struct PartitionHold: Sendable {
    /// The first offset that has to stay; nil if no view has told.
    var offset: Int64?
    /// About the bytes from there on.
    var bytes: Int64 = 0
    var limitBytes = Int64.max
    /// Whether an operator was told that half of the bound is reached.
    var isTold = false
}
