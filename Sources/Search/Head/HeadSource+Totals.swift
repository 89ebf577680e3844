import Columns
import Telemetry

extension HeadSource {
    /// Counts the lines of the streams that match.
    func addTotals(to tables: inout TotalsTables) {
        let range = TotalsTable.range(of: tables.request)
        for stream in streams(matching: tables.request.matchers, in: range) {
            let masks = masks(of: stream)
            let tail = view.tails[stream]
            var table = tables.take(view.streams[stream])
            var place = tail.last
            while place != HeadRow.none {
                let row = head.rows[Int(place)]
                if row.time <= range.start, tail.isOrdered { break }
                if range.contains(row.time), masks.isEmpty || !isHidden(row, place, masks) {
                    table.add(time: row.time, level: row.level, lines: 1, bytes: Int64(row.line.count))
                }
                place = row.previous
            }
            tables.put(table, view.streams[stream])
        }
    }

    /// The streams that match and have a line in a window that no deletion hides.
    func labels(matching matchers: [LabelMatcher], in range: TimeWindow) -> [StreamLabels] {
        streams(matching: matchers, in: range).filter { stream in
            let tail = view.tails[stream]
            let masks = masks(of: stream)
            // Most streams are wholly within.
            if masks.isEmpty, range.contains(tail.minimum) || range.contains(tail.maximum) { return true }
            return hasRow(stream, in: range, masks)
        }.map { view.streams[$0] }
    }

    private func hasRow(_ stream: Int, in range: TimeWindow, _ masks: [HeadMask]) -> Bool {
        var place = view.tails[stream].last
        while place != HeadRow.none {
            let row = head.rows[Int(place)]
            if range.contains(row.time), !isHidden(row, place, masks) { return true }
            place = row.previous
        }
        return false
    }
}
