import KafkaWire
import Machine

/// One partition on its way into a backup. A step takes one file, so that a server, or a simulation, can do anything
/// between two steps.
struct PartitionBackup: Sendable {
    /// Listings of a partition whose segments go as fast as they are taken, before it is given up.
    private static let maximumListings = 1_000

    let source: String
    /// The directory within the backup: `log/<topic>/<partition>`.
    let name: String
    let topic: (name: String, id: Uuid)
    let index: Int32
    /// What the server's checkpoint says; nil if it has none.
    let entry: CheckpointEntry?
    /// What the sync journal holds.
    let journal: JournalContent?

    private var listings = 0
    private var isListed = false
    private var queue: [Int64] = []
    private var segments: [Int64: [BackupTarget.Taken]] = [:]
    private var snapshots: [BackupManifest.File] = []
    /// What is wrong in the server's files.
    private(set) var findings: [String] = []
    /// What stands in the backup once it is done.
    private(set) var result: CheckpointEntry

    init(
        source: String, name: String, topic: (name: String, id: Uuid), index: Int32, entry: CheckpointEntry?,
        journal: JournalContent?
    ) {
        self.source = source
        self.name = name
        self.topic = topic
        self.index = index
        self.entry = entry
        self.journal = journal
        result = entry ?? CheckpointEntry(topicID: topic.id, partition: index)
    }

    /// The files that are in the backup.
    var files: [BackupManifest.File] {
        segments.sorted { $0.key < $1.key }.flatMap { $0.value.map(\.file) } + snapshots
    }

    var line: BackupManifest.Partition {
        BackupManifest.Partition(
            topicID: topic.id, topic: topic.name, index: index, startOffset: result.logStartOffset,
            endOffset: max(result.recoveryPoint.offset, result.logStartOffset), leaderEpoch: result.leaderEpoch)
    }

    /// Takes the next file.
    ///
    /// - Returns: false once everything is done.
    mutating func step(_ target: inout BackupTarget) throws(LogError) -> Bool {
        do throws(MachineError) {
            guard isListed else {
                try list(target)
                return true
            }
            guard let base = queue.first else {
                try settle(target)
                return false
            }
            try take(base, &target)
            queue.removeFirst()
            return true
        } catch {
            // Retention, or the deletion of the topic, was faster.
            if error.code == .notFound, error.path.hasPrefix(source), listings < Self.maximumListings {
                isListed = false
                return true
            }
            throw LogError(
                error.code == .noSpace ? .noSpace : .storage, "cannot back up \(topic.name)-\(index)", cause: error)
        }
    }

    // MARK: Listing

    /// Lists the segments, then copies the snapshots: what removes a segment has stored a snapshot before.
    private mutating func list(_ target: BackupTarget) throws(MachineError) {
        listings += 1
        isListed = true
        queue = []
        snapshots = []
        guard try target.files.information(at: source) != nil else { return try forget(target, below: .max) }
        let bases = try target.files.contents(ofDirectory: source).compactMap { SegmentName.baseOffset(of: $0, .log) }
        try forget(target, below: bases.min() ?? .max)
        // What was still growing when it was copied has gone on.
        for base in segments.keys where !isSealed(base) { try forget(target, base) }
        try target.files.createDirectory(target.path(name))
        try clear(target)
        try copySnapshots(target)
        queue = bases.sorted().filter { segments[$0] == nil }
    }

    private mutating func forget(_ target: BackupTarget, below start: Int64) throws(MachineError) {
        for base in segments.keys where base < start { try forget(target, base) }
    }

    private mutating func forget(_ target: BackupTarget, _ base: Int64) throws(MachineError) {
        for taken in segments.removeValue(forKey: base) ?? [] { try target.files.remove(target.path(taken.file.path)) }
    }

    private mutating func copySnapshots(_ target: BackupTarget) throws(MachineError) {
        for file in try target.files.contents(ofDirectory: source)
        where SegmentName.baseOffset(of: file, .snapshot) != nil {
            snapshots.append(try target.copy(source + "/" + file, as: name + "/" + file))
        }
    }

    // MARK: Segments

    /// Whether nothing but its removal is going to change a segment: it is not the last one, and all of it was synced.
    private func isSealed(_ base: Int64) -> Bool {
        guard let entry, base < entry.recoveryPoint.segmentBase else { return false }
        return journal?.extents[.init(topicID: topic.id, partition: index, base: base)] == nil
    }

    private mutating func take(_ base: Int64, _ target: inout BackupTarget) throws(MachineError) {
        let path = source + "/" + SegmentName.file(base, .log)
        let place = name + "/" + SegmentName.file(base, .log)
        // The indexes come first: they may tell less than the segment holds, never more.
        let indexes = try copyIndexes(of: base, target)
        let segment: BackupTarget.Taken
        if isSealed(base) {
            segment = try target.takeSealed(path, as: place, base: base, topic: topic.id.description)
        } else {
            let file = try target.files.open(path, .read)
            defer { file.close() }
            let information = try target.files.information(at: path)
            let known = entry?.recoveryPoint
            // Below the recovery point nothing is cut off, sound or not.
            let kept = known.map { $0.segmentBase > base ? Int64.max : $0.segmentBase == base ? $0.position : 0 } ?? 0
            segment = try target.copyGrowing(
                try overlaid(file, base), as: place, base: base, keeping: kept, information)
        }
        segments[base] = indexes + [segment]
    }

    /// Removes what an earlier attempt has left.
    private func clear(_ target: BackupTarget) throws(MachineError) {
        let known = Set(files.map(\.path))
        for file in try target.files.contents(ofDirectory: target.path(name)) where !known.contains(name + "/" + file) {
            try target.files.remove(target.path(name + "/" + file))
        }
    }

    private func overlaid(_ file: any File, _ base: Int64) throws(MachineError) -> any File {
        guard let journal, let extents = journal.extents[.init(topicID: topic.id, partition: index, base: base)]
        else { return file }
        return OverlaidFile(file, sizeBytes: try file.size(), journal, extents)
    }

    /// Indexes that verify; the others are rebuilt by the restored server.
    private func copyIndexes(of base: Int64, _ target: BackupTarget) throws(MachineError) -> [BackupTarget.Taken] {
        var taken: [BackupTarget.Taken] = []
        for kind in [SegmentName.Kind.index, .timeindex] {
            let file = SegmentName.file(base, kind)
            guard try target.files.information(at: source + "/" + file) != nil else { continue }
            let copy = try target.copy(source + "/" + file, as: name + "/" + file)
            if isSound(kind, base, target) {
                taken.append(BackupTarget.Taken(file: copy, end: nil, fault: nil))
            } else {
                try target.files.remove(target.path(copy.path))
            }
        }
        return taken
    }

    private func isSound(_ kind: SegmentName.Kind, _ base: Int64, _ target: BackupTarget) -> Bool {
        let directory = target.path(name)
        do throws(IndexFault) {
            if kind == .index {
                _ = try IndexFile.read(OffsetEntry.self, baseOffset: base, directory: directory, files: target.files)
            } else {
                _ = try IndexFile.read(TimeEntry.self, baseOffset: base, directory: directory, files: target.files)
            }
            return true
        } catch {
            return false
        }
    }

    // MARK: What it amounts to

    /// Decides where the partition of the backup ends, and what its checkpoint says.
    private mutating func settle(_ target: BackupTarget) throws(MachineError) {
        let known = entry?.recoveryPoint ?? LogPosition(offset: 0, segmentBase: 0, position: 0)
        var end = known
        var next: Int64?
        var isBroken = false
        for base in segments.keys.sorted() {
            guard let segment = segments[base]?.last else { continue }
            if isBroken || next.map({ $0 != base }) ?? false {
                // Above the recovery point it was never promised, and a start would cut it off, too.
                if base > known.segmentBase {
                    try forget(target, base)
                    isBroken = true
                    continue
                }
                findings.append("\(segment.file.path): the segment before it reaches to offset \(next ?? 0)")
            }
            if let fault = segment.fault { findings.append("\(segment.file.path) \(fault)") }
            next = segment.end.flatMap { segment.fault == nil ? $0.offset : nil }
            end = segment.end ?? end
        }
        result.isClean = false
        result.logStartOffset = max(result.logStartOffset, segments.keys.min() ?? 0)
        result.leaderEpoch += BackupFormat.epochDistance
        if end.offset >= known.offset {
            result.recoveryPoint = end
        } else if !segments.isEmpty || known.offset > result.logStartOffset {
            findings.append(
                "\(name): ends at offset \(segments.isEmpty ? 0 : end.offset), but was synced up to \(known.offset)")
        }
        if !segments.isEmpty { try target.files.synchronizeDirectory(target.path(name)) }
    }
}
