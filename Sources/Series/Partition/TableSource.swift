import Telemetry

/// Something that holds points of one table: of a head, or of a block; with what deletions hide of it.
enum TableSource: Sendable {
    case head(HeadTable, HeadTable.View, [BlockRemoval])
    case block(BlockTable, [BlockRemoval])

    var isBlock: Bool { if case .block = self { true } else { false } }

    /// The stretches of time that it has points in: those of a head by shard.
    var ranges: [ClosedRange<Int64>] {
        switch self {
        case .head(_, let view, _):
            view.windows.filter { $0.minimum <= $0.maximum }.map { $0.minimum...$0.maximum }
        case .block(let table, _):
            table.rowCount == 0 ? [] : [table.range]
        }
    }

    /// How many series and rows are looked at to find what a scan wants, about.
    var effort: Int {
        switch self {
        case .head(_, let view, _): view.seriesCount + view.rowCount
        case .block(let table, _): table.seriesCount
        }
    }

    /// The fields.
    var fields: [(name: [UInt8], type: FieldType)] {
        switch self {
        case .head(_, let view, _): view.fields.map { ($0.name, $0.type) }
        case .block(let table, _): table.fields
        }
    }

    /// The tag keys.
    var tagKeys: [[UInt8]] {
        switch self {
        case .head(_, let view, _): view.tagKeys.map(\.name)
        case .block(let table, _): table.tagKeys
        }
    }

    /// Whether deletions have left a series. Asks the series and rows only where there are deletions; a block of which
    /// several deletions by time hide everything together has its series until compaction.
    func hasSeries() throws(SeriesError) -> Bool {
        switch self {
        case .head(let table, let view, let hidden):
            return table.hasRows(view, hidden: hidden)
        case .block(let table, let removals):
            if table.rowCount == 0 || removals.isEmpty { return table.rowCount > 0 }
            return try !series(matching: .all).isEmpty
        }
    }

    /// The series that match a condition; of a block without those that a deletion hides wholly.
    func series(matching predicate: TagPredicate) throws(SeriesError) -> OrdinalSet {
        switch self {
        case .head(let table, let view, _):
            return table.series(matching: predicate, view)
        case .block(let table, let removals):
            var set = try table.matching(predicate)
            for removal in removals
            where removal.range.lowerBound <= table.range.lowerBound
                && removal.range.upperBound >= table.range.upperBound
            {
                if let series = removal.series {
                    set.subtract(series)
                } else {
                    set = OrdinalSet(universe: set.universe)
                }
            }
            return set
        }
    }

    /// The series, of some, that have a point in a range. Of a block that the range covers in part: those that have a
    /// point at all.
    func series(_ wanted: OrdinalSet, in range: ClosedRange<Int64>) -> OrdinalSet {
        switch self {
        case .head(let table, let view, let hidden):
            table.seriesWithRows(wanted, in: range, view, hidden: hidden)
        case .block(let table, _):
            table.range.overlaps(range) ? wanted : OrdinalSet(universe: wanted.universe)
        }
    }

    /// The series, of some, that may have a point in a range that is wanted. Asks the strings of a head alone: blocks
    /// have them by pages.
    func series(_ wanted: OrdinalSet, passing tests: [StringTest], in range: ClosedRange<Int64>) -> OrdinalSet {
        guard case .head(_, let view, _) = self, !tests.isEmpty else { return wanted }
        return view.series(wanted, passing: tests, in: range)
    }

    /// The tags of series.
    func columns(of ordinals: [UInt32], keys: [[UInt8]]? = nil) throws(SeriesError) -> SeriesColumns {
        switch self {
        case .head(let table, let view, _): table.columns(of: ordinals, keys: keys, view)
        case .block(let table, _): try table.columns(of: ordinals, keys: keys)
        }
    }
}

/// What a scan takes of one source: the rows of a head are selected at once, those of a block when they are read.
struct SourcePart {
    /// What is read.
    enum Rows {
        case head(HeadTable.View, HeadSelection)
        case block(BlockTable, [BlockRemoval])
    }

    let source: TableSource
    let rows: Rows
    /// The series, in the order of their keys.
    let series: [UInt32]
    let range: ClosedRange<Int64>

    /// - Parameter wanted: the series that match.
    init(_ source: TableSource, wanted: OrdinalSet, range: ClosedRange<Int64>, fields: [[UInt8]], descending: Bool) {
        self.source = source
        self.range = range
        switch source {
        case .head(let table, let view, let hidden):
            let selection = HeadSelection(
                table, view, wanted: wanted, range: range, fields: fields.compactMap { view.field(named: $0) },
                descending: descending, hidden: hidden)
            rows = .head(view, selection)
            series = selection.series
        case .block(let table, let removals):
            rows = .block(table, removals)
            series = wanted.members
        }
    }

    /// The series at some places that may have a point that passes tests. Right only where no other source has points of
    /// these series between theirs: what is left out here might stand above what is read there.
    func places(_ places: [Int], passing tests: [StringTest]) -> [Int] {
        guard case .head(let view, _) = rows, !tests.isEmpty else { return places }
        var wanted = OrdinalSet(universe: view.seriesCount)
        for place in places { wanted.insert(Int(series[place])) }
        let passing = source.series(wanted, passing: tests, in: range)
        return places.filter { passing.contains(Int(series[$0])) }
    }

    /// From the first time at which the source may have a point in the range to the last.
    var span: ClosedRange<Int64> {
        let ranges = source.ranges.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
        let start = ranges.map(\.lowerBound).min() ?? range.lowerBound
        return start...max(start, ranges.map(\.upperBound).max() ?? range.upperBound)
    }

    /// From when to when each series has points, at least; a series may have none if all are within `free`.
    func spans(skipping free: SeriesSpans.Open) throws(SeriesError) -> SeriesSpans {
        switch rows {
        case .head(let view, let selection):
            var spans = SeriesSpans(count: series.count, within: range)
            for place in series.indices {
                let first = view.time(selection.rows[selection.starts[place]])
                let last = view.time(selection.rows[selection.starts[place + 1] - 1])
                spans.add(min(first, last)...max(first, last), to: place)
            }
            return spans
        case .block(let table, _): return try table.spans(of: series, in: range, skipping: free)
        }
    }

    /// About how many rows are read: those of a head, or all of the pages of a block that are looked into.
    func rowEstimate() throws(SeriesError) -> Int {
        switch rows {
        case .head(_, let selection): selection.rows.count
        case .block(let table, _): try table.pages().rows(of: series, in: range)
        }
    }

    /// Reads the series at some places, with the names that the runs are to give them.
    func stream(
        _ places: [Int], numbers: [Int32], fields: [[UInt8]], descending: Bool
    ) throws(SeriesError) -> any PointStream {
        switch rows {
        case .head(let view, let selection):
            return HeadCursor(
                view, selection, places: places, numbers: numbers, fields: fields.map { view.field(named: $0) })
        case .block(let table, let removals):
            return try BlockCursor(
                table, series: places.map { series[$0] }, numbers: numbers, range: range, fields: fields,
                descending: descending, removing: removals)
        }
    }
}
