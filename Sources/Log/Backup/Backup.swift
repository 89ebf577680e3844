import KafkaWire
public import Machine
public import Storage

/// How a backup is made.
public struct BackupSettings: Sendable {
    /// Whether sealed segments are linked instead of copied where that is possible. The default is true.
    public var isLinking = true
    /// An earlier backup, whose sealed segments are neither copied nor read again. The default is none.
    public var previous: String?
    /// The version that the manifest names.
    public var programVersion = "unknown"
    /// Called with the number of bytes after each piece that was read, and may wait. The default does nothing.
    public var pace: @Sendable (Int) -> Void = { _ in }

    /// The defaults.
    public init() {}
}

/// A consistent backup of a data directory, whether a server has it open or not: docs/decisions/014.
///
/// A synchronous value: each `step()` takes about one file. Nothing of the data directory is changed or locked.
public struct Backup {
    private enum Stage {
        case groups
        case metadata
        case topics
        case finish
        case done
    }

    private struct Job {
        let topic: (name: String, id: Uuid)
        var partitions: [PartitionBackup]
        var next = 0
    }

    let directory: String
    let machine: Machine
    private let metadata: () throws(StorageError) -> [MetadataEntry]
    private var target: BackupTarget
    private var manifest: ManifestWriter
    private let source: BackupSource
    private let settings: BackupSettings
    private let began: Int64
    private var stage = Stage.groups
    private var jobs: [Job] = []
    private var entries: [MetadataEntry] = []
    /// The topics' directories after the groups' offsets were copied.
    private var known: [String: Uuid] = [:]
    private var kept: Set<String> = []
    /// The topics that were there when the backup began.
    private var earlier: [String: Uuid] = [:]
    private var checkpoint = Checkpoint()
    /// What was done so far.
    public private(set) var report = BackupReport()

    private var files: any FileSystem { machine.files }

    /// Begins a backup.
    ///
    /// - Parameters:
    ///   - target: the directory of the backup, which is created; if it exists, it must be empty.
    ///   - metadata: reads what the metadata store knows, as of one moment. Called twice.
    /// - Throws: `.damaged` if there is no data directory or `settings.previous` is no backup, `.formatTooNew`, `.storage`,
    ///   `.noSpace`.
    public init(
        of directory: String, to target: String, settings: BackupSettings, machine: Machine,
        metadata: @escaping () throws(StorageError) -> [MetadataEntry]
    ) throws(LogError) {
        let files = machine.files
        self.directory = Self.trimmed(directory)
        self.machine = machine
        self.settings = settings
        self.metadata = metadata
        let place = Self.trimmed(target)
        began = machine.clock.wallMilliseconds()
        source = try BackupSource(self.directory, files)
        try BackupFormat.checkTarget(place, outside: self.directory, files)
        let previous = try settings.previous.map { path throws(LogError) in
            try PreviousBackup(Self.trimmed(path), files)
        }
        self.target = BackupTarget(
            directory: place, files: files, pace: settings.pace, previous: previous, isLinking: settings.isLinking)
        do throws(MachineError) {
            try files.createDirectory(place + "/log")
            // Whoever creates this file has the directory.
            _ = try self.target.write(BackupFormat.line, as: "format", modified: 0)
            try DataDirectory.synchronizeWay(to: place + "/log", files)
            manifest = try ManifestWriter(place, files)
            try manifest.add(BackupManifest.firstLines(programVersion: settings.programVersion, began: began))
        } catch {
            throw LogError(
                error.code == .noSpace ? .noSpace : .storage, "cannot begin a backup in \(place)", cause: error)
        }
        try begin()
    }

    /// Does the next part.
    ///
    /// - Returns: false once the backup is whole.
    /// - Throws: `.storage`, `.noSpace`, `.metadata`. The backup then stays unfinished.
    public mutating func step() throws(LogError) -> Bool {
        switch stage {
        case .groups:
            if try !stepJobs() { stage = .metadata }
        case .metadata:
            try chooseTopics()
            stage = .topics
        case .topics:
            if try !stepJobs() { stage = .finish }
        case .finish:
            try finish()
            stage = .done
        case .done: break
        }
        return stage != .done
    }

    private static func trimmed(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        return String(path)
    }

    private func wrap<Result>(_ what: String, _ body: () throws(MachineError) -> Result) throws(LogError) -> Result {
        do {
            return try body()
        } catch {
            throw LogError(error.code == .noSpace ? .noSpace : .storage, what, cause: error)
        }
    }

    // MARK: Order

    private mutating func begin() throws(LogError) {
        for record in try records() { earlier[record.name] = record.id }
        let name = TopicName.consumerOffsets
        guard let id = earlier[name], source.identity(of: name) == id else { return }
        let indexes = try wrap("cannot list \(name)") { () throws(MachineError) in try source.partitions(of: name) }
        jobs = [job(name, id, indexes)]
    }

    /// Reads the metadata anew.
    private mutating func records() throws(LogError) -> [TopicRecord] {
        do throws(StorageError) {
            entries = try metadata()
        } catch {
            throw LogError(.metadata, "cannot read the metadata of \(directory)", cause: error)
        }
        var records: [TopicRecord] = []
        for entry in entries where entry.key.hasPrefix(TopicRecord.prefix) {
            records.append(try TopicRecord(key: entry.key, decoding: entry.value))
        }
        return records
    }

    private func job(_ name: String, _ id: Uuid, _ indexes: [Int32]) -> Job {
        Job(
            topic: (name, id),
            partitions: indexes.map { index in
                PartitionBackup(
                    source: "\(directory)/log/\(name)/\(index)", name: "log/\(name)/\(index)", topic: (name, id),
                    index: index, entry: source.entry(id, index), journal: source.journal)
            })
    }

    /// The topics that are to be part of the backup: those that are there before and after the groups' offsets were
    /// copied. What these say of any other topic is forgotten by the restored server.
    private mutating func chooseTopics() throws(LogError) {
        // Before the metadata: a directory that stands here and is gone later was deleted; one that comes later had
        // nothing yet when the groups' offsets were copied.
        for name in try source.topics() { known[name] = source.identity(of: name) }
        var isGroupsTopicThere = false
        for record in try records() where earlier[record.name] == record.id {
            if record.name == TopicName.consumerOffsets {
                isGroupsTopicThere = true
                // What was committed since is not part of the backup.
                kept.insert(record.name)
            } else {
                jobs.append(job(record.name, record.id, Array(0..<record.partitionCount)))
            }
        }
        guard isGroupsTopicThere || earlier[TopicName.consumerOffsets] == nil else {
            throw LogError(.storage, "\(TopicName.consumerOffsets) was deleted while it was copied; try again")
        }
    }

    private mutating func stepJobs() throws(LogError) -> Bool {
        guard var job = jobs.first else { return false }
        guard job.next < job.partitions.count else {
            jobs.removeFirst()
            try finish(job)
            return true
        }
        if try !job.partitions[job.next].step(&target) { job.next += 1 }
        jobs[0] = job
        return true
    }

    // MARK: Results

    /// Takes a topic into the backup, unless it was deleted meanwhile.
    private mutating func finish(_ job: Job) throws(LogError) {
        let (name, id) = job.topic
        let place = "log/" + name
        let isThere = try wrap("cannot examine \(name)") { () throws(MachineError) in try source.exists(name) }
        let found = source.identity(of: name)
        let isGone = isThere ? found.map { $0 != id } ?? false : known[name] == id
        if isGone {
            report.notices.append("topic \(name) was deleted meanwhile, and is not part of the backup")
            return try wrap("cannot remove \(place)") { () throws(MachineError) in try files.remove(target.path(place))
            }
        }
        kept.insert(name)
        report.topics += 1
        let views = try wrap("cannot back up the view of \(name)") { () throws(MachineError) in
            try ViewBackup(source: directory, topicID: id).take(&target)
        }
        let isEmpty = job.partitions.allSatisfy(\.files.isEmpty)
        try wrap("cannot write the backup of \(name)") { () throws(MachineError) in
            for partition in job.partitions { try note(partition) }
            for file in views { try note(file) }
            guard !isEmpty else { return }
            try note(
                target.write(Array("\(id)\n".utf8), as: place + "/" + TopicDirectory.identityName, modified: began))
            try files.synchronizeDirectory(target.path(place))
        }
    }

    private mutating func note(_ partition: PartitionBackup) throws(MachineError) {
        checkpoint.entries.append(partition.result)
        report.partitions += 1
        report.offsets += partition.line.endOffset - partition.line.startOffset
        report.findings += partition.findings
        try manifest.add(partition.line.line)
        for file in partition.files { try note(file) }
    }

    private mutating func note(_ file: BackupManifest.File) throws(MachineError) {
        report.count(file)
        try manifest.add(file.line)
    }

    private mutating func finish() throws(LogError) {
        let now = machine.clock.wallMilliseconds()
        checkpoint.writtenMilliseconds = now
        let prepared = BackupMetadata.prepared(entries) { kept.contains($0) }
        try wrap("cannot finish the backup") { () throws(MachineError) in
            try note(target.write(BackupMetadata.encode(prepared), as: "metadata", modified: now))
            try note(target.write(checkpoint.encoded(), as: "checkpoint", modified: now))
            try files.synchronizeDirectory(target.path("log"))
            let views = target.path("views")
            if try files.information(at: views) != nil { try files.synchronizeDirectory(views) }
            try files.synchronizeDirectory(target.directory)
            try manifest.add(BackupManifest.line(ended: now))
            try manifest.finish()
        }
    }
}
