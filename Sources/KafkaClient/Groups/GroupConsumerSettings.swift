/// How a member of a group reads. Validated by `KafkaClient.groupConsumer`.
public struct GroupConsumerSettings: Sendable, Hashable {
    /// How records are fetched.
    public var consumer = ConsumerSettings()
    /// Where to begin in partitions of which the group has committed nothing. The default is `.earliest`.
    public var from = OffsetSpec.earliest
    /// Where to end; the sequence ends once all partitions of this member have come there. The default is nil: never.
    public var to: OffsetSpec?
    /// The id of a static member, which keeps its partitions over a restart (KIP-345). The default is nil.
    public var instanceID: String?
    /// Without a heartbeat for this long the coordinator gives the member up, in milliseconds. The default is 45,000.
    public var sessionTimeoutMilliseconds: Int32 = 45_000
    /// Time between heartbeats, in milliseconds; at most a third of the session time-out. The default is 3,000.
    public var heartbeatIntervalMilliseconds: Int64 = 3_000
    /// How long the coordinator waits for members to join again, in milliseconds. The default is 60,000.
    public var rebalanceTimeoutMilliseconds: Int32 = 60_000
    /// How often what was processed is committed, in milliseconds; nil: only by `commit()`. The default is 5,000.
    public var autoCommitMilliseconds: Int64? = 5_000

    /// The defaults.
    public init() {}

    func validate() throws(KafkaClientError) {
        try consumer.validate()
        guard sessionTimeoutMilliseconds > 0, rebalanceTimeoutMilliseconds > 0 else {
            throw KafkaClientError(.invalid, "the time-outs of a group member must be positive")
        }
        guard (1...Int64(sessionTimeoutMilliseconds / 3)).contains(heartbeatIntervalMilliseconds) else {
            throw KafkaClientError(
                .invalid, "heartbeatIntervalMilliseconds must be between 1 and a third of the session time-out")
        }
        guard autoCommitMilliseconds.map({ $0 > 0 }) ?? true else {
            throw KafkaClientError(.invalid, "autoCommitMilliseconds must be positive")
        }
    }
}
