import KafkaWire
public import Machine

/// Verifies a data directory that no server has open: every segment, index, snapshot and the checkpoint.
///
/// Repairing never deletes sound batches: indexes are rebuilt; a segment with damaged bytes is rewritten with its sound
/// batches, and the original is kept beside it in quarantine; what cannot be read is kept in quarantine.
public struct LogCheck {
    /// How far the check is.
    public struct Progress: Sendable, Equatable {
        /// The segment at hand.
        public let path: String
        /// Bytes of segments that were looked at.
        public let bytesDone: Int64
        /// Bytes of all segments.
        public let bytesTotal: Int64
    }

    let directory: String
    let files: any FileSystem
    let isRepairing: Bool
    let progress: (Progress) -> Void
    var report = LogReport()
    var bytesTotal: Int64 = 0
    /// What the sync journal holds; nil if nothing, or once it is redone.
    var journal: JournalContent?
    private var checkpoint: Checkpoint?
    private var entries: [Uuid: [Int32: CheckpointEntry]] = [:]

    /// Checks the data directory `directory`.
    ///
    /// - Parameters:
    ///   - repair: whether to repair what can be repaired.
    ///   - progress: called before each segment.
    /// - Throws: `.locked` if a server has it open, `.formatTooNew`, `.damaged` if it is no data directory,
    ///   `.storage` if something cannot be read or repaired.
    public static func run(
        directory: String, machine: Machine, repair: Bool = false, progress: @escaping (Progress) -> Void = { _ in }
    ) throws(LogError) -> LogReport {
        let files = machine.files
        let format = directory + "/format"
        guard let text = try WholeFile.read(format, files) else {
            throw LogError(.damaged, "\(directory) is no data directory: it has no file \"format\"")
        }
        let version = try DataDirectory.check(String(decoding: text, as: UTF8.self), format)
        let lock: any FileLock
        do {
            lock = try files.lock(directory + "/lock")
        } catch {
            throw error.code == .locked
                ? LogError(.locked, "a server has \(directory) open", cause: error)
                : LogError(.storage, "cannot lock \(directory)", cause: error)
        }
        defer { lock.unlock() }
        var check = LogCheck(directory: directory, files: files, isRepairing: repair, progress: progress)
        if version > DataDirectory.formatWithoutJournal { try check.checkJournal() }
        do throws(MachineError) {
            try check.checkAll(wall: machine.clock.wallMilliseconds())
        } catch {
            throw LogError(.storage, "cannot go on checking", cause: error)
        }
        return check.report
    }

    private init(
        directory: String, files: any FileSystem, isRepairing: Bool, progress: @escaping (Progress) -> Void
    ) {
        self.directory = directory
        self.files = files
        self.isRepairing = isRepairing
        self.progress = progress
    }

    private mutating func checkAll(wall: Int64) throws(MachineError) {
        try checkCheckpoint()
        let log = directory + "/log"
        guard try files.information(at: log) != nil else { return }
        var partitions: [(path: String, topic: Uuid?, index: Int32)] = []
        for topic in try files.contents(ofDirectory: log) {
            let path = log + "/" + topic
            let id = TopicDirectory.identity(of: path, files)
            if id == nil { report.note(.notice, path + "/topic", "missing or unreadable; rewritten by the next start") }
            for name in try files.contents(ofDirectory: path) where name != TopicDirectory.identityName {
                if let index = Int32(name) {
                    partitions.append((path + "/" + name, id, index))
                    bytesTotal += try segmentBytes(path + "/" + name)
                } else {
                    report.note(.notice, path + "/" + name, "no file of Millrace")
                }
            }
        }
        var isCheckpointChanged = false
        for partition in partitions.sorted(by: { $0.path < $1.path }) {
            let entry = partition.topic.flatMap { id in
                // A checkpoint without the partition is older than its first append.
                entries[id]?[partition.index]
                    ?? checkpoint.map { _ in CheckpointEntry(topicID: id, partition: partition.index) }
            }
            var check = PartitionCheck(
                partition.path, partition.topic, partition.index, entry, files, isRepairing: isRepairing)
            try check.run(&self)
            guard let id = partition.topic, let repaired = check.repairedEntry(id, partition.index) else { continue }
            entries[id, default: [:]][partition.index] = repaired
            isCheckpointChanged = true
        }
        if isCheckpointChanged { try writeCheckpoint(wall) }
    }

    private func segmentBytes(_ directory: String) throws(MachineError) -> Int64 {
        var sum: Int64 = 0
        for name in try files.contents(ofDirectory: directory) where SegmentName.baseOffset(of: name, .log) != nil {
            sum += try files.information(at: directory + "/" + name)?.sizeBytes ?? 0
        }
        return sum
    }

    private mutating func checkCheckpoint() throws(MachineError) {
        let path = directory + "/checkpoint"
        do throws(LogError) {
            checkpoint = try Checkpoint.read(path, files)
            for entry in checkpoint?.entries ?? [] { entries[entry.topicID, default: [:]][entry.partition] = entry }
            if checkpoint == nil {
                report.note(.rebuildable, path, "missing; the next start verifies every partition")
            }
        } catch {
            var repair: String?
            if isRepairing {
                try Quarantine.take(path, files)
                repair = "moved to quarantine; the next start verifies every partition"
            }
            report.note(.rebuildable, path, error.message, repair: repair)
        }
    }

    /// Repaired partitions end elsewhere than the old checkpoint says. The next start counts as unclean.
    private func writeCheckpoint(_ wall: Int64) throws(MachineError) {
        let all = entries.values.flatMap(\.values).sorted {
            $0.topicID == $1.topicID ? $0.partition < $1.partition : $0.topicID < $1.topicID
        }
        let checkpoint = Checkpoint(isClean: checkpoint?.isClean ?? false, writtenMilliseconds: wall, entries: all)
        try checkpoint.write(to: directory + "/checkpoint", inDirectory: directory, files)
    }
}
