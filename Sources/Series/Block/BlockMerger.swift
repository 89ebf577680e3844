import Telemetry
public import View

/// Merges blocks into one: what compaction does. Of points that stand in several of them the newest values win, and
/// deletions are applied.
public enum BlockMerger {
    /// A block to merge.
    public struct Source: Sendable {
        /// The block.
        public var block: Block
        /// Of a table of it, the points that were deleted since.
        public var removals: @Sendable (BlockTable) throws(SeriesError) -> [BlockRemoval]

        /// Assembles a source.
        public init(
            _ block: Block, removals: @escaping @Sendable (BlockTable) throws(SeriesError) -> [BlockRemoval]
        ) {
            self.block = block
            self.removals = removals
        }
    }

    /// Writes one block with the points of several. Memory: a batch per source, and the series of one measurement.
    ///
    /// - Parameters:
    ///   - sources: the oldest first, by the order of their cuts.
    ///   - details: those of the result; rows, series and times are counted while it is written.
    /// - Returns: the entry for the manifest; nil if no point is left.
    public static func merge(
        _ sources: [Source], details: BlockDetails, in store: any BlockStore
    ) throws(ViewError) -> BlockEntry? {
        var content = MergedContent(sources)
        return try BlockWriter.create(in: store, details: details, content: &content)
    }
}

/// The points of several blocks, as a writer takes them.
struct MergedContent: BlockContent {
    private let sources: [BlockMerger.Source]
    private var measurements: [[UInt8]]
    private var points: PointMerge?

    init(_ sources: [BlockMerger.Source]) {
        self.sources = sources
        measurements = sources.flatMap { $0.block.tables.map(\.measurement) }
        measurements.sort { SeriesKey.compare($0, $1) > 0 }
    }

    mutating func nextTable() throws(SeriesError) -> BlockTableContent? {
        guard let name = measurements.popLast() else { return nil }
        while measurements.last == name { measurements.removeLast() }
        var tables: [(table: BlockTable, removals: [BlockRemoval], ordinals: [UInt32])] = []
        for source in sources {
            guard let table = source.block.table(name) else { continue }
            let removals = try source.removals(table)
            tables.append((table, removals, try Self.remaining(table, removals)))
        }
        var lists: [SeriesColumns] = []
        for table in tables { lists.append(try table.table.columns(of: table.ordinals)) }
        let fields = Self.fields(tables.map(\.table))
        let merge = SeriesMerge(lists)
        var streams: [any PointStream] = []
        for (index, table) in tables.enumerated() {
            streams.append(
                try BlockCursor(
                    table.table, series: table.ordinals, numbers: merge.numbers[index], range: .min ... .max,
                    fields: fields.map(\.name), removing: table.removals))
        }
        points = try PointMerge(streams, types: fields.map(\.type))
        return BlockTableContent(name: name, fields: fields, series: merge.series)
    }

    mutating func nextBatch() throws(SeriesError) -> PointBatch? { try points?.next() }

    /// The series that have points which are not all removed, as far as times tell.
    private static func remaining(_ table: BlockTable, _ removals: [BlockRemoval]) throws(SeriesError) -> [UInt32] {
        var set = try table.matching(.all)
        for removal in removals
        where removal.range.lowerBound <= table.range.lowerBound && removal.range.upperBound >= table.range.upperBound {
            guard let series = removal.series else { return [] }
            set.subtract(series)
        }
        return set.members
    }

    /// All fields; the newest table tells the type.
    private static func fields(_ tables: [BlockTable]) -> [(name: [UInt8], type: FieldType)] {
        var fields: [(name: [UInt8], type: FieldType)] = []
        for table in tables.reversed() {
            for field in table.fields where !fields.contains(where: { $0.name == field.name }) { fields.append(field) }
        }
        return fields.sorted { SeriesKey.compare($0.name, $1.name) < 0 }
    }
}
