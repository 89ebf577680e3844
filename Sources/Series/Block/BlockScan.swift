/// A part of a scan that one block answers alone.
public final class BlockScan: PointScan {
    /// The series that match.
    public let series: SeriesTable
    private let cursor: BlockCursor

    /// Begins to read what a request wants of a table; nil if nothing there can match.
    ///
    /// - Parameter removals: points to leave out.
    public init?(
        _ table: BlockTable, _ request: ScanRequest, removing removals: [BlockRemoval] = []
    ) throws(SeriesError) {
        guard request.range.overlaps(table.range) else { return nil }
        let ordinals = try table.matching(request.tags).members
        guard !ordinals.isEmpty else { return nil }
        series = SeriesTable(try table.columns(of: ordinals, keys: request.tagKeys))
        cursor = try BlockCursor(
            table, series: ordinals, range: request.range, fields: request.fields, descending: request.descending,
            removing: removals)
    }

    /// The next points, or a summary that will do; nil behind the last.
    public func next(_ useSummary: (borrowing PointSummary) -> Bool) throws(SeriesError) -> ScanStep? {
        try cursor.next(useSummary)
    }
}
