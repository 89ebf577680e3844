import Bytes
import Columns
import Telemetry

/// Collects the rows of one table and cuts them into pages.
///
/// A page holds whole series, or rows of one series alone that does not fit into a page: so a page can be read without
/// its neighbours, and series of many rows can be summed up page by page.
struct PageBuilder: ~Copyable {
    private let fields: [(name: [UInt8], type: FieldType)]
    private let seriesCount: Int
    private var columns: [Column]
    private var times: [Int64] = []
    private var runs: [SeriesRun] = []
    /// The row at which the last run begins.
    private var lastRunStart = 0
    /// Whether rows of the last run's series are in a page already.
    private var isContinued = false
    private var lastSeries = Int32(-1)
    private var lastTime: Int64?
    private let hasStrings: Bool
    private(set) var index: PageIndexBuilder
    /// Which series have rows.
    private(set) var present: OrdinalSet

    /// A column, boxed because arrays hold no noncopyable values.
    private final class Column {
        var buffer: ColumnBuffer
        init(type: FieldType) { buffer = ColumnBuffer(type: type) }
    }

    init(_ table: borrowing BlockTableContent) {
        fields = table.fields
        seriesCount = table.series.count
        columns = table.fields.map { Column(type: $0.type) }
        hasStrings = table.fields.contains { $0.type == .string }
        present = OrdinalSet(universe: table.series.count)
        index = PageIndexBuilder(pieces: table.fields.count)
    }

    /// Adds rows, and writes the pages that are complete.
    mutating func append(_ batch: borrowing PointBatch, to output: inout BlockOutput) throws(SeriesError) {
        guard batch.columns.count == fields.count else {
            throw SeriesError(.invalid, "\(batch.columns.count) columns for \(fields.count) fields")
        }
        var row = 0
        for run in batch.runs {
            if run.series != lastSeries {
                guard run.series > lastSeries, Int(run.series) < seriesCount else {
                    throw SeriesError(.invalid, "series \(run.series) after \(lastSeries) of \(seriesCount)")
                }
                endSeries(&output)
                (lastSeries, lastTime, lastRunStart) = (run.series, nil, times.count)
                present.insert(Int(run.series))
            }
            let end = row + Int(run.count)
            guard run.count >= 0, end <= batch.times.count else {
                throw SeriesError(.invalid, "runs of more rows than the batch has")
            }
            while row < end {
                while isFull { emitFull(&output) }
                let room = BlockFormat.maximumRows - times.count
                let count = min(end - row, hasStrings ? min(room, 64) : room)
                try append(batch, rows: row..<row + count, series: run.series)
                row += count
            }
        }
    }

    /// Writes what waits.
    mutating func finish(_ output: inout BlockOutput) {
        endSeries(&output)
        if !times.isEmpty { emit(times.count, &output) }
        for column in columns.indices where columns[column].buffer.dictionary.count > 0 {
            writePiece(column, &output)
        }
    }

    private mutating func append(
        _ batch: borrowing PointBatch, rows: Range<Int>, series: Int32
    ) throws(SeriesError) {
        for row in rows {
            let time = batch.times[row]
            if let lastTime, time <= lastTime {
                throw SeriesError(.invalid, "the time \(time) after \(lastTime)")
            }
            lastTime = time
            times.append(time)
        }
        if let last = runs.indices.last, runs[last].series == series {
            runs[last].count += Int32(rows.count)
        } else {
            runs.append(SeriesRun(series: series, count: Int32(rows.count)))
        }
        for column in columns.indices {
            guard columns[column].buffer.append(batch.columns[column], rows: rows) else {
                throw SeriesError(.invalid, "a column of another type than its field")
            }
        }
    }

    private var isFull: Bool {
        if times.count >= BlockFormat.maximumRows { return true }
        return hasStrings && !times.isEmpty && stringBytes >= BlockFormat.maximumStringBytes
    }

    private var stringBytes: Int {
        var bytes = 0
        for column in columns { bytes += column.buffer.stringBytes }
        return bytes
    }

    private mutating func emitFull(_ output: inout BlockOutput) {
        if lastRunStart == 0 { isContinued = true }
        emit(lastRunStart == 0 ? times.count : lastRunStart, &output)
    }

    private mutating func endSeries(_ output: inout BlockOutput) {
        guard !times.isEmpty else { return isContinued = false }
        if times.count - lastRunStart >= BlockFormat.ownPageRows {
            if lastRunStart > 0 { emit(lastRunStart, &output) }
            emit(times.count, &output)
        } else if isContinued || times.count >= BlockFormat.targetRows {
            emit(times.count, &output)
        }
        isContinued = false
    }

    private mutating func emit(_ rows: Int, _ output: inout BlockOutput) {
        var pageRuns = runs
        if rows < times.count { pageRuns.removeLast() }
        let start = output.position
        var page = PageEncoder(rows: rows)
        page.encodeKeys(pageRuns, times)
        for column in columns.indices {
            page.encode(columns[column].buffer, field: column, hasFigures: pageRuns.count == 1)
        }
        page.write(to: &output.writer)
        var (minimum, maximum) = (Int64.max, Int64.min)
        for row in 0..<rows { (minimum, maximum) = (min(minimum, times[row]), max(maximum, times[row])) }
        index.add(
            BlockRange(offset: start, count: output.position - start), rows: rows, first: pageRuns[0].series,
            last: pageRuns[pageRuns.count - 1].series, from: minimum, through: maximum)
        removeFirst(rows, runs: pageRuns.count)
        for column in columns.indices {
            let dictionary = columns[column].buffer.dictionary.byteCount
            if dictionary >= BlockFormat.pieceBytes
                || columns[column].buffer.dictionary.count >= BlockFormat.pieceStrings
            {
                writePiece(column, &output)
            }
        }
    }

    private mutating func removeFirst(_ rows: Int, runs count: Int) {
        times.removeFirst(rows)
        runs.removeFirst(count)
        lastRunStart = 0
        for column in columns { column.buffer.removeFirst(rows) }
    }

    private mutating func writePiece(_ column: Int, _ output: inout BlockOutput) {
        let strings = columns[column].buffer.restartDictionary()
        let start = output.position
        let before = output.writer.count
        StringPiece.encode(strings, into: &output.writer)
        let checksum = output.writer.withUnsafeBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[before...]))
        }
        index.addPiece(column, bytes: BlockRange(offset: start, count: output.position - start), checksum: checksum)
    }
}

/// The bytes of a block that are not with the store yet, and how many are.
struct BlockOutput: ~Copyable {
    var writer = ByteWriter(capacity: 1 << 16)
    private(set) var flushed = 0

    /// The position in the file of the next byte.
    var position: Int { flushed + writer.count }

    /// Forgets what was handed on.
    mutating func removeAll() {
        flushed += writer.count
        writer.removeAll()
    }
}
