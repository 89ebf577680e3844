public import Telemetry

/// Merges streams of points into one, in which each (series, time) stands once: of each field the newest value wins.
///
/// Where streams do not interleave, whole stretches of rows are copied at once. Sendable is safe because one thread at a
/// time reads, as `PointScan` says.
public final class PointMerge: PointStream, @unchecked Sendable {
    private var cursors: [Cursor]
    private let descending: Bool
    private let batchRows: Int
    private let types: [FieldType?]
    private var result: MergedRows

    /// Where a stream stands: at `row` of its batch, which belongs to the run that ends in front of `runEnd`.
    private struct Cursor {
        let stream: any PointStream
        var batch = PointBatch(times: [], runs: [], columns: [])
        var run = 0
        var row = 0
        var runEnd = 0
        var series: Int32 = 0
        var time: Int64 = 0
        var isAtEnd = false
        /// Changes with every batch.
        var generation = 0
    }

    /// Begins to merge.
    ///
    /// - Parameters:
    ///   - streams: the oldest first. Their runs' series are numbers of one list, and their columns are of one request.
    ///   - types: the type of each column; nil for one that no stream has. Columns of another type count as absent.
    ///   - descending: whether times of a series run backwards, in all streams.
    ///   - batchRows: how many rows a batch has at least, except for the last.
    public init(
        _ streams: [any PointStream], types: [FieldType?], descending: Bool = false, batchRows: Int = 2048
    ) throws(SeriesError) {
        self.types = types
        self.descending = descending
        self.batchRows = batchRows
        cursors = streams.map { Cursor(stream: $0) }
        result = MergedRows(types: types, sources: streams.count)
        for index in cursors.indices { try load(index) }
    }

    /// What reading all of them has cost so far.
    public var cost: ScanCost { cursors.reduce(into: ScanCost()) { $0 += $1.stream.cost } }

    /// The next points, or nil behind the last.
    public func next() throws(SeriesError) -> PointBatch? {
        while result.rows < batchRows, try step() {}
        return result.take()
    }

    /// Copies a stretch of rows, or one row that several streams have.
    ///
    /// - Returns: false at the end.
    private func step() throws(SeriesError) -> Bool {
        guard let lead = first(except: nil) else { return false }
        let (series, time) = (cursors[lead].series, cursors[lead].time)
        var end = cursors[lead].runEnd
        if let other = first(except: lead), cursors[other].series == series {
            if cursors[other].time == time {
                try mergeTied(series, time)
                return true
            }
            end = firstRow(of: lead, notBefore: cursors[other].time)
        }
        end = min(end, cursors[lead].row + max(1, batchRows))
        result.append(
            cursors[lead].batch, rows: cursors[lead].row..<end, series: series, source: lead,
            generation: cursors[lead].generation)
        try advance(lead, to: end)
        return true
    }

    /// The stream with the smallest (series, time); of several the newest.
    private func first(except excluded: Int?) -> Int? {
        var best: Int?
        for index in cursors.indices.reversed() where !cursors[index].isAtEnd && index != excluded {
            guard let found = best else {
                best = index
                continue
            }
            let (a, b) = (cursors[index].series, cursors[found].series)
            if a < b || a == b && isBefore(cursors[index].time, cursors[found].time) { best = index }
        }
        return best
    }

    private func isBefore(_ left: Int64, _ right: Int64) -> Bool { descending ? left > right : left < right }

    private func firstRow(of index: Int, notBefore time: Int64) -> Int {
        var (low, high) = (cursors[index].row, cursors[index].runEnd)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(cursors[index].batch.times[middle], time) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Merges rows that several streams have. If the newest has a value of every field, its rows go as a stretch, as
    /// far as the others have the same times: points that were written twice.
    private func mergeTied(_ series: Int32, _ time: Int64) throws(SeriesError) {
        let tied = cursors.indices.reversed().filter {
            !cursors[$0].isAtEnd && cursors[$0].series == series && cursors[$0].time == time
        }
        let newest = tied[0]
        guard types.indices.allSatisfy({ cursors[newest].batch.columns[$0].isFull || types[$0] == nil }) else {
            return try mergeRow(series, time, tied)
        }
        var count = cursors[newest].runEnd - cursors[newest].row
        for index in cursors.indices where !cursors[index].isAtEnd && cursors[index].series == series && index != newest
        {
            count = min(
                count,
                tied.contains(index)
                    ? equalTimes(newest, index, limit: count)
                    : firstRow(of: newest, notBefore: cursors[index].time) - cursors[newest].row)
        }
        let start = cursors[newest].row
        result.append(
            cursors[newest].batch, rows: start..<start + count, series: series, source: newest,
            generation: cursors[newest].generation)
        for index in tied { try advance(index, to: cursors[index].row + count) }
    }

    /// How many rows two streams have at the same times from here on, within their runs.
    private func equalTimes(_ left: Int, _ right: Int, limit: Int) -> Int {
        let most = min(limit, cursors[right].runEnd - cursors[right].row)
        let (a, b) = (cursors[left].row, cursors[right].row)
        var count = 0
        while count < most, cursors[left].batch.times[a + count] == cursors[right].batch.times[b + count] { count += 1 }
        return count
    }

    private func mergeRow(_ series: Int32, _ time: Int64, _ tied: [Int]) throws(SeriesError) {
        result.append(series, time)
        for column in types.indices {
            let winner = tied.first { cursors[$0].batch.columns[column].hasValue(cursors[$0].row) } ?? tied[0]
            result.append(
                column, cursors[winner].batch.columns[column], row: cursors[winner].row, source: winner,
                generation: cursors[winner].generation)
        }
        for index in tied { try advance(index, to: cursors[index].row + 1) }
    }

    private func advance(_ index: Int, to row: Int) throws(SeriesError) {
        cursors[index].row = row
        if row == cursors[index].runEnd {
            cursors[index].run += 1
            guard cursors[index].run < cursors[index].batch.runs.count else { return try load(index) }
            enterRun(index)
        }
        cursors[index].time = cursors[index].batch.times[row]
    }

    private func load(_ index: Int) throws(SeriesError) {
        guard let batch = try cursors[index].stream.next() else { return cursors[index].isAtEnd = true }
        cursors[index].batch = batch
        for column in types.indices where !batch.columns[column].isOf(types[column]) {
            cursors[index].batch.columns[column] = FieldColumn(.absent)
        }
        (cursors[index].run, cursors[index].row) = (0, 0)
        cursors[index].generation += 1
        enterRun(index)
        cursors[index].time = batch.times[0]
    }

    private func enterRun(_ index: Int) {
        let run = cursors[index].batch.runs[cursors[index].run]
        cursors[index].series = run.series
        cursors[index].runEnd = cursors[index].row + Int(run.count)
    }
}

extension FieldColumn {
    /// Whether the values are of a type.
    fileprivate func isOf(_ type: FieldType?) -> Bool {
        switch (values, type) {
        case (.float, .float), (.integer, .integer), (.unsigned, .unsigned), (.boolean, .boolean), (.string, .string),
            (.absent, _):
            true
        default: false
        }
    }

    /// Whether every row has a value.
    var isFull: Bool {
        if case .absent = values { return false }
        return validity == nil
    }

    /// Whether a row has a value.
    func hasValue(_ row: Int) -> Bool {
        if case .absent = values { return false }
        guard let validity else { return true }
        return validity[row >> 6] >> UInt64(row & 63) & 1 != 0
    }
}

/// Rows that are put together from several batches.
private struct MergedRows {
    private var times: [Int64] = []
    private var runs: [SeriesRun] = []
    private var columns: [MergedColumn]

    var rows: Int { times.count }

    init(types: [FieldType?], sources: Int) {
        columns = types.map { MergedColumn(type: $0, sources: sources) }
    }

    mutating func append(_ batch: PointBatch, rows: Range<Int>, series: Int32, source: Int, generation: Int) {
        times += batch.times[rows]
        add(series, rows.count)
        for column in columns.indices {
            columns[column].append(batch.columns[column], rows, source: source, generation: generation)
        }
    }

    mutating func append(_ series: Int32, _ time: Int64) {
        times.append(time)
        add(series, 1)
    }

    mutating func append(_ column: Int, _ content: FieldColumn, row: Int, source: Int, generation: Int) {
        columns[column].append(content, row..<row + 1, source: source, generation: generation)
    }

    private mutating func add(_ series: Int32, _ count: Int) {
        if let last = runs.indices.last, runs[last].series == series {
            runs[last].count += Int32(count)
        } else {
            runs.append(SeriesRun(series: series, count: Int32(count)))
        }
    }

    /// The rows, and none are left.
    mutating func take() -> PointBatch? {
        guard !times.isEmpty else { return nil }
        defer { (times, runs) = ([], []) }
        var taken: [FieldColumn] = []
        for column in columns.indices { taken.append(columns[column].take()) }
        return PointBatch(times: times, runs: runs, columns: taken)
    }
}
