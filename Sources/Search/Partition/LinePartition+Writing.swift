import Synchronization
public import View

extension LinePartition {
    /// Writes the frozen head into blocks: one for each day that it has lines of.
    public func write(to blocks: any BlockStore) throws(ViewError) -> ManifestChange {
        guard let frozen = snapshot().frozen else { return ManifestChange() }
        var change = ManifestChange(state: frozen.state)
        let sorted = SortedHead(frozen.head)
        for days in sorted.spans() {
            var details = LineBlockDetails(
                day: days.lowerBound, level: 0, firstCut: frozen.cut, lastCut: frozen.cut,
                appliedThrough: frozen.nextOffset)
            details.metadataNames = sorted.source.view.metadataNames
            var content = HeadContent(sorted, days: days)
            if let entry = try LineBlockWriter.create(in: blocks, details: details, content: &content) {
                change.added.append(entry)
            }
        }
        return change
    }
}
