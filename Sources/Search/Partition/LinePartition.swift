import KafkaWire
import Synchronization
public import View

/// The view of one partition of lines: applies lines and commands in the order of the log, answers readers, and writes
/// what it has into blocks.
///
/// Threads: as `ViewEngine` says. The applying thread writes into append-only memory without a lock and publishes the
/// rows of a batch at its end; readers take what is published and go on without a lock.
public final class LinePartition: ViewEngine {
    /// Whoever applies, freezes or installs.
    let applier: Mutex<LineApplier>
    /// What readers see.
    let shown: Mutex<LineSnapshot>
    private let size = Mutex(0)
    /// Blocks that could not be read.
    let damaged: DamagedLineBlocks

    /// A view without anything; `install` follows.
    ///
    /// - Parameters:
    ///   - topic: the topic's name, which lines without labels are found by: `{topic="…"}`.
    ///   - onDamage: called once for each block that cannot be read, when that is found, with the reason.
    public init(topic: String, onDamage: @escaping @Sendable (_ reason: String) -> Void = { _ in }) {
        damaged = DamagedLineBlocks(onDamage)
        let applier = LineApplier(topic: topic)
        shown = Mutex(LineSnapshot(head: applier.head.head))
        self.applier = Mutex(applier)
    }

    /// Applies the records of one batch in order.
    public func apply(_ records: borrowing ViewRecords) -> [Rejection] {
        let batch = AppliedLines(
            records: records.records, now: records.appendTimeMilliseconds, isControl: records.isControl)
        return applier.withLock { applier in
            let rejections = applier.apply(batch.records, now: batch.now, isControl: batch.isControl)
            publish(applier)
            return rejections
        }
    }

    private func publish(_ applier: LineApplier) {
        size.withLock { $0 = applier.head.usedBytes }
        shown.withLock { shown in
            shown.activeStreams = applier.state.streams.count
            guard applier.isStateChanged else { return }
            shown.deletions = applier.state.deletions
            shown.retention = applier.state.retention
        }
        applier.isStateChanged = false
    }

    /// The bounds that are in force.
    public var limits: SearchLimits { applier.withLock { $0.state.limits } }

    /// How long lines are kept.
    public var retention: SearchRetention { snapshot().retention.command }

    /// The memory that the head takes, in bytes.
    public var headBytes: Int { size.withLock { $0 } }

    /// Ends the head.
    public func freeze(nextOffset: Int64) {
        applier.withLock { applier in
            let cut = applier.state.nextCut
            applier.state.nextCut += 1
            let frozen = FrozenLines(
                applier.head.head, nextOffset: nextOffset, state: SearchStateCodec.encode(applier.state), cut: cut)
            applier.head = LineHeadWriter()
            let head = applier.head.head
            shown.withLock { shown in
                precondition(shown.frozen == nil, "a frozen head is not written yet")
                shown.frozen = frozen
                shown.head = head
            }
            size.withLock { $0 = 0 }
        }
    }

    /// Shows a manifest's blocks instead of the frozen head and of the blocks that they replace.
    public func install(_ manifest: Manifest, from blocks: any BlockStore) throws(ViewError) {
        do throws(SearchError) {
            let known = Dictionary(uniqueKeysWithValues: snapshot().blocks.map { ($0.entry.id, $0) })
            var opened: [StoredBlock] = []
            for entry in manifest.blocks {
                if let block = known[entry.id] {
                    opened.append(block)
                } else {
                    opened.append(try StoredBlock(entry, from: blocks, noting: damaged))
                }
            }
            opened.sort { ($0.details.lastCut, $0.entry.id) < ($1.details.lastCut, $1.entry.id) }
            damaged.forget(allBut: Set(opened.map(\.entry.id)))
            try applier.withLock { applier throws(SearchError) in try install(manifest, opened, applier) }
        } catch {
            throw ViewError(error)
        }
    }

    private func install(
        _ manifest: Manifest, _ blocks: [StoredBlock], _ applier: LineApplier
    ) throws(SearchError) {
        if !applier.hasBegun {
            if !manifest.state.isEmpty { applier.state = try SearchStateCodec.decode(manifest.state) }
            applier.hasBegun = true
        }
        shown.withLock { shown in
            shown.blocks = blocks
            shown.nextOffset = manifest.nextOffset
            if let frozen = shown.frozen, frozen.nextOffset <= manifest.nextOffset { shown.frozen = nil }
            // A deletion has done its work when no block has lines that it may hide. One of the log behind the manifest
            // may still hide the frozen head's.
            let frozenOffset = shown.frozen?.nextOffset ?? .max
            applier.state.deletions.removeAll { deletion in
                deletion.offset < min(manifest.nextOffset, frozenOffset) && !blocks.contains { $0.needs(deletion) }
            }
            shown.deletions = applier.state.deletions
            shown.retention = applier.state.retention
            shown.activeStreams = applier.state.streams.count
        }
    }

    /// What readers see now.
    func snapshot() -> LineSnapshot { shown.withLock { $0 } }
}

/// The records of a batch, so that they can be handed over a lock.
private struct AppliedLines: @unchecked Sendable {
    // Safe because it lives during one call of `apply`, in one thread.
    let records: [RecordView]
    let now: Int64
    let isControl: Bool
}
