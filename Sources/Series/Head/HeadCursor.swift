import Telemetry

/// Reads selected rows of one table of a head as points. Of rows with the same series and time, each field's newest
/// value is taken.
final class HeadCursor: PointStream, @unchecked Sendable {
    // Safe because a stream is read by one thread at a time, as `PointStream` says.
    /// About how many points are in a batch.
    static let batchPoints = 4_096

    private let view: HeadTable.View
    private let selection: HeadSelection
    /// The series to read, as places in the selection, and what the runs call them.
    private let places: [Int]
    private let numbers: [Int32]
    private var columns: [HeadColumnReader]
    private var place = 0
    private var row = 0
    private(set) var cost = ScanCost()

    /// - Parameters:
    ///   - places: which of the selection's series, ascending.
    ///   - numbers: for each of them the number that the batches' runs are to carry, ascending.
    ///   - fields: the wanted fields as numbers of the table's; nil for one that it does not have.
    init(_ view: HeadTable.View, _ selection: HeadSelection, places: [Int], numbers: [Int32], fields: [Int?]) {
        self.view = view
        self.selection = selection
        self.places = places
        self.numbers = numbers
        columns = fields.map { HeadColumnReader(view, field: $0) }
    }

    func next() throws(SeriesError) -> PointBatch? {
        guard place < places.count else { return nil }
        var rows: [UInt32] = []
        // Where the rows of each point end, if some points have several.
        var ends: [Int] = []
        var runs: [SeriesRun] = []
        var times: [Int64] = []
        rows.reserveCapacity(Self.batchPoints)
        times.reserveCapacity(Self.batchPoints)
        while place < places.count, times.count < Self.batchPoints {
            let end = selection.starts[places[place] + 1]
            let before = times.count
            row = max(row, selection.starts[places[place]])
            while row < end {
                let time = view.time(selection.rows[row])
                if let last = times.last, times.count > before, last == time {
                    rows.append(selection.rows[row])
                    row += 1
                    continue
                }
                guard times.count < Self.batchPoints else { break }
                if !rows.isEmpty { ends.append(rows.count) }
                rows.append(selection.rows[row])
                times.append(time)
                row += 1
            }
            if times.count > before {
                runs.append(SeriesRun(series: numbers[place], count: Int32(times.count - before)))
            }
            if row == end { place += 1 } else { break }
        }
        ends.append(rows.count)
        let hasSeveral = rows.count > times.count
        cost.bytes += 8 * times.count * (1 + columns.count)
        let values = columns.indices.map { columns[$0].column(rows, ends: hasSeveral ? ends : nil) }
        return PointBatch(times: times, runs: runs, columns: values)
    }
}
