import Columns
import Telemetry

/// Points of one table of a block that are not to be seen: what a deletion says that is not applied to the block yet.
public struct BlockRemoval: Sendable {
    /// The series; nil for all.
    public var series: OrdinalSet?
    /// The times.
    public var range: ClosedRange<Int64>

    /// Assembles a removal.
    public init(series: OrdinalSet?, range: ClosedRange<Int64>) {
        self.series = series
        self.range = range
    }
}

/// Reads points of one table of a block, in the order of series and then of time (or time backwards), page by page.
///
/// Safe because one thread at a time calls it, as `PointScan` says: it may be handed from one to another.
public final class BlockCursor: PointStream, @unchecked Sendable {
    private let table: BlockTable
    private let index: PageIndex
    /// The wanted series, ascending.
    private let series: [UInt32]
    /// What the reader calls them; nil: by their index in `series`.
    private let numbers: [Int32]?
    private let range: ClosedRange<Int64>
    /// For each requested field its index in the table, or nil.
    private let fields: [Int?]
    private let descending: Bool
    private let removals: [BlockRemoval]
    /// The next page to look at, and the first of `series` that can be in it.
    private var page = 0
    private var place = 0
    /// Pages of one series that are read from the last to the first.
    private var backwards: [Int] = []
    /// For each field, the strings that were decoded last.
    private var strings: [PieceCache]
    /// What reading has cost so far.
    public private(set) var cost = ScanCost()

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - series: ordinals of the series that are wanted, ascending.
    ///   - numbers: for each of them the number that the batches' runs are to carry, ascending; nil for its index.
    ///   - fields: the columns of the batches. Rows without any of these fields are left out.
    ///   - removals: points to leave out.
    public init(
        _ table: BlockTable, series: [UInt32], numbers: [Int32]? = nil, range: ClosedRange<Int64>, fields: [[UInt8]],
        descending: Bool = false, removing removals: [BlockRemoval] = []
    ) throws(SeriesError) {
        self.table = table
        self.series = series
        self.numbers = numbers
        self.range = range
        self.fields = fields.map { name in table.fields.firstIndex { $0.name == name } }
        self.descending = descending
        self.removals = removals.filter { $0.range.overlaps(table.range) }
        index = try table.pages()
        strings = fields.map { _ in PieceCache() }
        if !range.overlaps(table.range) || self.fields.allSatisfy({ $0 == nil }) { page = index.count }
    }

    /// The next points, or nil behind the last.
    public func next() throws(SeriesError) -> PointBatch? {
        while true {
            guard case .points(let batch)? = try next({ _ in false }) else { return nil }
            return batch
        }
    }

    /// The next points or a summary of a page of one series, if the reader says that it will do; nil behind the last.
    public func next(_ useSummary: (borrowing PointSummary) -> Bool) throws(SeriesError) -> ScanStep? {
        while let page = nextPage() {
            let header = try table.header(of: page, index)
            cost.bytes += header.series.offset - Int(index.positions[page])
            guard fields.contains(where: { $0.flatMap(header.entry(of:)) != nil }) else {
                cost.pagesSkipped += 1
                continue
            }
            if let summary = summary(of: page, header), useSummary(summary) {
                cost.pagesSummarised += 1
                return .summary(summary)
            }
            if let batch = try points(of: page, header) { return .points(batch) }
        }
        return nil
    }

    /// The next page that can hold wanted points.
    private func nextPage() -> Int? {
        if let page = backwards.popLast() { return page }
        while page < index.count, place < series.count {
            page = index.firstPage(from: page, through: Int64(series[place]))
            guard page < index.count else { return nil }
            place = firstPlace(from: place, notBelow: index.first[page])
            guard place < series.count, Int64(series[place]) <= index.last[page] else { continue }
            let found = page
            page += 1
            if descending, index.first[found] == index.last[found] {
                while page < index.count, index.first[page] == index.first[found] { page += 1 }
                backwards = (found..<page).filter(isInTime)
                cost.pagesSkipped += page - found - backwards.count
                if let last = backwards.popLast() { return last }
            } else if isInTime(found) {
                return found
            } else {
                cost.pagesSkipped += 1
            }
        }
        return nil
    }

    private func isInTime(_ page: Int) -> Bool {
        index.minimum[page] <= range.upperBound && index.maximum[page] >= range.lowerBound
    }

    private func firstPlace(from start: Int, notBelow ordinal: Int64) -> Int {
        var (low, high) = (start, series.count)
        while low < high {
            let middle = (low + high) / 2
            if Int64(series[middle]) < ordinal { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The place in `series` of one that is wanted.
    private func place(of ordinal: Int64) -> Int? {
        let found = firstPlace(from: 0, notBelow: ordinal)
        return found < series.count && Int64(series[found]) == ordinal ? found : nil
    }

    private func number(_ place: Int) -> Int32 { numbers.map { $0[place] } ?? Int32(truncatingIfNeeded: place) }

    /// The summary of a page that is wanted as a whole.
    private func summary(of page: Int, _ header: PageHeader) -> PointSummary? {
        let times = index.minimum[page]...index.maximum[page]
        guard header.runCount == 1, range.contains(times.lowerBound), range.contains(times.upperBound),
            let place = place(of: index.first[page]),
            !removals.contains(where: { removal in
                removal.range.overlaps(times) && removal.series?.contains(Int(series[place])) ?? true
            }),
            // Otherwise rows without any of the fields might be among them.
            fields.contains(where: { $0.flatMap(header.entry(of:)).map { !$0.hasNulls } ?? false })
        else { return nil }
        let summaries = fields.map { field in
            guard let field else { return FieldSummary(count: 0, figures: nil) }
            return header.summary(of: field, type: table.fields[field].type)
        }
        return PointSummary(series: number(place), range: times, fields: summaries)
    }

    private func points(of page: Int, _ header: PageHeader) throws(SeriesError) -> PointBatch? {
        let (runs, times) = try table.keys(of: page, header, index)
        cost.pagesRead += 1
        cost.bytes += header.series.count + header.times.count
        var selection = select(runs, times)
        guard selection.count > 0 else { return nil }
        var columns: [FieldColumn] = []
        var validities: [[UInt64]?] = []
        for (place, field) in fields.enumerated() {
            guard let field, let entry = header.entry(of: field) else {
                columns.append(FieldColumn(.absent))
                continue
            }
            let piece = try piece(place, field, page)
            cost.bytes += entry.range.count
            columns.append(try table.column(entry, rows: header.rows, page: page, strings: piece))
            validities.append(columns[place].validity)
        }
        selection.keepRows(withAnyOf: validities)
        guard selection.count > 0 else { return nil }
        if descending { selection.reverseWithinSeries() }
        var batch = PointBatch(times: times, runs: selection.runs, columns: columns)
        if !selection.isWhole(header.rows, reversed: descending) {
            batch.times = selection.gather(times, reversed: descending)
            batch.columns = columns.map { selection.gather($0, reversed: descending) }
        }
        for place in fields.indices { strings[place].compact(&batch.columns[place]) }
        return batch
    }

    private func piece(_ place: Int, _ field: Int, _ page: Int) throws(SeriesError) -> ByteStrings? {
        guard table.fields[field].type == .string, let wanted = index.piece(field: field, page: page) else {
            return nil
        }
        if strings[place].piece != wanted {
            strings[place] = PieceCache(piece: wanted, strings: try table.piece(wanted, of: field, index))
            cost.bytes += index.pieces[field][wanted].bytes.count
        }
        return strings[place].strings
    }

    private func select(_ runs: [SeriesRun], _ times: [Int64]) -> PageSelection {
        var selection = PageSelection()
        var (row, place) = (0, firstPlace(from: 0, notBelow: Int64(runs[0].series)))
        for run in runs {
            let rows = row..<row + Int(run.count)
            row = rows.upperBound
            while place < series.count, Int64(series[place]) < Int64(run.series) { place += 1 }
            guard place < series.count, series[place] == UInt32(bitPattern: run.series) else { continue }
            let start = Self.lowerBound(times, rows, range.lowerBound)
            let end = range.upperBound == .max ? rows.upperBound : Self.lowerBound(times, rows, range.upperBound + 1)
            guard start < end else { continue }
            if removals.isEmpty {
                selection.append(number(place), start..<end)
            } else {
                subtract(run.series, times, start..<end) { selection.append(number(place), $0) }
            }
        }
        return selection
    }

    private func subtract(_ series: Int32, _ times: [Int64], _ rows: Range<Int>, _ keep: (Range<Int>) -> Void) {
        let hidden = removals.filter { $0.series?.contains(Int(series)) ?? true }
        var start = rows.lowerBound
        for row in rows where hidden.contains(where: { $0.range.contains(times[row]) }) {
            if start < row { keep(start..<row) }
            start = row + 1
        }
        if start < rows.upperBound { keep(start..<rows.upperBound) }
    }

    /// The first row at a time or later.
    private static func lowerBound(_ times: [Int64], _ rows: Range<Int>, _ time: Int64) -> Int {
        var (low, high) = (rows.lowerBound, rows.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The strings that a column's pages share, and a map to give a batch only those that it uses.
struct PieceCache {
    private(set) var piece: Int?
    private(set) var strings = ByteStrings()
    private var places: [UInt32] = []

    init() {}

    init(piece: Int, strings: ByteStrings) {
        self.piece = piece
        self.strings = strings
    }

    /// Gives a column a dictionary of its own if that of the piece is larger than the column.
    mutating func compact(_ column: inout FieldColumn) {
        guard case .string(var codes, let dictionary) = column.values, dictionary.count > max(64, codes.count) else {
            return
        }
        if places.count != dictionary.count { places = [UInt32](repeating: .max, count: dictionary.count) }
        var (own, used): (ByteStrings, [Int]) = (ByteStrings(), [])
        for index in codes.indices {
            let code = Int(codes[index])
            if places[code] == .max {
                places[code] = UInt32(own.count)
                dictionary.withString(code) { own.append($0) }
                used.append(code)
            }
            codes[index] = places[code]
        }
        for code in used { places[code] = .max }
        column.values = .string(codes: codes, dictionary: own)
    }
}
