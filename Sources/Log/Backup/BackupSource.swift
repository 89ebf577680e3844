import KafkaWire
import Machine

/// The data directory that is backed up, as it was when the backup began: what was synced, and what only the sync journal
/// holds. Its files are read as they come.
struct BackupSource: Sendable {
    let directory: String
    let files: any FileSystem
    /// What the sync journal holds; nil if nothing.
    let journal: JournalContent?
    private var entries: [Uuid: [Int32: CheckpointEntry]] = [:]
    /// Whether there was a checkpoint. A partition that it does not name is younger than it.
    private let hasCheckpoint: Bool

    /// - Throws: `.damaged` if it is no data directory, `.formatTooNew`, `.storage`.
    init(_ directory: String, _ files: any FileSystem) throws(LogError) {
        self.directory = directory
        self.files = files
        let format = directory + "/format"
        guard let text = try WholeFile.read(format, files) else {
            throw LogError(.damaged, "\(directory) is no data directory: it has no file \"format\"")
        }
        try DataDirectory.check(String(decoding: text, as: UTF8.self), format)
        // The checkpoint first: what it says holds from then on.
        let checkpoint = try Self.checkpoint(directory, files)
        hasCheckpoint = checkpoint != nil
        for entry in checkpoint?.entries ?? [] { entries[entry.topicID, default: [:]][entry.partition] = entry }
        // Whatever the format says: a server that is starting may say 2 any moment. Rounds that were redone already
        // are what the segments hold, too.
        let content = try JournalContent(in: directory, files)
        journal = content.isEmpty ? nil : content
    }

    /// One that does not verify is as good as none, as for a start.
    private static func checkpoint(_ directory: String, _ files: any FileSystem) throws(LogError) -> Checkpoint? {
        do throws(LogError) {
            return try Checkpoint.read(directory + "/checkpoint", files)
        } catch {
            if error.code == .damaged { return nil }
            throw error
        }
    }

    func entry(_ topic: Uuid, _ partition: Int32) -> CheckpointEntry? {
        entries[topic]?[partition] ?? (hasCheckpoint ? CheckpointEntry(topicID: topic, partition: partition) : nil)
    }

    /// The id of the topic whose directory has this name; nil if there is none.
    func identity(of name: String) -> Uuid? { TopicDirectory.identity(of: directory + "/log/" + name, files) }

    func exists(_ name: String) throws(MachineError) -> Bool {
        try files.information(at: directory + "/log/" + name) != nil
    }

    /// The names of all topics' directories.
    func topics() throws(LogError) -> [String] {
        do {
            return try files.contents(ofDirectory: directory + "/log")
        } catch {
            throw LogError(.storage, "cannot list the topics of \(directory)", cause: error)
        }
    }

    /// The partitions that have a directory.
    func partitions(of name: String) throws(MachineError) -> [Int32] {
        try files.contents(ofDirectory: directory + "/log/" + name).compactMap { Int32($0) }.sorted()
    }
}
