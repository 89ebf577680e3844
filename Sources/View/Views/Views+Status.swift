import Instruments
import Log
import Synchronization

/// What stands about the view of one partition.
public struct ViewStatus: Sendable, Equatable {
    /// What a view does.
    public enum State: String, Sendable, CaseIterable {
        /// It applies what comes.
        case running
        /// An operator stopped it.
        case paused
        /// It tries something again and again; `reason` tells what.
        case stalled
        /// It could not be opened; `reason` tells why.
        case failed
    }

    /// The topic.
    public var topic: String
    /// The partition.
    public var partition: Int32
    /// The kind of view: "series".
    public var kind: String
    /// What it does.
    public var state: State
    /// Why it does not get on; nil if it does.
    public var reason: String?
    /// The first offset that is not applied.
    public var applied: Int64 = 0
    /// The first offset that no manifest covers.
    public var covered: Int64 = 0
    /// The first offset of the log that nobody may read yet.
    public var highWatermark: Int64 = 0
    /// Records that are readable and not applied.
    public var lagRecords: Int64 = 0
    /// About the log bytes of those.
    public var lagBytes: Int64 = 0
    /// Log bytes that no manifest covers.
    public var holdBytes: Int64 = 0
    /// At how many of those appends are refused.
    public var holdLimitBytes: Int64 = 0
    /// The memory of the head.
    public var headBytes: Int = 0
    /// The blocks of the manifest.
    public var blocks: Int = 0
    /// Their bytes.
    public var blockBytes: Int64 = 0
    /// How many of them are missing or were found damaged: readers that need one fail.
    public var damagedBlocks: Int = 0
    /// Why the first of those cannot be read; nil if none is damaged.
    public var damage: String?
    /// The manifest's version.
    public var manifestVersion: Int64 = 0
    /// Heads that were cut since the view was opened.
    public var cuts: UInt64 = 0
    /// Manifests that were committed since.
    public var commits: UInt64 = 0
    /// Records that were applied since.
    public var records: UInt64 = 0
    /// Points, or whatever a record holds, that were refused since.
    public var rejected: UInt64 = 0
    /// How far a view that is rebuilt beside it has come; nil if none is.
    public var rebuiltUpTo: Int64?

    init(topic: String, partition: Int32, kind: String, state: State, reason: String? = nil) {
        self.topic = topic
        self.partition = partition
        self.kind = kind
        self.state = state
        self.reason = reason
    }
}

extension PartitionView {
    /// What stands about it. Cheap; no I/O.
    func status(kind: String) -> ViewStatus {
        let (highWatermark, held, headBytes) = (partition.highWatermark, partition.heldBytes, engine.headBytes)
        let damaged = engine.damagedBlocks
        return core.withLock { core in
            let state = core.state
            var status = ViewStatus(
                topic: topic, partition: index, kind: kind,
                state: state.isPaused ? .paused : state.stall == nil ? .running : .stalled,
                reason: state.stall?.description)
            status.applied = state.applied
            status.covered = state.covered
            status.highWatermark = highWatermark
            status.lagRecords = max(0, highWatermark - state.applied)
            status.holdBytes = held
            status.lagBytes = status.lagRecords == 0 ? 0 : max(0, held - state.headLogBytes - state.frozenLogBytes)
            status.holdLimitBytes = settings.holdBytes
            status.headBytes = headBytes
            status.blocks = state.manifest.blocks.count
            status.blockBytes = state.manifest.blocks.reduce(0) { $0 + $1.sizeBytes }
            status.damagedBlocks = damaged.count
            status.damage = damaged.min { $0.key < $1.key }?.value
            status.manifestVersion = state.manifest.version
            status.cuts = core.figures.cuts
            status.commits = core.figures.commits
            status.records = core.figures.records
            status.rejected = core.figures.rejections
            return status
        }
    }
}

extension Views {
    /// What stands about every view, by topic and partition.
    public func status() -> [ViewStatus] {
        let all = table.withLock { Array($0.values) }
        return all.flatMap { views in
            views.partitions.map { index, entry -> ViewStatus in
                let kind = views.topic.configuration.view.name
                switch entry {
                case .failed(let error):
                    var status = ViewStatus(
                        topic: views.topic.name, partition: index, kind: kind, state: .failed,
                        reason: error.description)
                    status.holdLimitBytes = settings.holdBytes
                    if let partition = views.topic.partition(index) {
                        status.highWatermark = partition.highWatermark
                        status.holdBytes = partition.heldBytes
                    }
                    return status
                case .open(let open):
                    var status = open.view.status(kind: kind)
                    status.rebuiltUpTo = open.rebuilt?.view.applied
                    return status
                }
            }
        }.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
    }

    /// Rejections that were written into topics `rejected.…`.
    public var rejectionsWritten: UInt64 { rejected.written.value }
    /// Rejections that were not, because of a bound or an error.
    public var rejectionsDropped: UInt64 { rejected.dropped.value }

    /// Stops a topic's views from applying, cutting and compacting, until `resume` or a restart. Whoever waits for them
    /// gets `.closed`.
    ///
    /// - Throws: `.unknown`.
    public func pause(_ topic: String) throws(ViewError) {
        for view in try openViews(topic) { view.pause() }
    }

    /// Lets a topic's views go on, and opens those again that could not be opened.
    ///
    /// - Throws: `.unknown`.
    public func resume(_ topic: String) throws(ViewError) {
        let views = try openViews(topic)
        reconcile()
        for view in views { view.resume() }
    }

    private func openViews(_ topic: String) throws(ViewError) -> [PartitionView] {
        guard let found = log.topic(named: topic), let views = table.withLock({ $0[found.id] }) else {
            throw ViewError(.unknown, "\(topic) has no view")
        }
        return views.partitions.values.flatMap { entry -> [PartitionView] in
            guard case .open(let open) = entry else { return [] }
            return [open.view, open.rebuilt?.view].compactMap { $0 }
        }
    }
}
