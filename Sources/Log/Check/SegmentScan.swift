import Machine

/// Everything about one segment that its index can be compared with, from reading all of it.
struct SegmentScan {
    let base: Int64
    private(set) var flaws: [PartitionCheck.Flaw] = []
    /// The offset after the last sound batch.
    private(set) var next: Int64
    /// How many bytes the sound batches have.
    private(set) var soundBytes: Int64 = 0
    /// Where each sound batch begins, and its first offset; parallel, ascending.
    private var positions: [UInt32] = []
    private var offsets: [UInt32] = []
    private var builder: IndexBuilder

    init(base: Int64) {
        self.base = base
        next = base
        builder = IndexBuilder(baseOffset: base, intervalBytes: Segment.rebuiltIntervalBytes)
    }

    /// Reads all batches. Where bytes are no sound batch, it goes on with the next sound one.
    mutating func run(_ file: any File, size: Int64, _ report: inout LogReport, _ path: String) throws(MachineError) {
        var scanner = BatchScanner(file, from: 0, to: size, chunkBytes: 256 << 10)
        while true {
            switch try scanner.nextVerified() {
            case .end: return
            case .batch(let facts, let position):
                if facts.baseOffset < next {
                    report.note(
                        .damage, path, at: position, "offset \(facts.baseOffset) comes again after \(next - 1)")
                } else if facts.baseOffset > next {
                    report.note(
                        .notice, path, at: position, "offsets \(next) to \(facts.baseOffset - 1) are not there")
                }
                note(facts, at: position, &report)
            case .invalid(let position, let reason):
                let resumed = try BatchSearch.firstBatch(
                    in: file, after: position, end: size, minimumOffset: next)
                flaws.append(PartitionCheck.Flaw(range: position..<(resumed ?? size), reason: reason))
                guard let resumed else { return }
                scanner = BatchScanner(file, from: resumed, to: size, chunkBytes: 256 << 10)
            }
        }
    }

    private mutating func note(_ facts: BatchFacts, at position: Int64, _ report: inout LogReport) {
        report.batches += 1
        report.records += Int64(facts.recordCount)
        positions.append(UInt32(truncatingIfNeeded: position))
        offsets.append(UInt32(truncatingIfNeeded: facts.baseOffset - base))
        builder.add(
            offset: facts.baseOffset, sizeBytes: facts.sizeBytes, maxTimestamp: facts.maxTimestamp,
            position: soundBytes)
        soundBytes += Int64(facts.sizeBytes)
        next = max(next, facts.endOffset)
    }

    // MARK: Comparing

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

    private func relativeOffset(at position: UInt32) -> UInt32? {
        var (low, high) = (0, positions.count)
        while low < high {
            let middle = (low + high) / 2
            if positions[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low < positions.count && positions[low] == position ? offsets[low] : nil
    }

    func verify(_ view: IndexView<TimeEntry>, size: Int64, isLast: Bool) throws(IndexFault) {
        try verifyCoverage(view.coveredBytes, size: size, isLast: isLast)
        let stated = view.count == 0 ? -1 : view[view.count - 1].timestamp
        guard isLast || stated == builder.maxTimestamp else {
            throw IndexFault(
                position: 0, reason: "the largest timestamp is \(builder.maxTimestamp), not \(stated)")
        }
    }

    private func verifyCoverage(_ coveredBytes: Int64, size: Int64, isLast: Bool) throws(IndexFault) {
        guard isLast ? coveredBytes <= size : coveredBytes == size else {
            throw IndexFault(position: 0, reason: "it describes \(coveredBytes) bytes of a segment of \(size)")
        }
    }

    // MARK: Repairing

    func storeIndexes(size: Int64, directory: String, _ files: any FileSystem) throws(MachineError) {
        var builder = builder
        builder.finish(endOffset: next)
        try IndexFile.write(
            builder.offsets, baseOffset: base, coveredBytes: size, directory: directory, files: files)
        try IndexFile.write(
            builder.times, baseOffset: base, coveredBytes: size, directory: directory, files: files)
    }

    /// Replaces the segment by one with the sound batches only, and keeps the original in quarantine.
    func rewrite(
        _ file: any File, size: Int64, _ path: String, directory: String, _ files: any FileSystem
    ) throws(MachineError) {
        let unfinished = path + SegmentName.unfinished
        let copy = try files.open(unfinished, .replace)
        defer { copy.close() }
        var (from, to) = (Int64(0), Int64(0))
        for flaw in flaws + [PartitionCheck.Flaw(range: size..<size, reason: "")] {
            try Self.copy(file, from..<flaw.range.lowerBound, to: copy, at: to)
            to += flaw.range.lowerBound - from
            from = flaw.range.upperBound
        }
        try copy.synchronize()
        try Quarantine.take(path, files)
        try files.rename(unfinished, to: path)
        try files.synchronizeDirectory(directory)
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
