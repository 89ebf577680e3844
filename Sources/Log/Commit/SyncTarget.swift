import Machine

/// What one round of group commit syncs for one partition, and what is readable afterwards.
struct SyncTarget: Sendable {
    let partition: Partition
    let end: LogPosition
    let files: [PartitionCore.Unsynced]
    let directories: [String]
    /// Where the synced part ends, if nothing but whole batches in `files[0]` lies between it and `end`.
    let plainStart: LogPosition?

    /// Files and directories.
    var fileCount: Int { files.count + directories.count }
    /// Bytes between `plainStart` and `end`; 0 without.
    var plainBytes: Int { plainStart.map { Int(end.position - $0.position) } ?? 0 }

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
