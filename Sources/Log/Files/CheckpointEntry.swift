import KafkaWire

/// What the checkpoint knows of a partition.
struct CheckpointEntry: Sendable, Equatable {
    let topicID: Uuid
    let partition: Int32
    var leaderEpoch: Int32 = 0
    var logStartOffset: Int64 = 0
    /// Everything before it is synced, and verifies unless the disk is damaged.
    var recoveryPoint = LogPosition(offset: 0, segmentBase: 0, position: 0)
    /// Whether the log ended at the recovery point when the entry was written.
    var isClean = false
    var epochs = LeaderEpochs()

    init(topicID: Uuid, partition: Int32) {
        self.topicID = topicID
        self.partition = partition
    }
}
