extension LogSettings {
    /// The longest interval, in milliseconds: a year.
    private static let longestInterval: Int64 = 31_536_000_000
    /// The most of anything that is counted in memory: ten million.
    private static let largestCount: Int64 = 10_000_000
    /// The checkpoint of a million partitions has about 100 MB.
    private static let mostPartitions: Int64 = 1_000_000

    /// Checks every field. `CommitLog.open` does.
    ///
    /// - Throws: `.invalidConfig`, which names the field (a topic default by its config's name), what it is, and the
    ///   range.
    public func validate() throws(LogError) {
        try validateBounds()
        try validateIntervals()
        for definition in TopicConfigDefinition.all where definition.effect == .served {
            guard let value = topicDefaults.value(of: definition) else { continue }
            _ = try TopicConfiguration().applying([definition.name: value])
        }
    }

    private func validateBounds() throws(LogError) {
        try check("nodeID", Int64(nodeID), 0...Int64(Int32.max))
        try check("maximumPartitionsPerTopic", Int64(maximumPartitionsPerTopic), 1...Self.mostPartitions)
        try check("maximumPartitions", Int64(maximumPartitions), 1...Self.mostPartitions)
        try check("maximumOpenSegments", Int64(maximumOpenSegments), 1...Self.largestCount)
        // A snapshot of a million producers has about 180 MB, and is read whole.
        try check("maximumProducersPerPartition", Int64(maximumProducersPerPartition), 1...1_000_000)
        try check("maximumProducers", Int64(maximumProducers), 1...Self.largestCount)
        try check("maximumSyncWaitersPerPartition", Int64(maximumSyncWaitersPerPartition), 1...Self.largestCount)
        try check("maximumReadWaitersPerPartition", Int64(maximumReadWaitersPerPartition), 1...Self.largestCount)
        try check("flusherThreads", Int64(flusherThreads), 1...256)
        try check("snapshotIntervalBytes", snapshotIntervalBytes, 1...(1 << 40))
        try check("journalBytes", journalBytes, 0...WholeFile.maximumBytes)
        try check("journalMinimumPartitions", Int64(journalMinimumPartitions), 1...Self.largestCount)
        try check("journalRoundBytes", Int64(journalRoundBytes), 0...WholeFile.maximumBytes)
        if let diskReserveBytes { try check("diskReserveBytes", diskReserveBytes, 0...Int64.max) }
    }

    private func validateIntervals() throws(LogError) {
        let range = 1...Self.longestInterval
        try check("producerExpirationMilliseconds", producerExpirationMilliseconds, range)
        try check("checkpointIntervalMilliseconds", checkpointIntervalMilliseconds, range)
        try check("retentionIntervalMilliseconds", retentionIntervalMilliseconds, range)
        try check("diskCheckIntervalMilliseconds", diskCheckIntervalMilliseconds, range)
        try check("diskShareIntervalMilliseconds", diskShareIntervalMilliseconds, range)
    }

    private func check(_ field: String, _ value: Int64, _ range: ClosedRange<Int64>) throws(LogError) {
        guard !range.contains(value) else { return }
        throw LogError(
            .invalidConfig, "\(field) is \(value), and must be from \(range.lowerBound) to \(range.upperBound)")
    }
}
