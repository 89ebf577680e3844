import KafkaWire
public import Machine
public import Storage
import Synchronization

extension CommitLog {
    private static let clusterKey = "log/cluster-id"

    /// Opens the log in `directory`, which is created if absent, and recovers every partition.
    ///
    /// - Parameter onEvent: hears what an operator should know; may be called from any thread.
    /// - Throws: `.invalidConfig` for settings out of range; `.locked` if another process has it open, `.formatTooNew`, `.metadata`, `.storage`. Damage to a
    ///   partition does not throw: the partition is fenced, `onEvent` hears of it, the others serve.
    public static func open(
        directory: String, settings: LogSettings, machine: Machine, metadata: any MetadataStore,
        onEvent: @escaping @Sendable (LogEvent) -> Void = { _ in }
    ) throws(LogError) -> CommitLog {
        try settings.validate()
        let data = try DataDirectory(directory, machine.files)
        let context = LogContext(
            machine: machine, settings: settings, directory: directory,
            segments: SegmentContext(files: machine.files, open: OpenSegments(limit: settings.maximumOpenSegments)),
            commits: CommitQueue(clock: machine.clock), producers: ProducerBudget(limit: settings.maximumProducers),
            disk: DiskSpace(reserveBytes: settings.diskReserveBytes),
            report: onEvent)
        let checkpoint = try readCheckpoint(data, context)
        let log = CommitLog(
            context: context, data: data, metadata: metadata,
            clusterID: try clusterID(metadata, machine.randomness),
            lastCheckpointMilliseconds: checkpoint?.writtenMilliseconds)
        let isUnclean = !data.isNew && checkpoint?.isClean != true
        try log.loadTopics(checkpoint, isUnclean: isUnclean)
        try log.redoJournal()
        try log.settleDirectories(isUnclean: isUnclean)
        try log.recover()
        try log.checkMark()
        return log
    }

    /// A checkpoint that does not verify is as good as none: everything is verified from the start. One that cannot be
    /// read now may verify later; without it leader epochs would come back lower.
    private static func readCheckpoint(
        _ data: DataDirectory, _ context: LogContext
    ) throws(LogError) -> Checkpoint? {
        do throws(LogError) {
            return try Checkpoint.read(data.checkpoint, context.files)
        } catch {
            guard error.code == .damaged else { throw error }
            context.report(
                LogEvent(severity: .warning, partition: "", message: "\(error); verifying every partition instead"))
            return nil
        }
    }

    private static func clusterID(
        _ metadata: any MetadataStore, _ randomness: any Randomness
    ) throws(LogError) -> String {
        do {
            if let entry = try metadata.get(clusterKey) { return String(decoding: entry.value, as: UTF8.self) }
            let id = Uuid(randomBits: randomness.next(), randomness.next()).description
            try metadata.commit([.put(key: clusterKey, value: Array(id.utf8), expected: nil)])
            return id
        } catch {
            throw LogError(.metadata, "cannot read the cluster's id", cause: error)
        }
    }

    private func loadTopics(_ checkpoint: Checkpoint?, isUnclean: Bool) throws(LogError) {
        var known: [Uuid: [Int32: CheckpointEntry]] = [:]
        for entry in checkpoint?.entries ?? [] { known[entry.topicID, default: [:]][entry.partition] = entry }
        let entries: [MetadataEntry]
        do {
            entries = try metadata.list(prefix: TopicRecord.prefix)
        } catch {
            throw LogError(.metadata, "cannot list the topics", cause: error)
        }
        for entry in entries {
            let record = try TopicRecord(key: entry.key, decoding: entry.value)
            let configuration = try settings.topicDefaults.applying(record.configs)
            registry.insert(
                Topic(
                    record, configuration: configuration, context: context,
                    checkpoints: checkpoint == nil ? nil : known[record.id] ?? [:], isUnclean: isUnclean))
        }
    }

    /// Puts what only the sync journal holds into the segments, before any partition looks at them.
    private func redoJournal() throws(LogError) {
        guard data.format > DataDirectory.formatWithoutJournal else { return }
        var redo = try JournalRedo(in: data.path, context.files)
        for finding in redo.content.findings {
            report(.error, "\(finding.path) at \(finding.position): \(finding.message)")
        }
        try redo.run { id throws(LogError) in try directory(ofTopic: id) }
        if redo.bytes > 0 {
            report(.notice, "put \(redo.bytes) bytes of the sync journal into \(redo.segments) segments")
        }
    }

    /// Where a topic's partitions stand; nil if it is gone, or if the directory of its name is not its own yet.
    private func directory(ofTopic id: Uuid) throws(LogError) -> String? {
        guard let topic = registry.topic(id: id) else { return nil }
        let text = try WholeFile.read(topic.directory + "/" + TopicDirectory.identityName, context.files)
        if let found = text.flatMap(TopicDirectory.identity), found != id { return nil }
        return topic.directory
    }

    /// After an unclean end every partition is opened and verified; a clean one leaves that to the first use. Either
    /// way the clean-shutdown mark goes before anything is appended.
    ///
    /// What a process that was killed left in the page cache is synced with the volume: segments that it created, and
    /// tails that it cut off after a failed write or sync, of which nobody else knows any more.
    private func recover() throws(LogError) {
        let unclean = registry.topics.flatMap(\.partitions).filter(\.isUnclean)
        for partition in unclean { partition.recover() }
        if !unclean.isEmpty {
            do {
                try flusher.flushVolume()
            } catch {
                throw LogError(.storage, "cannot sync what the last process left", cause: error)
            }
        }
        checkpoint(always: true)
    }

    /// Nothing is served before the checkpoint is replaced: as long as the clean-shutdown mark stands, the next start
    /// would trust what it must verify, and a leader epoch that was announced must never come back lower.
    private func checkMark() throws(LogError) {
        guard !checkpoints.withLock({ $0.isOwed }) else {
            throw LogError(.storage, "cannot replace \(data.checkpoint); the log cannot begin without")
        }
    }
}
