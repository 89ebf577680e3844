import KafkaWire
import Machine

/// Verifies the files of one partition, and repairs them if asked to.
struct PartitionCheck {
    /// A run of bytes that are no sound batches.
    struct Flaw: Sendable, Equatable {
        var range: Range<Int64>
        var reason: String
    }

    private let directory: String
    private let entry: CheckpointEntry?
    private let files: any FileSystem
    private let isRepairing: Bool
    private var end = LogPosition(offset: 0, segmentBase: 0, position: 0)
    private var isRewritten = false

    init(_ directory: String, _ entry: CheckpointEntry?, _ files: any FileSystem, isRepairing: Bool) {
        self.directory = directory
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
        for (index, base) in bases.enumerated() {
            if index > 0, base != end.offset {
                check.report.note(
                    base > end.offset && end.offset >= entry?.logStartOffset ?? 0 ? .damage : .notice,
                    path(base, .log), "begins at offset \(base), but the segment before it ends at \(end.offset)")
            }
            try checkSegment(base, isLast: index == bases.count - 1, &check)
        }
        try checkEnd(&check.report)
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

    // MARK: Segments

    private mutating func checkSegment(
        _ base: Int64, isLast: Bool, _ check: inout LogCheck
    ) throws(MachineError) {
        let logPath = path(base, .log)
        let size = try files.information(at: logPath)?.sizeBytes ?? 0
        check.progress(
            LogCheck.Progress(path: logPath, bytesDone: check.report.bytes, bytesTotal: check.bytesTotal))
        check.report.segments += 1
        check.report.bytes += size
        var scan = SegmentScan(base: base)
        let file = try files.open(logPath, .read)
        defer { file.close() }
        try scan.run(file, size: size, &check.report, logPath)
        end = LogPosition(offset: scan.next, segmentBase: base, position: scan.soundBytes)
        var sizeAfterwards = size
        if !scan.flaws.isEmpty {
            try settle(scan, file, size: size, &check.report)
            if isRepairing { sizeAfterwards = scan.soundBytes }
        }
        try checkIndexes(base, scan, size: sizeAfterwards, isLast: isLast, &check.report)
    }

    private mutating func settle(
        _ scan: SegmentScan, _ file: any File, size: Int64, _ report: inout LogReport
    ) throws(MachineError) {
        let logPath = path(scan.base, .log)
        for flaw in scan.flaws {
            report.note(
                .damage, logPath, at: flaw.range.lowerBound,
                "\(flaw.reason); \(flaw.range.upperBound - flaw.range.lowerBound) bytes are no sound batch",
                repair: isRepairing ? "cut out; the original is kept in quarantine" : nil)
        }
        guard isRepairing else { return }
        try scan.rewrite(file, size: size, logPath, directory: directory, files)
        for kind in [SegmentName.Kind.index, .timeindex] { try files.remove(path(scan.base, kind)) }
        isRewritten = true
    }

    private func checkIndexes(
        _ base: Int64, _ scan: SegmentScan, size: Int64, isLast: Bool, _ report: inout LogReport
    ) throws(MachineError) {
        var faults: [(path: String, IndexFault)] = []
        do throws(IndexFault) {
            let view = try IndexFile.read(OffsetEntry.self, baseOffset: base, directory: directory, files: files)
            try scan.verify(view, size: size, isLast: isLast)
        } catch {
            faults.append((path(base, .index), error))
        }
        do throws(IndexFault) {
            let view = try IndexFile.read(TimeEntry.self, baseOffset: base, directory: directory, files: files)
            try scan.verify(view, size: size, isLast: isLast)
        } catch {
            faults.append((path(base, .timeindex), error))
        }
        // The growing segment's index is stored when the log is closed; before that it need not be there.
        faults.removeAll { isLast && $0.1.isMissing }
        guard !faults.isEmpty else { return }
        var repair: String?
        if isRepairing {
            try scan.storeIndexes(size: size, directory: directory, files)
            repair = "rebuilt"
        }
        for (path, fault) in faults {
            report.note(.rebuildable, path, at: Int64(fault.position), fault.reason, repair: repair)
        }
    }

    /// A log that ends before its recovery point lost synced records. Their offsets must not be given out again.
    private mutating func checkEnd(_ report: inout LogReport) throws(MachineError) {
        guard let entry, end.offset < entry.recoveryPoint.offset else { return }
        let known = entry.recoveryPoint.offset
        var repair: String?
        if isRepairing {
            let file = try files.open(path(known, .log), .readWriteCreate)
            try file.synchronize()
            try files.synchronizeDirectory(directory)
            end = LogPosition(offset: known, segmentBase: known, position: 0)
            isRewritten = true
            repair = "the log goes on at offset \(known)"
        }
        report.note(
            .damage, directory, "offsets \(end.offset) to \(known - 1) were synced, but are missing",
            repair: repair)
    }
}
