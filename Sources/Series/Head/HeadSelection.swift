import Synchronization

/// The rows of a head's table that a reader wants: by series, then by time, then in the order in which they came.
struct HeadSelection: Sendable {
    /// The series with such rows, in the order of their keys.
    private(set) var series: [UInt32] = []
    /// Where each one's rows begin in `rows`, and the end of the last.
    private(set) var starts: [Int] = [0]
    /// Row ids.
    private(set) var rows: [UInt32] = []
    /// Whether some rows have the same series and time.
    private(set) var hasDuplicates = false

    /// Selects rows.
    ///
    /// - Parameters:
    ///   - fields: a row that has none of these fields of the table is left out.
    ///   - wanted: the series.
    ///   - hidden: what deletions hide of a frozen head.
    init(
        _ table: HeadTable, _ view: HeadTable.View, wanted: OrdinalSet, range: ClosedRange<Int64>, fields: [Int],
        descending: Bool = false, hidden: [BlockRemoval] = []
    ) {
        let ordered = table.order.withLock { order in
            order.extend(to: view, of: table.series)
            return order.sorted
        }
        let masks = RowMasks(table, view, hidden)
        var counts = [UInt32](repeating: 0, count: view.seriesCount)
        // Most series come in order of time. To see that here, row by row, is cheaper than to look their rows up again.
        var latest = [Int64](repeating: .min, count: view.seriesCount)
        var unsorted = OrdinalSet(universe: view.seriesCount)
        Self.visit(view, wanted, range, fields, masks) { ordinal, _, time in
            counts[ordinal] += 1
            if time <= latest[ordinal] { unsorted.insert(ordinal) }
            latest[ordinal] = max(latest[ordinal], time)
        }
        // From here on `counts` says where a series' next row goes.
        var total = 0
        for ordinal in ordered where ordinal < UInt32(view.seriesCount) {
            let count = Int(counts[Int(ordinal)])
            guard count > 0 else { continue }
            counts[Int(ordinal)] = UInt32(total)
            series.append(ordinal)
            total += count
            starts.append(total)
        }
        rows = [UInt32](repeating: 0, count: total)
        rows.withUnsafeMutableBufferPointer { rows in
            Self.visit(view, wanted, range, fields, masks) { ordinal, id, _ in
                rows[Int(counts[ordinal])] = id.bits
                counts[ordinal] += 1
            }
        }
        for index in series.indices {
            guard unsorted.contains(Int(series[index])) else {
                if descending { rows[starts[index]..<starts[index + 1]].reverse() }
                continue
            }
            if sortRun(starts[index]..<starts[index + 1], view, descending: descending) { hasDuplicates = true }
        }
    }

    /// Calls `body` with the series, the id and the time of each row.
    @inline(__always)
    static func visit(
        _ view: HeadTable.View, _ wanted: OrdinalSet, _ range: ClosedRange<Int64>, _ fields: [Int], _ masks: RowMasks,
        _ body: (Int, RowID, Int64) -> Void
    ) {
        let isAll = wanted.count == wanted.universe
        for (number, shown) in view.groups.enumerated() {
            let (series, times) = (shown.group.series, shown.group.times)
            let columns = fields.compactMap { shown.column($0) }
            guard !columns.isEmpty else { continue }
            let isChecked = !columns.contains { $0.isFull(rows: shown.rows) }
            for row in 0..<shown.rows {
                let time = times[row]
                guard time >= range.lowerBound, time <= range.upperBound else { continue }
                let ordinal = Int(series[row])
                guard isAll || wanted.contains(ordinal) else { continue }
                if isChecked, !columns.contains(where: { $0.present[row] != 0 }) { continue }
                let id = RowID(group: number, row: row)
                if !masks.isEmpty, masks.hides(id, ordinal: ordinal, time: time) { continue }
                body(ordinal, id, time)
            }
        }
    }

    /// Sorts a series' rows by time; rows of one time stay in the order in which they came.
    ///
    /// - Returns: whether there are rows of one time.
    private mutating func sortRun(_ run: Range<Int>, _ view: HeadTable.View, descending: Bool) -> Bool {
        var isSorted = true
        var hasEqual = false
        var previous: Int64?
        for index in run {
            let time = view.time(rows[index])
            if let previous {
                if time == previous { hasEqual = true }
                if time < previous { isSorted = false }
            }
            previous = time
        }
        if isSorted, !descending { return hasEqual }
        if isSorted, !hasEqual {
            rows[run].reverse()
            return false
        }
        var timed = rows[run].map { (time: view.time($0), row: $0) }
        timed.sort { left, right in
            if left.time != right.time { return descending ? left.time > right.time : left.time < right.time }
            return left.row < right.row
        }
        for (offset, entry) in timed.enumerated() {
            rows[run.lowerBound + offset] = entry.row
            if offset > 0, timed[offset - 1].time == entry.time { hasEqual = true }
        }
        return hasEqual
    }
}

extension HeadTable.View {
    /// The time of a row.
    @inline(__always)
    func time(_ bits: UInt32) -> Int64 { groups[Int(bits &>> 16)].group.times[Int(bits & 0xFFFF)] }
}

/// The deletions of a table, with the series that each concerns.
struct RowMasks: Sendable {
    private struct Mask: Sendable {
        let series: OrdinalSet
        let times: ClosedRange<Int64>
        let below: RowID
    }

    private var masks: [Mask] = []

    init(_ table: HeadTable, _ view: HeadTable.View, _ hidden: [BlockRemoval]) {
        masks = view.masks.map {
            Mask(
                series: table.series(matching: $0.predicate.tagPredicate, view), times: $0.predicate.times,
                below: $0.below)
        }
        for removal in hidden {
            let series = removal.series ?? OrdinalSet(universe: view.seriesCount, full: true)
            masks.append(Mask(series: series, times: removal.range, below: .end))
        }
    }

    var isEmpty: Bool { masks.isEmpty }

    func hides(_ id: RowID, ordinal: Int, time: Int64) -> Bool {
        masks.contains { id < $0.below && $0.times.contains(time) && $0.series.contains(ordinal) }
    }
}
