import Synchronization
public import View

extension SeriesPartition {
    /// What compaction does next, chosen by sizes, deletions and time: `CompactionPlan`.
    public func compact(to blocks: any BlockStore, nowMilliseconds: Int64) throws(ViewError) -> ManifestChange? {
        let snapshot = snapshot()
        let plan = CompactionPlan(
            blocks: snapshot.blocks, unreadable: Set(damagedBlocks.keys), policies: snapshot.retentionPolicies,
            tombstones: snapshot.tombstones.filter { $0.offset < snapshot.nextOffset }, nowMilliseconds: nowMilliseconds
        )
        switch plan.step {
        case nil: return nil
        case .drop(let dropped): return ManifestChange(removed: Set(dropped.map(\.entry.id)))
        case .merge(let merged):
            return try merge(merged, snapshot, into: blocks)
        }
    }

    private func merge(
        _ merged: [PartitionBlock], _ snapshot: PartitionSnapshot, into store: any BlockStore
    ) throws(ViewError) -> ManifestChange {
        guard let first = merged.first, let last = merged.last else { return ManifestChange() }
        let details = BlockDetails(
            retentionPolicy: first.details.retentionPolicy,
            shardStart: merged.map(\.details.shardStart).min() ?? first.details.shardStart,
            shardEnd: merged.map(\.details.shardEnd).max() ?? first.details.shardEnd,
            level: (merged.map(\.details.level).max() ?? 0) + (merged.count > 1 ? 1 : 0),
            firstCut: first.details.firstCut, lastCut: last.details.lastCut,
            appliedThrough: max(snapshot.nextOffset, merged.map(\.details.appliedThrough).max() ?? 0))
        var sources: [BlockMerger.Source] = []
        for part in merged {
            do throws(SeriesError) {
                let block = try part.block()
                let applied = part.details.appliedThrough
                let policy = part.details.retentionPolicy
                sources.append(
                    BlockMerger.Source(block) { table throws(SeriesError) in
                        try snapshot.removals(of: table, retentionPolicy: policy, appliedThrough: applied)
                    })
            } catch {
                throw ViewError(error)
            }
        }
        // A damaged one notes itself, and stays out of compaction from then on.
        let entry = try BlockMerger.merge(sources, details: details, in: store)
        return ManifestChange(removed: Set(merged.map(\.entry.id)), added: entry.map { [$0] } ?? [])
    }
}

extension PartitionSnapshot {
    /// What deletions that the manifest knows hide of a block's table.
    func removals(
        of table: BlockTable, retentionPolicy: [UInt8], appliedThrough: Int64
    ) throws(SeriesError) -> [BlockRemoval] {
        var known = self
        known.tombstones.removeAll { $0.offset >= nextOffset }
        if known.isGone(table.measurement, of: retentionPolicy, at: appliedThrough) {
            return [BlockRemoval(series: nil, range: .min ... .max)]
        }
        return try Self.removals(known.deletions(of: table.measurement, at: appliedThrough), table)
    }
}
