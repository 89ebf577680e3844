import Columns
import Telemetry

extension HeadSource {
    /// Counts the lines of the streams that match.
    func addTotals(to tables: inout TotalsTables) {
        let range = TotalsTable.range(of: tables.request)
        let streams = streams(matching: tables.request.matchers, in: range)
        // Through memory in one go, unless few of all rows are asked for.
        if streams.reduce(0, { $0 + Int(view.tails[$1].count) }) >= view.rowCount / 8 {
            return addTotals(of: streams, range, to: &tables)
        }
        for stream in streams {
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

    private func addTotals(of streams: [Int], _ range: TimeWindow, to tables: inout TotalsTables) {
        let wanted = HeadRangeScan.WantedStreams(streams, self)
        var sums = streams.map { tables.take(view.streams[$0]) }
        for number in 0..<view.rowCount {
            let row = head.rows[number]
            let place = Int(wanted.places[Int(row.stream)])
            guard place >= 0, range.contains(row.time) else { continue }
            let masks = wanted.masks[place]
            if !masks.isEmpty, isHidden(row, UInt32(number), masks) { continue }
            sums[place].add(time: row.time, level: row.level, lines: 1, bytes: Int64(row.line.count))
        }
        for (place, stream) in streams.enumerated() { tables.put(sums[place], view.streams[stream]) }
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
