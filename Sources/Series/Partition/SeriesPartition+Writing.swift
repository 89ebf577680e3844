import Synchronization
public import View

extension SeriesPartition {
    /// Writes the frozen head into blocks: one per retention policy and shard that it has points of.
    public func write(to blocks: any BlockStore) throws(ViewError) -> ManifestChange {
        guard let frozen = snapshot().frozen else { return ManifestChange() }
        var change = ManifestChange()
        for policy in frozen.head.retentionPolicies {
            let tables = frozen.head.tables { $0.retentionPolicy == policy }
            for window in Self.windows(of: tables) {
                let details = BlockDetails(
                    retentionPolicy: policy, shardStart: window.start, shardEnd: window.end, level: 0,
                    firstCut: frozen.cut, lastCut: frozen.cut, appliedThrough: frozen.nextOffset)
                var content = HeadContent(tables, range: window.times)
                if let entry = try BlockWriter.create(in: blocks, details: details, content: &content) {
                    change.added.append(entry)
                }
            }
        }
        change.state = SeriesStateCodec.encode(frozen.state)
        return change
    }

    /// The most blocks that a cut writes for one retention policy.
    static let maximumBlocksPerCut = 512

    /// The shards that tables have points in. Shards that overlap (the policy's shard duration was changed) are one;
    /// and neighbours are, where there are too many (lines with times of any age, on purpose).
    static func windows(of tables: [HeadTable]) -> [ShardWindow] {
        var found: Set<ShardWindow> = []
        for table in tables {
            for window in table.view().windows { found.insert(ShardWindow(start: window.start, end: window.end)) }
        }
        var apart: [ShardWindow] = []
        for window in found.sorted(by: { $0.start < $1.start }) {
            if let last = apart.last, window.start < last.end {
                apart[apart.count - 1] = ShardWindow(start: last.start, end: max(last.end, window.end))
            } else {
                apart.append(window)
            }
        }
        let size = (apart.count + maximumBlocksPerCut - 1) / maximumBlocksPerCut
        guard size > 1 else { return apart }
        return stride(from: 0, to: apart.count, by: size).map { first in
            ShardWindow(start: apart[first].start, end: apart[min(first + size, apart.count) - 1].end)
        }
    }
}
