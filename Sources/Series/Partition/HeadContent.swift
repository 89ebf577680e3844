import Telemetry

/// The rows of a head that fall into one shard, as a writer of blocks takes them.
struct HeadContent: BlockContent {
    private var tables: [HeadTable]
    private let range: ClosedRange<Int64>
    private var cursor: HeadCursor?

    /// - Parameter tables: of one retention policy.
    init(_ tables: [HeadTable], range: ClosedRange<Int64>) {
        // From the last to the first: they are taken from the end.
        self.tables = tables.sorted { SeriesKey.compare($0.key.measurement, $1.key.measurement) > 0 }
        self.range = range
    }

    mutating func nextTable() throws(SeriesError) -> BlockTableContent? {
        while let table = tables.popLast() {
            let view = table.view()
            guard
                view.windows.contains(where: { $0.minimum <= $0.maximum && ($0.minimum...$0.maximum).overlaps(range) })
            else { continue }
            let fields = view.fields.indices.sorted {
                SeriesKey.compare(view.fields[$0].name, view.fields[$1].name) < 0
            }
            let selection = HeadSelection(
                table, view, wanted: OrdinalSet(universe: view.seriesCount, full: true), range: range, fields: fields)
            guard !selection.series.isEmpty else { continue }
            cursor = HeadCursor(
                view, selection, places: Array(selection.series.indices),
                numbers: (0..<Int32(selection.series.count)).map { $0 }, fields: fields)
            return BlockTableContent(
                name: table.key.measurement, fields: fields.map { (view.fields[$0].name, view.fields[$0].type) },
                series: table.columns(of: selection.series, keys: nil, view))
        }
        return nil
    }

    mutating func nextBatch() throws(SeriesError) -> PointBatch? { try cursor?.next() }
}
