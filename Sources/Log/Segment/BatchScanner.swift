import Machine

/// Walks over the batches of a segment from one position on, reading headers only, or everything.
struct BatchScanner: ~Copyable {
    enum Step {
        /// A batch, and where it begins.
        case batch(BatchFacts, position: Int64)
        /// Nothing is left.
        case end
        /// What begins here is no sound batch.
        case invalid(position: Int64, reason: String)
    }

    let file: any File
    /// Where the next batch begins.
    private(set) var position: Int64
    /// Where the bytes end.
    let end: Int64
    private let buffer: UnsafeMutableRawBufferPointer
    private var buffered: Range<Int64>

    /// - Parameter chunkBytes: how much is read at a time: 4 KiB to find a place, more to read on and on.
    init(_ file: any File, from position: Int64, to end: Int64, chunkBytes: Int = 4096) {
        self.file = file
        self.position = position
        self.end = end
        buffer = .allocate(byteCount: max(chunkBytes, BatchFacts.headerBytes), alignment: 8)
        buffered = position..<position
    }

    deinit { buffer.deallocate() }

    /// The next batch, judged by its header.
    ///
    /// - Parameter expected: the offset it must begin with; nil takes any. The checksum does not cover it, and batches
    ///   follow each other without gaps, so this is how a damaged offset is noticed.
    mutating func next(expecting expected: Int64? = nil) throws(MachineError) -> Step {
        guard position < end else { return .end }
        guard position + Int64(BatchFacts.headerBytes) <= end else {
            return .invalid(position: position, reason: "\(end - position) bytes are no batch header")
        }
        let header = try bytes(at: position, count: BatchFacts.headerBytes)
        var fault = ""
        guard let facts = BatchFacts(header: header, fault: &fault) else {
            return .invalid(position: position, reason: fault)
        }
        guard Int64(facts.sizeBytes) <= end - position else {
            return .invalid(
                position: position, reason: "a batch of \(facts.sizeBytes) bytes, but only \(end - position) are left")
        }
        if let expected, facts.baseOffset != expected {
            return .invalid(position: position, reason: "offset \(facts.baseOffset) where \(expected) belongs")
        }
        let start = position
        position += Int64(facts.sizeBytes)
        return .batch(facts, position: start)
    }

    /// The next batch, with its checksum verified.
    mutating func nextVerified(expecting expected: Int64? = nil) throws(MachineError) -> Step {
        let step = try next(expecting: expected)
        guard case .batch(let facts, let start) = step else { return step }
        guard try verify(facts, at: start) else {
            position = start
            return .invalid(position: start, reason: "the checksum of the batch at offset \(facts.baseOffset) differs")
        }
        return step
    }

    private mutating func verify(_ facts: BatchFacts, at start: Int64) throws(MachineError) -> Bool {
        let stored = BatchFacts.checksum(inHeader: try bytes(at: start, count: BatchFacts.headerBytes))
        var checksum = Checksum()
        var place = start + Int64(BatchFacts.checkedFrom)
        let stop = start + Int64(facts.sizeBytes)
        while place < stop {
            let piece = try bytes(at: place, count: 1, upTo: Int(stop - place))
            checksum.update(piece)
            place += Int64(piece.count)
        }
        return checksum.value == stored
    }

    /// At least `count` bytes at `place`, at most `limit` (default: `count`); they must lie before `end`.
    private mutating func bytes(
        at place: Int64, count: Int, upTo limit: Int? = nil
    ) throws(MachineError) -> UnsafeRawBufferPointer {
        if place < buffered.lowerBound || place + Int64(count) > buffered.upperBound {
            let wanted = Int(min(Int64(buffer.count), end - place))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let read = try file.read(into: part, at: place)
            buffered = place..<place + Int64(read)
            guard read >= count else {
                throw MachineError(code: .device, operation: "read past the end of", path: file.path)
            }
        }
        let offset = Int(place - buffered.lowerBound)
        let available = Int(buffered.upperBound - place)
        return UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + min(available, limit ?? count)])
    }
}
