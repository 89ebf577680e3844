import Machine

/// What one round of group commit syncs for one partition, and what is readable afterwards.
struct SyncTarget: Sendable {
    let partition: Partition
    let end: LogPosition
    let files: [PartitionCore.Unsynced]
    let directories: [String]

    /// Syncs file by file.
    func synchronize(_ fileSystem: any FileSystem) -> LogError? {
        do {
            for unsynced in files { try unsynced.file.synchronize() }
            for directory in directories { try fileSystem.synchronizeDirectory(directory) }
            return nil
        } catch {
            return LogError(.fenced, "\(partition.label): a sync failed; restart to recover", cause: error)
        }
    }
}
