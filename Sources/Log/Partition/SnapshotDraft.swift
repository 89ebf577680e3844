import Machine

/// What a partition's directory is to hold durably: a producer snapshot, if there is one to be written.
struct SnapshotDraft: Sendable {
    let partition: Partition
    /// Nil: only the directory's entries are to be made durable.
    let snapshot: ProducerSnapshot?
    /// Where the partition's first segment begins: what was taken out of the log before it may go afterwards.
    var startOffset: Int64 = 0

    /// Whether everything before the snapshot is synced. Earlier it must not be written: should a power cut take what
    /// it stands for, other batches would get its offsets.
    var isDue: Bool { snapshot.map { partition.highWatermark >= $0.offset } ?? true }

    private func path(_ snapshot: ProducerSnapshot) -> String {
        partition.directory + "/" + SegmentName.file(snapshot.offset, .snapshot)
    }

    /// Writes the snapshot, which is durable once the file and the directory are synced.
    ///
    /// - Parameter isSyncing: whether to sync file and directory here.
    func write(isSyncing: Bool, _ files: any FileSystem) throws(MachineError) {
        if let snapshot {
            let path = path(snapshot)
            let file = try files.open(path + SegmentName.unfinished, .replace)
            defer { file.close() }
            try snapshot.encoded().withBytes { bytes throws(MachineError) in try file.write(bytes, at: 0) }
            if isSyncing { try file.synchronize() }
            try files.rename(path + SegmentName.unfinished, to: path)
        }
        if isSyncing { try files.synchronizeDirectory(partition.directory) }
    }

    /// Removes all but the newest two snapshots, now that the newest is durable.
    func prune(_ files: any FileSystem) throws(MachineError) {
        guard snapshot != nil else { return }
        let offsets = try files.contents(ofDirectory: partition.directory)
            .compactMap { SegmentName.baseOffset(of: $0, .snapshot) }.sorted()
        for offset in offsets.dropLast(2) {
            try files.remove(partition.directory + "/" + SegmentName.file(offset, .snapshot))
        }
    }
}
