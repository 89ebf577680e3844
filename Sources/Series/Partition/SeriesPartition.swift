import KafkaWire
import Synchronization
public import View

/// The series view of one partition: applies lines and commands in the order of the log, answers readers, and writes
/// what it has into blocks.
///
/// Threads: as `ViewEngine` says. The applying thread writes into append-only memory without a lock and publishes the
/// rows of a batch at its end, per table; readers take what is published and go on without a lock.
public final class SeriesPartition: ViewEngine {
    /// Whoever applies, freezes or installs.
    let applier: Mutex<Applier>
    /// What readers see.
    let shown: Mutex<PartitionSnapshot>
    private let size = Mutex(0)
    /// Blocks that could not be read.
    let damaged: DamagedBlocks
    /// Serves the applier's questions about what is not in its head.
    private let stored: StoredInSnapshot

    /// A view without anything; `install` follows.
    ///
    /// - Parameter onDamage: called once for each block that cannot be read, when that is found, with the reason.
    public init(onDamage: @escaping @Sendable (_ reason: String) -> Void = { _ in }) {
        damaged = DamagedBlocks(onDamage)
        let state = SeriesState()
        let writer = HeadWriter()
        stored = StoredInSnapshot()
        shown = Mutex(
            PartitionSnapshot(
                head: writer.head, retentionPolicies: state.retentionPolicies,
                defaultPolicyName: state.defaultPolicyName))
        applier = Mutex(Applier(state: state, head: writer, stored: stored))
    }

    /// Applies the records of one batch in order.
    public func apply(_ records: borrowing ViewRecords) -> [Rejection] {
        let batch = AppliedBatch(
            records: records.records, now: records.appendTimeMilliseconds, isControl: records.isControl)
        return applier.withLock { applier in
            stored.snapshot = snapshot()
            let rejections = applier.apply(batch.records, now: batch.now, isControl: batch.isControl)
            publish(applier)
            return rejections
        }
    }

    private func publish(_ applier: Applier) {
        size.withLock { $0 = applier.head.usedBytes }
        let estimate = applier.state.cardinality.seriesEstimate
        shown.withLock { shown in
            shown.seriesEstimate = estimate
            guard applier.isStateChanged else { return }
            shown.retentionPolicies = applier.state.retentionPolicies
            shown.defaultPolicyName = applier.state.defaultPolicyName
            shown.tombstones = applier.state.tombstones
        }
        applier.isStateChanged = false
    }

    /// The bounds on cardinality that are in force.
    public var limits: SeriesLimits { applier.withLock { $0.state.limits } }

    /// The memory that the head takes, in bytes.
    public var headBytes: Int { size.withLock { $0 } }

    /// Ends the head.
    public func freeze(nextOffset: Int64) {
        applier.withLock { applier in
            let cut = applier.state.nextCut
            applier.state.nextCut += 1
            let frozen = FrozenHead(applier.head.head, nextOffset: nextOffset, state: applier.state, cut: cut)
            applier.head = HeadWriter()
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
        do throws(SeriesError) {
            let known = Dictionary(uniqueKeysWithValues: snapshot().blocks.map { ($0.entry.id, $0) })
            var opened: [PartitionBlock] = []
            for entry in manifest.blocks {
                if let block = known[entry.id] {
                    opened.append(block)
                } else {
                    opened.append(try PartitionBlock(entry, from: blocks, noting: damaged))
                }
            }
            opened.sort { ($0.details.lastCut, $0.entry.id) < ($1.details.lastCut, $1.entry.id) }
            damaged.forget(allBut: Set(opened.map(\.entry.id)))
            try applier.withLock { applier throws(SeriesError) in try install(manifest, opened, applier) }
        } catch {
            throw ViewError(error)
        }
    }

    private func install(
        _ manifest: Manifest, _ blocks: [PartitionBlock], _ applier: Applier
    ) throws(SeriesError) {
        if !applier.hasBegun {
            if !manifest.state.isEmpty { applier.state = try SeriesStateCodec.decode(manifest.state) }
            applier.hasBegun = true
        }
        shown.withLock { shown in
            shown.blocks = blocks
            shown.nextOffset = manifest.nextOffset
            if let frozen = shown.frozen, frozen.nextOffset <= manifest.nextOffset { shown.frozen = nil }
            // A tombstone has done its work when no block has points that it hides. One of the log behind the manifest
            // may still hide the frozen head's.
            let frozenOffset = shown.frozen?.nextOffset ?? .max
            applier.state.tombstones.removeAll { tombstone in
                tombstone.offset < min(manifest.nextOffset, frozenOffset) && !blocks.contains { $0.needs(tombstone) }
            }
            shown.tombstones = applier.state.tombstones
            shown.retentionPolicies = applier.state.retentionPolicies
            shown.defaultPolicyName = applier.state.defaultPolicyName
            shown.seriesEstimate = applier.state.cardinality.seriesEstimate
        }
    }

    /// What readers see now.
    func snapshot() -> PartitionSnapshot { shown.withLock { $0 } }
}

/// The records of a batch, so that they can be handed over a lock.
private struct AppliedBatch: @unchecked Sendable {
    // Safe because it lives during one call of `apply`, in one thread.
    let records: [RecordView]
    let now: Int64
    let isControl: Bool
}
