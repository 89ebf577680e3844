import Log

/// The bounds and times of consumer groups. Names and defaults are Kafka's where Kafka has them. Every bound has a
/// named answer, given at the field.
public struct GroupSettings: Sendable {
    /// `group.min.session.timeout.ms`: a shorter session is refused with INVALID_SESSION_TIMEOUT. Default 6 s.
    public var minimumSessionMilliseconds: Int32 = 6_000
    /// `group.max.session.timeout.ms`: a longer session is refused with INVALID_SESSION_TIMEOUT. Default 30 minutes.
    public var maximumSessionMilliseconds: Int32 = 1_800_000
    /// `group.initial.rebalance.delay.ms`: how long the first rebalance of an empty group waits for more members; each
    /// one that comes extends it, up to the rebalance time-out. Default 3 s.
    public var initialRebalanceDelayMilliseconds: Int32 = 3_000
    /// How long a new member that waits for its first rebalance stays without being heard. Default 5 minutes, as Kafka
    /// (`classicGroupNewMemberJoinTimeoutMs`).
    public var newMemberJoinMilliseconds: Int32 = 300_000
    /// `group.max.size`: members of a group, those with an id that have not joined yet included; one more is refused
    /// with GROUP_MAX_SIZE_REACHED. Default 2,000 (Kafka's default is no limit).
    public var maximumMembers = 2_000
    /// Bytes that one member may bring: metadata and names of all its protocols, its client and instance id; more is
    /// refused with MESSAGE_TOO_LARGE. Default 1 MiB: 20,000 subscribed topics.
    public var maximumMetadataBytes = 1 << 20
    /// Protocols that one member may offer; more is refused with MESSAGE_TOO_LARGE. Default 64 (clients offer 1 to 4).
    public var maximumProtocols = 64
    /// Bytes of a group's record: subscriptions and assignments of all members. A leader's assignment beyond it is
    /// refused with MESSAGE_TOO_LARGE, and the group rebalances. Default 16 MiB.
    public var maximumGroupBytes = 16 << 20
    /// Bytes of a group's id; a longer one is refused with INVALID_GROUP_ID. Default 1,024 (Kafka: 32,767).
    public var maximumGroupIDBytes = 1_024
    /// Groups; a join or commit that would make one more is refused with POLICY_VIOLATION. Default 100,000.
    public var maximumGroups = 100_000
    /// Partitions that one group may have offsets for; a commit of one more is answered with POLICY_VIOLATION for that
    /// partition. Default 100,000.
    public var maximumOffsetsPerGroup = 100_000
    /// `offset.metadata.max.bytes`: bytes of text with a committed offset; more is answered with
    /// OFFSET_METADATA_TOO_LARGE. Default 4,096.
    public var maximumOffsetMetadataBytes = 4_096
    /// `offsets.retention.minutes`, in milliseconds: how long offsets stay after their group became empty, or, without
    /// members ever, after their last commit. Default 7 days.
    public var offsetRetentionMilliseconds: Int64 = 604_800_000
    /// `offsets.retention.check.interval.ms`: time between passes that expire offsets and forget empty groups.
    /// Default 10 minutes.
    public var expiryIntervalMilliseconds: Int64 = 600_000
    /// `offsets.topic.num.partitions`: partitions of `__consumer_offsets` when it is created. Default 4, not Kafka's
    /// 50: these spread groups over brokers, and there is one; every partition that was written to costs a sync of its
    /// own per round of group commit, and as many as there are flusher threads sync side by side.
    public var offsetsPartitions: Int32 = 4
    /// A partition of `__consumer_offsets` is rewritten, and cut off below, once it holds this many bytes and three
    /// times what the last rewriting wrote. Default 16 MiB. It bounds what a start replays.
    public var rewriteBytes: Int64 = 16 << 20

    /// Time between looks at the size of `__consumer_offsets`, in milliseconds. Default 5 s.
    public var rewriteIntervalMilliseconds: Int64 = 5_000

    /// The defaults.
    public init() {}
}
