public import View

extension LinePartition {
    /// Writes the frozen head into blocks: one for each day that it has lines of.
    public func write(to blocks: any BlockStore) throws(ViewError) -> ManifestChange {
        throw ViewError(.closed, "blocks of lines cannot be written yet")
    }

    /// What compaction does next.
    public func compact(to blocks: any BlockStore, nowMilliseconds: Int64) throws(ViewError) -> ManifestChange? { nil }
}
