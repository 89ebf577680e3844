public import KafkaWire
import Log
import Machine
import Synchronization

/// The view of one partition: drives its engine from the log, cuts, commits, and tells who waits.
///
/// Any thread may call anything. Without workers nothing happens by itself: a simulation calls `stepApplying` and
/// `stepBackground` as its seed says.
public final class PartitionView: Sendable {
    /// The topic's id.
    public let topicID: Uuid
    /// The topic's name.
    public let topic: String
    /// The partition's index.
    public let index: Int32
    /// What does the view's own part.
    public let engine: any ViewEngine

    let partition: Partition
    let settings: ViewSettings
    let place: ViewDirectory
    let blocks: DirectoryBlockStore
    let machine: Machine
    let core: Mutex<PartitionViewCore>
    /// Taken under the partition's lock: nothing else is while it is held.
    let awaited = Mutex(AwaitedOffsets())
    /// Held during a step of the applying hand.
    let applying = Mutex<Void>(())
    /// Held during a step of the background hand; with the manifests.
    let background: Mutex<ManifestChain>
    private let feed: RecordFeed
    let hooks: Hooks

    /// What a view tells those around it.
    struct Hooks: Sendable {
        /// A manifest was committed: the log before this offset is no longer needed. Any thread.
        var covered: @Sendable (Int64) -> Void = { _ in }
        /// Rejections of which no writer is told. The applying hand.
        var rejected: @Sendable ([Rejection]) -> Void = { _ in }
        /// What an operator should know. Any thread.
        var report: @Sendable (LogEvent.Severity, String) -> Void = { _, _ in }
    }

    /// Opens the view: finds its newest manifest, removes what a crash left, and gives the engine its blocks. A block
    /// that is missing or damaged is the engine's matter, which serves the others.
    ///
    /// - Throws: `.damaged` if no manifest verifies, or if only an earlier one does and its blocks are not there;
    ///   `.formatTooNew`, `.noSpace`, `.storage`.
    init(
        of partition: Partition, at place: ViewDirectory, engine: any ViewEngine, settings: ViewSettings,
        machine: Machine, hooks: Hooks = Hooks()
    ) throws(ViewError) {
        topicID = partition.topicID
        topic = partition.topicName
        index = partition.index
        self.engine = engine
        self.partition = partition
        self.settings = settings
        self.place = place
        self.machine = machine
        self.hooks = hooks
        feed = RecordFeed(settings: settings)
        let chain = try ManifestChain(place, files: machine.files)
        for finding in chain.findings { hooks.report(.error, finding) }
        let manifest = chain.newest ?? Manifest.first(nextOffset: partition.logStartOffset)
        blocks = try DirectoryBlockStore(place, files: machine.files, nextBlockID: manifest.nextBlockID)
        if chain.hasFallenBack { try Self.check(manifest, blocks) }
        let orphans = try blocks.removeOrphans(keeping: Set(manifest.blocks.map(\.id)))
        if orphans > 0 { hooks.report(.notice, "removed \(orphans) files that no manifest names") }
        try engine.install(manifest, from: blocks)
        core = Mutex(PartitionViewCore(manifest: manifest, settings: settings))
        background = Mutex(chain)
    }

    /// The blocks of an earlier manifest may be gone because a compaction replaced them: their points stand in files
    /// that only the damaged manifest names. To go on would be to remove these.
    private static func check(_ manifest: Manifest, _ blocks: DirectoryBlockStore) throws(ViewError) {
        for entry in manifest.blocks where try !blocks.holds(entry) {
            throw ViewError(
                .damaged,
                "a later manifest does not verify, and of manifest \(manifest.version) block \(entry.id) is missing or short"
            )
        }
    }

    var now: Int64 { Int64(machine.clock.monotonicNanoseconds() / 1_000_000) }

    // MARK: The applying hand

    /// One step: applies a slice of the log, freezes the head, or installs a manifest.
    ///
    /// - Parameter buffer: where the slice is read to; grows as needed.
    func stepApplying(_ buffer: inout ReadBuffer) -> ViewWorker.Next {
        applying.withLock { _ in
            let headBytes = engine.headBytes
            let (now, readable) = (now, partition.highWatermark)
            let action = core.withLock { core in
                core.isClosed
                    ? .wait(untilMilliseconds: nil)
                    : core.state.nextApplying(readable: readable, headBytes: headBytes, now: now)
            }
            do throws(ViewError) {
                switch action {
                case .install(let manifest): try install(manifest)
                case .freeze(let nextOffset): freeze(nextOffset)
                case .apply(let offset): try apply(from: offset, &buffer)
                case .wait(let time): return .wait(untilMilliseconds: time)
                }
                return .again
            } catch {
                let isNew = core.withLock { core in
                    defer { core.state.didFailApplying(error, now: now) }
                    return core.state.stall == nil
                }
                if isNew { hooks.report(.error, "the view stalls: \(error)") }
                return .again
            }
        }
    }

    private func install(_ manifest: Manifest) throws(ViewError) {
        try engine.install(manifest, from: blocks)
        core.withLock { $0.state.didInstall(now: now) }
        wakeBackground()
    }

    private func freeze(_ nextOffset: Int64) {
        engine.freeze(nextOffset: nextOffset)
        core.withLock { core in
            core.state.didFreeze()
            core.figures.cuts += 1
        }
        wakeBackground()
    }

    private func apply(from offset: Int64, _ buffer: inout ReadBuffer) throws(ViewError) {
        let slice: LogSlice
        let outcome: RecordFeed.Outcome
        do throws(LogError) {
            slice = try partition.read(
                from: offset, maximumBytes: settings.readBytes, atLeastOneBatch: true)
            try buffer.fill(from: slice)
        } catch {
            throw Self.error(reading: error, offset)
        }
        guard !slice.isEmpty else { return }
        outcome = try feed.apply(buffer.bytes, from: offset, to: engine) { offset in
            awaited.withLock { $0.contains(offset) }
        }
        awaited.withLock { $0.remove(before: outcome.nextOffset) }
        let now = now
        let released = core.withLock { core in
            core.applied(outcome, logBytes: Int64(buffer.bytes.count), now: now)
        }
        if !outcome.unawaited.isEmpty { hooks.rejected(outcome.unawaited) }
        for (body, result) in released { body(result) }
    }

    private static func error(reading error: LogError, _ offset: Int64) -> ViewError {
        switch error.code {
        case .closed, .unknownTopic: ViewError(.closed, "the partition is gone", cause: error)
        case .damaged: ViewError(.damaged, "the log does not verify at offset \(offset)", cause: error)
        case .offsetOutOfRange:
            ViewError(.damaged, "the log no longer has the records from offset \(offset) on", cause: error)
        default: ViewError(.storage, "cannot read the log at offset \(offset)", cause: error)
        }
    }

    // MARK: The background hand

    /// One step: writes or compacts blocks, commits a manifest, or removes what it replaced.
    func stepBackground() -> ViewWorker.Next {
        background.withLock { chain in
            let now = now
            let action = core.withLock { core in
                core.isClosed ? .wait(untilMilliseconds: nil) : core.state.nextBackground(now: now)
            }
            do throws(ViewError) {
                switch action {
                case .write:
                    let change = try engine.write(to: blocks)
                    core.withLock { $0.state.didWrite(change, nextBlockID: blocks.nextBlockID) }
                case .compact:
                    let wall = machine.clock.wallMilliseconds()
                    let change = try engine.compact(to: blocks, nowMilliseconds: wall)
                    core.withLock { $0.state.didCompact(change, nextBlockID: blocks.nextBlockID, now: now) }
                case .commit(let manifest): try commit(manifest, &chain)
                case .remove(let ids):
                    try blocks.remove(ids)
                    core.withLock { $0.state.didRemove() }
                case .wait(let time): return .wait(untilMilliseconds: time)
                }
            } catch {
                let isNew = core.withLock { core in
                    defer { core.state.didFailBackground(error, now: now) }
                    return core.state.stall == nil
                }
                if isNew { hooks.report(.error, "the view stalls: \(error)") }
            }
            return .again
        }
    }

    private func commit(_ manifest: Manifest, _ chain: inout ManifestChain) throws(ViewError) {
        try chain.commit(manifest)
        core.withLock { core in
            core.state.didCommit()
            core.figures.commits += 1
        }
        hooks.covered(manifest.nextOffset)
        wakeApplying()
    }
}

/// What a partition's view protects with its lock.
struct PartitionViewCore: Sendable {
    var state: ViewState
    var waiters = ViewWaiters()
    var ring: RejectionRing
    var figures = Figures()
    var isClosed = false
    /// Who gives turns; nil in a simulation.
    var applyingSeat: ViewWorker.Seat?
    var backgroundSeat: ViewWorker.Seat?
    /// Whether the log is going to tell when there is more to read.
    var isSubscribed = false

    /// What was counted since the view was opened.
    struct Figures: Sendable, Equatable {
        var records: UInt64 = 0
        var rejections: UInt64 = 0
        var cuts: UInt64 = 0
        var commits: UInt64 = 0
    }

    init(manifest: Manifest, settings: ViewSettings) {
        state = ViewState(manifest: manifest, settings: settings)
        ring = RejectionRing(limit: settings.keptRejections, wholeFrom: manifest.nextOffset)
    }

    /// Takes what came of a slice.
    ///
    /// - Returns: who waited for it.
    mutating func applied(_ outcome: RecordFeed.Outcome, logBytes: Int64, now: Int64) -> [ViewWaiters.Answer] {
        ring.append(outcome.rejections)
        figures.records += UInt64(outcome.records)
        figures.rejections += UInt64(outcome.rejections.reduce(0) { $0 + $1.count })
        state.didApply(upTo: outcome.nextOffset, logBytes: logBytes, now: now)
        return waiters.release(appliedUpTo: state.applied, ring)
    }
}

extension Manifest {
    /// What a view is before its first commit.
    static func first(nextOffset: Int64) -> Manifest {
        Manifest(version: 0, nextOffset: nextOffset, blocks: [], state: [], nextBlockID: 1)
    }
}

/// Memory that slices are read to; grows to the largest.
struct ReadBuffer: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var count = 0

    init() {}

    deinit { memory.deallocate() }

    /// How much is read without another allocation.
    var capacity: Int { memory.count }

    /// What was read last.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// Gives the memory back if it is more.
    mutating func shrink(toAtMost bytes: Int) {
        guard memory.count > bytes else { return }
        memory.deallocate()
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        count = 0
    }

    mutating func fill(from slice: LogSlice) throws(LogError) {
        if memory.count < slice.count {
            memory.deallocate()
            memory = .allocate(byteCount: slice.count, alignment: 16)
        }
        count = 0
        count = try slice.read(into: memory)
    }
}
