public import KafkaWire
import Machine
import Storage
import Synchronization

/// A durable, ordered, partitioned log in one data directory.
///
/// Any thread may call anything. Without `start()` no thread runs and nothing happens by itself: a simulation calls
/// `flushDirty()`, `enforceRetention()` and `checkpoint()` as its seed says.
public final class CommitLog: Sendable {
    struct CheckpointState: Sendable {
        var isClosed = false
        /// Whether the last one could not be written.
        var isOwed = false
    }

    /// The cluster's id, generated when the data directory was created.
    public let clusterID: String
    /// This broker's id.
    public let nodeID: Int32

    /// The bounds, the intervals, and the defaults of topics, as they are now.
    public var settings: LogSettings { live.withLock { $0 } }

    let context: LogContext
    let data: DataDirectory
    let metadata: any MetadataStore
    let registry = TopicRegistry()
    let flusher: Flusher
    let retentionClock: Mutex<RetentionClock>
    /// Held while topics are created, changed or deleted.
    let topicChanges = Mutex<Void>(())
    /// The settings that may change while it runs are read here, all others in `context`.
    let live: Mutex<LogSettings>
    /// Held while a checkpoint is taken and written.
    let checkpoints = Mutex(CheckpointState())
    /// Hears after each creation, change or deletion of a topic.
    private let topicObserver = Mutex<(@Sendable () -> Void)?>(nil)
    private let producerIDs: ProducerIDs
    private let maintenance: Maintenance

    init(
        context: LogContext, data: DataDirectory, metadata: any MetadataStore, clusterID: String,
        lastCheckpointMilliseconds: Int64?
    ) {
        self.context = context
        live = Mutex(context.settings)
        self.data = data
        self.metadata = metadata
        self.clusterID = clusterID
        nodeID = context.settings.nodeID
        flusher = Flusher(context, registry, format: data.format)
        retentionClock = Mutex(
            RetentionClock(
                wall: context.machine.clock.wallMilliseconds(), monotonic: context.monotonicMilliseconds(),
                lastKnownWall: lastCheckpointMilliseconds))
        producerIDs = ProducerIDs(metadata: metadata)
        maintenance = Maintenance(clock: context.machine.clock)
    }

    /// Starts the background threads: flushers, retention, checkpoints.
    public func start() {
        checkDisk()
        flusher.start(threads: context.settings.flusherThreads)
        maintenance.start([
            Maintenance.Chore(every: context.settings.checkpointIntervalMilliseconds) { [weak self] in
                self?.boundProducers()
                self?.checkpoint()
            },
            Maintenance.Chore(
                every: { [weak self] in self?.settings.retentionIntervalMilliseconds ?? .max }
            ) { [weak self] in
                self?.enforceRetention()
            },
            Maintenance.Chore(every: context.settings.diskCheckIntervalMilliseconds) { [weak self] in
                self?.checkDisk()
            },
            Maintenance.Chore(every: context.settings.diskShareIntervalMilliseconds) { [weak self] in
                self?.enforceDiskShares()
            },
        ])
    }

    /// Syncs everything, writes snapshots and the clean-shutdown mark, and stops the threads. Waiters are called.
    /// Calling it twice is harmless.
    public func close() {
        maintenance.stop()
        flusher.stop()
        closeDown()
    }

    /// One round of group commit: syncs every dirty partition, publishes high watermarks, calls waiters.
    public func flushDirty() {
        flusher.flushAll()
    }

    /// The topic of this name.
    public func topic(named name: String) -> Topic? { registry.topic(named: name) }

    /// The topic with this id.
    public func topic(id: Uuid) -> Topic? { registry.topic(id: id) }

    /// Every topic, sorted by name.
    public func topics() -> [Topic] { registry.topics }

    /// Lets `body` hear after each creation, change or deletion of a topic, on the thread that asked for it and before
    /// that is answered. One observer: the views.
    public func observeTopics(_ body: @escaping @Sendable () -> Void) {
        topicObserver.withLock { $0 = body }
    }

    func topicsChanged() {
        topicObserver.withLock { $0 }?()
    }

    /// A producer id that was never given out before, and never will be again.
    ///
    /// - Throws: `.noSpace`, `.metadata`.
    public func nextProducerID() throws(LogError) -> Int64 { try producerIDs.next() }

    package func report(_ severity: LogEvent.Severity, _ message: String) {
        context.report(LogEvent(severity: severity, partition: "", message: message))
    }
}
