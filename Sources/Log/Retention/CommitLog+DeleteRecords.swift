extension CommitLog {
    /// Deletes the records of some partitions before an offset each, durably. Readers below it get
    /// `.offsetOutOfRange` from then on; segments without any record left are removed, and the rest of the bytes goes
    /// with them later. May wait for the disk.
    ///
    /// - Parameter deletions: an offset of -1 stands for the high watermark, or for where the hold of the topic's view
    ///   begins, if that is earlier. One below the log's start changes nothing.
    /// - Returns: for each, the log's start or why it failed: `.offsetOutOfRange` beyond the high watermark; `.viewBehind` beyond a view's hold;
    ///   `.invalidTopicName` for the server's own topics; `.storage`, `.fenced`, `.damaged`, `.closed`,
    ///   `.unknownTopic`. After an error the records may be gone for readers until a restart.
    public func deleteRecords(_ deletions: [(partition: Partition, offset: Int64)]) -> [Result<Int64, LogError>] {
        let results = deletions.map { deletion in
            Result { () throws(LogError) in
                try TopicName.checkChangeable(deletion.partition.topicName)
                return try deletion.partition.deleteRecords(before: deletion.offset)
            }
        }
        let moved = zip(deletions, results).compactMap { (try? $1.get()) == nil ? nil : $0.partition }
        guard !moved.isEmpty else { return results }
        do throws(LogError) {
            try store(moved)
        } catch {
            return results.map { $0.flatMap { _ in .failure(error) } }
        }
        _ = remove(moved.compactMap { expireDeleted($0) })
        return results
    }

    private func expireDeleted(_ partition: Partition) -> SnapshotDraft? {
        do {
            return try partition.expireDeleted()
        } catch {
            report(.warning, "deleted records keep their space until the next pass of retention: \(error)")
            return nil
        }
    }
}
