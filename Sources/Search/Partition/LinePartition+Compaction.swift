import Synchronization
import Telemetry
public import View

extension LinePartition {
    /// What compaction does next, chosen by sizes, deletions and time: `LineCompactionPlan`.
    public func compact(to blocks: any BlockStore, nowMilliseconds: Int64) throws(ViewError) -> ManifestChange? {
        let snapshot = snapshot()
        let unreadable = Set(damagedBlocks.keys)
        let known = snapshot.deletions.filter { $0.offset < snapshot.nextOffset }
        let now = nowMilliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue
        let plan = LineCompactionPlan(
            blocks: snapshot.blocks, unreadable: unreadable, retention: snapshot.retention,
            deletions: known, nowMilliseconds: nowMilliseconds
        ) { snapshot.retention.isLimited && $0.hasExpiredStreams(snapshot.retention, now: now) }
        switch plan.step {
        case nil: return nil
        case .drop(let dropped): return ManifestChange(removed: Set(dropped.map(\.entry.id)))
        case .merge(let merged):
            return try merge(merged, snapshot, known, now: now, into: blocks)
        }
    }

    private func merge(
        _ merged: [StoredBlock], _ snapshot: LineSnapshot, _ deletions: [Deletion], now: Int64,
        into store: any BlockStore
    ) throws(ViewError) -> ManifestChange {
        guard let first = merged.first, let last = merged.last else { return ManifestChange() }
        var details = LineBlockDetails(
            day: first.details.day,
            level: (merged.map(\.details.level).max() ?? 0) + (merged.count > 1 ? 1 : 0),
            firstCut: first.details.firstCut, lastCut: last.details.lastCut,
            appliedThrough: max(snapshot.nextOffset, merged.map(\.details.appliedThrough).max() ?? 0))
        for part in merged { details.metadataNames.formUnion(part.details.metadataNames) }
        var sources: [LineBlock] = []
        do throws(SearchError) {
            for part in merged { sources.append(try part.block()) }
        } catch {
            throw ViewError(error)
        }
        let keeping = KeptLines(
            blocks: sources,
            deletions: merged.map { part in deletions.filter { $0.offset >= part.details.appliedThrough } },
            retention: snapshot.retention, now: now)
        // A damaged one notes itself, and stays out of compaction from then on.
        let entry = try LineBlockMerger.create(in: store, details: details, blocks: sources, keeping: keeping)
        return ManifestChange(removed: Set(merged.map(\.entry.id)), added: entry.map { [$0] } ?? [])
    }
}

/// What a merge keeps: what is not deleted, and no chunk that has expired as a whole.
private struct KeptLines: LineKeeping {
    let blocks: [LineBlock]
    /// For each block those that are not applied to it yet.
    let deletions: [[Deletion]]
    let retention: RetentionRules
    let now: Int64
    /// Of the stream that was asked for last.
    private var known: (block: Int, stream: Int, hidden: [HiddenLines], earliest: Int64)?

    init(blocks: [LineBlock], deletions: [[Deletion]], retention: RetentionRules, now: Int64) {
        self.blocks = blocks
        self.deletions = deletions
        self.retention = retention
        self.now = now
    }

    mutating func rows(of chunk: LineChunk, block: Int) throws(SearchError) -> RowSelection {
        let stream = chunk.entry.stream
        let own: (block: Int, stream: Int, hidden: [HiddenLines], earliest: Int64)
        if let known, known.block == block, known.stream == stream {
            own = known
        } else {
            let labels = blocks[block].labels(ofStream: stream)
            let hidden = deletions[block].filter { $0.matches(labels) }.map(\.lines)
            own = (block, stream, hidden, retention.earliest(of: labels, now: now))
            known = own
        }
        if chunk.entry.maximumTime < own.earliest { return .none }
        if own.hidden.isEmpty { return .all }
        return try HiddenLines.rows(of: chunk, hidden: own.hidden).inverted
    }
}

extension StoredBlock {
    /// Whether all lines of some of its streams are older than those are kept.
    func hasExpiredStreams(_ retention: RetentionRules, now: Int64) -> Bool {
        // A look at the streams is needed only where the block is older than some rule keeps.
        guard details.maximumTime < RetentionRules.earliest(retention.shortest, now: now),
            let block = try? block()
        else { return false }
        return (0..<block.streamCount).contains {
            details.maximumTime < retention.earliest(of: block.labels(ofStream: $0), now: now)
        }
    }
}
