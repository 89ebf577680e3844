public import KafkaWire
import Synchronization

/// One partition of the log. Any thread may call anything.
public final class Partition: Sendable {
    /// The topic's id.
    public let topicID: Uuid
    /// The topic's name.
    public let topicName: String
    /// The index within the topic.
    public let index: Int32

    let context: LogContext
    private let live: LiveConfiguration
    let statistics: TopicStatistics
    /// `DATA/log/<topic>/<partition>`.
    let directory: String
    let core: Mutex<PartitionCore>
    /// Held while the files of `PartitionCore.expired` are removed.
    let removals = Mutex<Void>(())
    private let startOffset: Atomic<Int64>
    private let syncedOffset: Atomic<Int64>
    private let endOffset: Atomic<Int64>
    private let epoch: Atomic<Int32>

    /// What was known of the partition when the process began.
    let checkpoint: CheckpointEntry
    /// Whether there was a checkpoint at all.
    let isKnown: Bool
    /// Whether the last process did not close it in order.
    let isUnclean: Bool

    /// A partition as the checkpoint (nil: nothing) knows it; files are opened by the first use.
    init(
        topic: TopicIdentity, index: Int32, checkpoint: CheckpointEntry?, isKnown: Bool, isUnclean: Bool,
        context: LogContext
    ) {
        topicID = topic.id
        topicName = topic.name
        live = topic.configuration
        statistics = topic.statistics
        self.index = index
        self.context = context
        directory = topic.directory + "/" + String(index)
        var known = checkpoint ?? CheckpointEntry(topicID: topic.id, partition: index)
        if isUnclean { known.leaderEpoch += 1 }
        self.checkpoint = known
        self.isKnown = isKnown
        self.isUnclean = isUnclean
        var state = PartitionState(
            startOffset: known.logStartOffset, leaderEpoch: known.leaderEpoch,
            producerLimit: context.settings.maximumProducersPerPartition)
        state.restore(offset: known.recoveryPoint.offset, epochs: known.epochs, producers: [], now: 0)
        core = Mutex(PartitionCore(state: state, synced: known.recoveryPoint))
        startOffset = Atomic(known.logStartOffset)
        syncedOffset = Atomic(known.recoveryPoint.offset)
        endOffset = Atomic(known.recoveryPoint.offset)
        epoch = Atomic(known.leaderEpoch)
    }

    /// The topic's configs as they are now: no lock, no allocation.
    var configuration: TopicConfiguration { live.value }

    /// "topic-index", as Kafka's tools print it.
    package var label: String { "\(topicName)-\(index)" }

    /// The first offset, without I/O.
    public var logStartOffset: Int64 { startOffset.load(ordering: .acquiring) }
    /// The first offset that is not synced, and so not readable, yet; without I/O.
    public var highWatermark: Int64 { syncedOffset.load(ordering: .acquiring) }
    /// The next offset to be given out; without I/O.
    public var logEndOffset: Int64 { endOffset.load(ordering: .acquiring) }
    /// The leader epoch: starts at 0, one more after every unclean start; without I/O.
    public var leaderEpoch: Int32 { epoch.load(ordering: .acquiring) }

    /// The size of all segments in bytes.
    public var sizeBytes: Int64 {
        withCore { core in
            guard (try? open(&core)) != nil, let active = core.active else { return 0 }
            return core.segments.reduce(0) { $0 + ($1 === active ? core.position : $1.sizeBytes) }
        }
    }

    /// Why appends fail, or nil.
    public var fenceReason: LogError? { core.withLock { $0.fence } }

    /// Runs `body` under the partition's lock, then shows the offsets to those who look without it.
    func withCore<Result, Failure: Error>(
        _ body: (inout PartitionCore) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try core.withLock { core throws(Failure) in
            defer {
                countProducers(&core)
                publish(core)
            }
            return try body(&core)
        }
    }

    private func publish(_ core: borrowing PartitionCore) {
        startOffset.store(core.state.logStartOffset, ordering: .releasing)
        syncedOffset.store(core.synced.offset, ordering: .releasing)
        endOffset.store(core.state.logEndOffset, ordering: .releasing)
        epoch.store(core.state.leaderEpoch, ordering: .releasing)
    }

    package func report(_ severity: LogEvent.Severity, _ message: String) {
        context.report(LogEvent(severity: severity, partition: label, message: message))
    }

    /// Takes no more appends; what is synced stays readable.
    func fence(_ core: inout PartitionCore, _ error: LogError) {
        guard core.fence == nil else { return }
        core.fence = error
        report(.error, error.description)
    }
}
