import KafkaWire
import Machine

/// Verifies the files of one partition, and repairs them if asked to.
struct PartitionCheck {
    private let directory: String
    private let topic: Uuid?
    private let index: Int32
    private let entry: CheckpointEntry?
    private let files: any FileSystem
    private let isRepairing: Bool
    private var end = LogPosition(offset: 0, segmentBase: 0, position: 0)
    private var isRewritten = false

    init(
        _ directory: String, _ topic: Uuid?, _ index: Int32, _ entry: CheckpointEntry?, _ files: any FileSystem,
        isRepairing: Bool
    ) {
        self.directory = directory
        self.topic = topic
        self.index = index
        self.entry = entry
        self.files = files
        self.isRepairing = isRepairing
    }

    mutating func run(_ check: inout LogCheck) throws(MachineError) {
        check.report.partitions += 1
        var bases: [Int64] = []
        for name in try files.contents(ofDirectory: directory) {
            if let base = SegmentName.baseOffset(of: name, .log) {
                bases.append(base)
            } else if let offset = SegmentName.baseOffset(of: name, .snapshot) {
                try checkSnapshot(name, offset, &check.report)
            } else {
                noteOther(name, &check.report)
            }
        }
        bases.sort()
        while bases.count > 1, bases[1] <= entry?.logStartOffset ?? 0 {
            check.report.note(
                .notice, path(bases.removeFirst(), .log), "left over by retention; the next start removes it")
        }
        for (index, base) in bases.enumerated() {
            if index > 0, base != end.offset { try settleGap(before: base, &check.report) }
            try checkSegment(base, isLast: index == bases.count - 1, &check)
        }
        if let known = entry?.recoveryPoint.offset, end.offset < known {
            try settleGap(before: known, &check.report)
        }
    }

    /// The checkpoint entry after a repair that moved batches; nil if there was none.
    func repairedEntry(_ topic: Uuid, _ index: Int32) -> CheckpointEntry? {
        guard isRewritten else { return nil }
        var repaired = entry ?? CheckpointEntry(topicID: topic, partition: index)
        repaired.recoveryPoint = end
        repaired.isClean = false
        return repaired
    }

    private func path(_ base: Int64, _ kind: SegmentName.Kind) -> String {
        directory + "/" + SegmentName.file(base, kind)
    }

    private func noteOther(_ name: String, _ report: inout LogReport) {
        if SegmentName.baseOffset(of: name, .index) != nil || SegmentName.baseOffset(of: name, .timeindex) != nil {
            return
        }
        let path = directory + "/" + name
        if name.hasSuffix(SegmentName.quarantine) {
            report.note(.notice, path, "bytes that an earlier start or repair set aside")
        } else if name.hasSuffix(SegmentName.deleted) || name.hasSuffix(SegmentName.unfinished) {
            report.note(.notice, path, "left over; the next start removes it")
        } else {
            report.note(.notice, path, "no file of Millrace")
        }
    }

    private func checkSnapshot(_ name: String, _ offset: Int64, _ report: inout LogReport) throws(MachineError) {
        let path = directory + "/" + name
        do throws(LogError) {
            let bytes = try WholeFile.read(path, files) ?? []
            let snapshot = try ProducerSnapshot(decoding: bytes, path: path)
            guard snapshot.offset != offset else { return }
            report.note(.rebuildable, path, "is a snapshot of offset \(snapshot.offset)")
        } catch {
            var repair: String?
            if isRepairing {
                try Quarantine.take(path, files)
                repair = "moved to quarantine; the state is replayed from the segments"
            }
            report.note(.rebuildable, path, error.message, repair: repair)
        }
    }

    /// Offsets between two segments, or between the last one and the recovery point, are missing. Their offsets must
    /// not be given out again.
    private mutating func settleGap(before known: Int64, _ report: inout LogReport) throws(MachineError) {
        let message = "offsets \(end.offset) to \(known - 1) are missing"
        guard known > end.offset else {
            return report.note(.damage, path(known, .log), "the segment before it reaches to offset \(end.offset)")
        }
        var repair: String?
        if isRepairing {
            end.position = try FillerBatch.write(
                end.offset..<known, to: path(end.segmentBase, .log), at: end.position, files)
            end.offset = known
            try files.synchronizeDirectory(directory)
            try rebuildIndexes(end.segmentBase, size: end.position)
            isRewritten = true
            repair = "an empty batch stands for them"
        }
        report.note(.damage, path(end.segmentBase, .log), at: end.position, message, repair: repair)
    }

    // MARK: Segments

    private mutating func checkSegment(
        _ base: Int64, isLast: Bool, _ check: inout LogCheck
    ) throws(MachineError) {
        let logPath = path(base, .log)
        let (file, found) = try openSegment(base, check.journal)
        defer { file.close() }
        var size = found
        check.progress(
            LogCheck.Progress(path: logPath, bytesDone: check.report.bytes, bytesTotal: check.bytesTotal))
        check.report.segments += 1
        check.report.bytes += size
        var scan = SegmentScan(base: base)
        try scan.run(file, size: size, &check.report)
        let isTorn = isLast && isTornEnd(scan, size: size)
        for flaw in scan.flaws {
            check.report.note(
                isTorn ? .notice : .damage, logPath, at: flaw.range.lowerBound, flaw.reason,
                repair: isRepairing
                    ? "rewritten without the \(flaw.range.count) bytes; the original is in quarantine"
                    : isTorn ? "the next start cuts off these \(flaw.range.count) bytes, which no sync covered" : nil)
        }
        if !scan.isSound, isRepairing {
            size = try scan.rewrite(file, logPath, directory: directory, files)
            for kind in [SegmentName.Kind.index, .timeindex] { try files.remove(path(base, kind)) }
            isRewritten = true
        }
        end = LogPosition(offset: scan.next, segmentBase: base, position: size)
        if scan.isSound || isRepairing { try checkIndexes(scan, size: size, isLast: isLast, &check.report) }
    }

    /// Whether nothing but the end of the log is unsound, and that was not synced: the torn end of a write.
    private func isTornEnd(_ scan: SegmentScan, size: Int64) -> Bool {
        guard let known = entry?.recoveryPoint, scan.flaws.count == 1, scan.flaws[0].range.upperBound == size else {
            return false
        }
        let position = scan.flaws[0].range.lowerBound
        return scan.base > known.segmentBase || scan.base == known.segmentBase && position >= known.position
    }

    /// A segment as it is, or as it will be once the sync journal is redone, and its size.
    private func openSegment(_ base: Int64, _ journal: JournalContent?) throws(MachineError) -> (any File, Int64) {
        let file = try files.open(path(base, .log), .read)
        let size = try file.size()
        guard let topic, let journal,
            let extents = journal.extents[.init(topicID: topic, partition: index, base: base)]
        else { return (file, size) }
        let overlaid = OverlaidFile(file, sizeBytes: size, journal, extents)
        return (overlaid, try overlaid.size())
    }

    private func checkIndexes(
        _ scan: SegmentScan, size: Int64, isLast: Bool, _ report: inout LogReport
    ) throws(MachineError) {
        var faults: [(path: String, fault: IndexFault)] = []
        do throws(IndexFault) {
            let view = try IndexFile.read(OffsetEntry.self, baseOffset: scan.base, directory: directory, files: files)
            try scan.verify(view, size: size, isLast: isLast)
        } catch {
            faults.append((path(scan.base, .index), error))
        }
        do throws(IndexFault) {
            let view = try IndexFile.read(TimeEntry.self, baseOffset: scan.base, directory: directory, files: files)
            try scan.verify(view, size: size, isLast: isLast)
        } catch {
            faults.append((path(scan.base, .timeindex), error))
        }
        // The growing segment's index is stored when the log is closed; before that it need not be there.
        faults.removeAll { isLast && $0.fault.isMissing }
        guard !faults.isEmpty else { return }
        var repair: String?
        if isRepairing {
            try rebuildIndexes(scan.base, size: size)
            repair = "rebuilt"
        }
        for (path, fault) in faults where fault.isStale {
            report.note(
                .notice, path, "was left behind when the process died: \(fault.reason)",
                repair: repair ?? "rebuilt by whoever needs it first")
        }
        for (path, fault) in faults where !fault.isStale {
            report.note(.rebuildable, path, at: Int64(fault.position), fault.reason, repair: repair)
        }
    }

    private func rebuildIndexes(_ base: Int64, size: Int64) throws(MachineError) {
        let context = SegmentContext(files: files, open: OpenSegments(limit: 1))
        let segment = Segment(baseOffset: base, sizeBytes: size, directory: directory, context: context)
        do throws(LogError) {
            _ = try segment.rebuiltIndexes()
        } catch {
            throw MachineError(code: .device, operation: "rebuild the index of", path: segment.path(.log))
        }
        segment.closeFiles()
    }
}
