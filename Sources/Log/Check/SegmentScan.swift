import Machine

/// A segment as it is, and as it would be with its sound batches only, from reading all of it.
struct SegmentScan {
    /// A run of bytes that is no sound batch, or a batch with a wrong offset.
    struct Flaw: Sendable, Equatable {
        var range: Range<Int64>
        var reason: String
    }

    /// What a repaired segment consists of.
    enum Piece: Sendable, Equatable {
        /// Bytes of the original.
        case copy(Range<Int64>)
        /// A batch of the original, whose base offset is put right.
        case corrected(Range<Int64>, offset: Int64)
        /// Offsets whose records are lost.
        case filler(Range<Int64>)
    }

    let base: Int64
    private(set) var flaws: [Flaw] = []
    private(set) var pieces: [Piece] = []
    /// The offset after the last sound batch.
    private(set) var next: Int64
    /// Where each sound batch begins, and its first offset; parallel, ascending.
    private var positions: [UInt32] = []
    private var offsets: [UInt32] = []
    private(set) var maxTimestamp: Int64 = -1

    init(base: Int64) {
        self.base = base
        next = base
    }

    var isSound: Bool { flaws.isEmpty }

    /// Reads all batches. Where bytes are no sound batch, it goes on with the next sound one.
    mutating func run(_ file: any File, size: Int64, _ report: inout LogReport) throws(MachineError) {
        var scanner = BatchScanner(file, from: 0, to: size, chunkBytes: 256 << 10)
        while true {
            switch try scanner.nextVerified() {
            case .end: return
            case .batch(let facts, let position):
                try take(facts, at: position, followedBy: Self.offset(in: file, at: scanner.position, size), &report)
            case .invalid(let position, let reason):
                let resumed = try BatchSearch.firstBatch(
                    in: file, after: position, end: size, minimumOffset: next)
                flaws.append(Flaw(range: position..<(resumed ?? size), reason: reason))
                guard let resumed else { return }
                scanner = BatchScanner(file, from: resumed, to: size, chunkBytes: 256 << 10)
            }
        }
    }

    /// Takes a batch whose checksum holds. That does not cover its offset, which the batch behind it tells instead.
    private mutating func take(
        _ facts: BatchFacts, at position: Int64, followedBy following: Int64?, _ report: inout LogReport
    ) throws(MachineError) {
        let range = position..<position + Int64(facts.sizeBytes)
        let isAfterFlaw = flaws.last?.range.upperBound == position
        if facts.baseOffset != next,
            following == nil && !isAfterFlaw || following == next + facts.endOffset - facts.baseOffset
        {
            flaws.append(Flaw(range: range, reason: "offset \(facts.baseOffset) where \(next) belongs"))
            pieces.append(.corrected(range, offset: next))
            return note(facts, at: position, offset: next, &report)
        }
        guard facts.baseOffset >= next, facts.endOffset - base <= Int64(Int32.max) else {
            return flaws.append(Flaw(range: range, reason: "offset \(facts.baseOffset) where \(next) belongs"))
        }
        if facts.baseOffset > next {
            if !isAfterFlaw {
                flaws.append(
                    Flaw(range: position..<position, reason: "offsets \(next) to \(facts.baseOffset - 1) are missing"))
            }
            pieces.append(.filler(next..<facts.baseOffset))
        }
        if case .copy(let previous) = pieces.last, previous.upperBound == position {
            pieces[pieces.count - 1] = .copy(previous.lowerBound..<range.upperBound)
        } else {
            pieces.append(.copy(range))
        }
        note(facts, at: position, offset: facts.baseOffset, &report)
    }

    private mutating func note(_ facts: BatchFacts, at position: Int64, offset: Int64, _ report: inout LogReport) {
        report.batches += 1
        report.records += Int64(facts.recordCount)
        positions.append(UInt32(truncatingIfNeeded: position))
        offsets.append(UInt32(truncatingIfNeeded: offset - base))
        maxTimestamp = max(maxTimestamp, facts.maxTimestamp)
        next = offset + Int64(facts.lastOffsetDelta) + 1
    }

    /// The offset that the batch at `position` begins with, if there is a sound header.
    private static func offset(in file: any File, at position: Int64, _ size: Int64) throws(MachineError) -> Int64? {
        var scanner = BatchScanner(file, from: position, to: size, chunkBytes: BatchFacts.headerBytes)
        guard case .batch(let facts, _) = try scanner.next() else { return nil }
        return facts.baseOffset
    }

    // MARK: Comparing with the indexes

    func verify(_ view: IndexView<OffsetEntry>, size: Int64, isLast: Bool) throws(IndexFault) {
        try verifyCoverage(view.coveredBytes, size: size, isLast: isLast)
        for index in 0..<view.count {
            let entry = view[index]
            guard relativeOffset(at: entry.position) == entry.relativeOffset else {
                throw IndexFault(
                    position: 0,
                    reason: """
                        entry \(index) says that offset \(base + Int64(entry.relativeOffset)) is at \
                        \(entry.position), where no such batch begins
                        """)
            }
        }
    }

    func verify(_ view: IndexView<TimeEntry>, size: Int64, isLast: Bool) throws(IndexFault) {
        try verifyCoverage(view.coveredBytes, size: size, isLast: isLast)
        let stated = view.count == 0 ? -1 : view[view.count - 1].timestamp
        guard isLast || stated == maxTimestamp else {
            throw IndexFault(position: 0, reason: "the largest timestamp is \(maxTimestamp), not \(stated)")
        }
    }

    private func relativeOffset(at position: UInt32) -> UInt32? {
        var (low, high) = (0, positions.count)
        while low < high {
            let middle = (low + high) / 2
            if positions[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low < positions.count && positions[low] == position ? offsets[low] : nil
    }

    private func verifyCoverage(_ coveredBytes: Int64, size: Int64, isLast: Bool) throws(IndexFault) {
        guard isLast ? coveredBytes <= size : coveredBytes == size else {
            throw IndexFault(
                position: 0, reason: "it describes \(coveredBytes) bytes of a segment of \(size)",
                isStale: true)
        }
    }

    // MARK: Repairing

    /// Replaces the segment by its pieces, and keeps the original in quarantine.
    ///
    /// - Returns: the new segment's size.
    func rewrite(
        _ file: any File, _ path: String, directory: String, _ files: any FileSystem
    ) throws(MachineError) -> Int64 {
        let unfinished = path + SegmentName.unfinished
        let copy = try files.open(unfinished, .replace)
        defer { copy.close() }
        var position: Int64 = 0
        for piece in pieces {
            switch piece {
            case .copy(let range):
                try Self.copy(file, range, to: copy, at: position)
                position += range.upperBound - range.lowerBound
            case .corrected(let range, let offset):
                try Self.copy(file, range, to: copy, at: position)
                try withUnsafeBytes(of: offset.bigEndian) { bytes throws(MachineError) in
                    try copy.write(bytes, at: position)
                }
                position += range.upperBound - range.lowerBound
            case .filler(let range):
                let bytes = FillerBatch.bytes(for: range)
                try bytes.withBytes { bytes throws(MachineError) in try copy.write(bytes, at: position) }
                position += Int64(bytes.count)
            }
        }
        try copy.synchronize()
        try Quarantine.take(path, files)
        try files.rename(unfinished, to: path)
        try files.synchronizeDirectory(directory)
        return position
    }

    private static func copy(
        _ source: any File, _ range: Range<Int64>, to target: any File, at start: Int64
    ) throws(MachineError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
        defer { buffer.deallocate() }
        var position = range.lowerBound
        while position < range.upperBound {
            let wanted = Int(min(Int64(buffer.count), range.upperBound - position))
            let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: position)
            guard count > 0 else { return }
            try target.write(
                UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: start + position - range.lowerBound)
            position += Int64(count)
        }
    }
}
