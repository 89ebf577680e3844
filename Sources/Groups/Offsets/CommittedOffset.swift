import Log

/// How far a group has come in a partition.
public struct CommittedOffset: Sendable, Equatable {
    /// The next offset to be read.
    public var offset: Int64
    /// The leader epoch of the last record that was read; -1 if unknown.
    public var leaderEpoch: Int32
    /// Whatever the client wants to remember with it.
    public var metadata: String
    /// When it was committed, in wall milliseconds.
    public var commitMilliseconds: Int64
    /// When it expires, if the commit said how long it is to be kept (versions 2 to 4 of OffsetCommit).
    public var expireMilliseconds: Int64?

    /// Assembles it.
    public init(
        offset: Int64, leaderEpoch: Int32, metadata: String, commitMilliseconds: Int64,
        expireMilliseconds: Int64? = nil
    ) {
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
        self.commitMilliseconds = commitMilliseconds
        self.expireMilliseconds = expireMilliseconds
    }
}

/// A partition of a topic, by name.
public struct GroupTopicPartition: Sendable, Hashable {
    /// The topic's name.
    public var topic: String
    /// The partition's index.
    public var partition: Int32

    /// Assembles it.
    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
}
