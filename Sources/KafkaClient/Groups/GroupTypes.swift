/// A consumer group as the list of groups has it.
public struct GroupListing: Sendable, Hashable {
    /// The group's id.
    public let id: String
    /// "consumer" for groups of consumers; empty if only offsets were committed.
    public let protocolType: String
    /// "Stable", "Empty" and so on; nil if the broker is too old to tell.
    public let state: String?
}

/// A consumer group: its members, and what each of them reads.
public struct GroupDetails: Sendable, Hashable {
    /// A member of a group.
    public struct Member: Sendable, Hashable {
        /// The id that the coordinator gave it.
        public let id: String
        /// The id of a static member (KIP-345).
        public let instanceID: String?
        /// What its client calls itself.
        public let clientID: String
        /// Where it comes from.
        public let host: String
        /// The partitions that it reads.
        public let assignment: [TopicPartition]
    }

    /// The group's id.
    public let id: String
    /// "Stable", "PreparingRebalance", "CompletingRebalance", "Empty" or "Dead".
    public let state: String
    /// How partitions are shared out, such as "range"; empty unless the group is stable.
    public let assignor: String
    /// The members; empty if nobody reads.
    public let members: [Member]
}
