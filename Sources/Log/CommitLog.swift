public import KafkaWire
public import Machine

/// A durable, ordered, partitioned log in one data directory.
///
/// Any thread may call anything. Without `start()` no thread runs and nothing happens by itself: a simulation calls
/// `flushDirty()`, `enforceRetention()` and `checkpoint()` as its seed says.
public final class CommitLog: Sendable {
    /// The cluster's id, generated when the data directory was created.
    public let clusterID: String
    /// This broker's id.
    public let nodeID: Int32

    init(clusterID: String, nodeID: Int32) {
        self.clusterID = clusterID
        self.nodeID = nodeID
    }

    /// Opens the log in `directory`, which is created if absent, and recovers every partition.
    ///
    /// - Throws: `.locked` if another process has it open, `.formatTooNew`, `.metadata`, `.storage`. Damage to a
    ///   partition does not throw: the partition is fenced, `onEvent` hears of it, the others serve.
    public static func open(
        directory: String, settings: LogSettings, machine: Machine,
        onEvent: @escaping @Sendable (LogEvent) -> Void = { _ in }
    ) throws(LogError) -> CommitLog { fatalError() }

    /// Starts the background threads: flushers, retention, checkpoints.
    public func start() { fatalError() }

    /// Syncs everything, writes snapshots and the clean-shutdown mark, and stops the threads. Waiters are called.
    public func close() { fatalError() }

    /// One round of group commit: syncs every dirty partition, publishes high watermarks, calls waiters.
    public func flushDirty() { fatalError() }

    /// One pass of retention over every partition.
    public func enforceRetention() { fatalError() }

    /// Writes recovery points, and the producer snapshots that are due.
    public func checkpoint() { fatalError() }

    /// Creates a topic, durably.
    ///
    /// - Throws: `.topicExists`, `.invalidTopicName`, `.invalidPartitions`, `.invalidConfig`, `.limitReached`,
    ///   `.metadata`.
    public func createTopic(
        _ name: String, partitions: Int32, configs: [String: String]
    ) throws(LogError) -> Topic { fatalError() }

    /// Checks everything that `createTopic` checks, and creates nothing (`validate_only`).
    public func validateTopic(_ name: String, partitions: Int32, configs: [String: String]) throws(LogError) {
        fatalError()
    }

    /// Deletes a topic with its data, durably.
    public func deleteTopic(_ id: Uuid) throws(LogError) { fatalError() }

    /// The topic of this name.
    public func topic(named name: String) -> Topic? { fatalError() }

    /// The topic with this id.
    public func topic(id: Uuid) -> Topic? { fatalError() }

    /// Every topic, sorted by name.
    public func topics() -> [Topic] { fatalError() }

    /// A producer id that was never given out before, and never will be again.
    public func nextProducerID() throws(LogError) -> Int64 { fatalError() }
}
