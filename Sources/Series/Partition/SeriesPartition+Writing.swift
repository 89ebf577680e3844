import Synchronization
public import View

extension SeriesPartition {
    /// Writes the frozen head into blocks: one per retention policy and shard that it has points of.
    public func write(to blocks: any BlockStore) throws(ViewError) -> ManifestChange {
        guard let frozen = snapshot().frozen else { return ManifestChange() }
        var change = ManifestChange()
        for policy in frozen.head.retentionPolicies {
            let tables = frozen.head.tables { $0.retentionPolicy == policy }
            var windows: Set<ShardWindow> = []
            for table in tables {
                for window in table.view().windows { windows.insert(ShardWindow(start: window.start, end: window.end)) }
            }
            for window in windows.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
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
}
