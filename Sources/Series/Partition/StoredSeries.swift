/// What is known of series outside of the head: in the frozen head and in blocks. Asked at a bound on cardinality, and
/// when series are dropped.
protocol StoredSeries: AnyObject {
    /// Whether a table holds a series that was not dropped.
    func hasSeries(_ table: TableKey, tags: [(key: [UInt8], value: [UInt8])]) -> Bool
    /// Whether a table holds a series with this value of a tag.
    func hasValue(_ table: TableKey, tag: [UInt8], value: [UInt8]) -> Bool
    /// Calls `body` with the tags of each series of a table that was not dropped, and a time of its points.
    func visitSeries(
        _ table: TableKey, deleted: [Tombstone],
        _ body: (_ tags: [(key: [UInt8], value: [UInt8])], _ time: Int64) -> Void)
}
