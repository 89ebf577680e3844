/// Rows of a page that a reader wants, as ranges by series and, within one, by time in the reader's direction.
struct PageSelection {
    /// `series` is the number that the reader knows the series by.
    private(set) var parts: [(series: Int32, rows: Range<Int>)] = []
    private(set) var count = 0

    mutating func append(_ series: Int32, _ rows: Range<Int>) {
        guard !rows.isEmpty else { return }
        parts.append((series, rows))
        count += rows.count
    }

    /// Leaves out the rows that have none of some columns' values. In columns, nil stands for a value in every row.
    mutating func keepRows(withAnyOf validities: [[UInt64]?]) {
        if validities.contains(where: { $0 == nil }) { return }
        var union = validities.first.flatMap { $0 } ?? []
        for validity in validities.dropFirst() {
            guard let validity else { return }
            for word in union.indices { union[word] |= validity[word] }
        }
        let before = parts
        self = PageSelection()
        for part in before {
            var start = part.rows.lowerBound
            for row in part.rows where union.isEmpty || union[row >> 6] >> UInt64(row & 63) & 1 == 0 {
                append(part.series, start..<row)
                start = row + 1
            }
            append(part.series, start..<part.rows.upperBound)
        }
    }

    /// Turns the order of rows round within each series.
    mutating func reverseWithinSeries() {
        var start = 0
        while start < parts.count {
            var end = start + 1
            while end < parts.count, parts[end].series == parts[start].series { end += 1 }
            parts[start..<end].reverse()
            start = end
        }
    }

    /// The runs.
    var runs: [SeriesRun] {
        var runs: [SeriesRun] = []
        for part in parts {
            if let last = runs.indices.last, runs[last].series == part.series {
                runs[last].count += Int32(part.rows.count)
            } else {
                runs.append(SeriesRun(series: part.series, count: Int32(part.rows.count)))
            }
        }
        return runs
    }

    /// Whether it is all rows in their order.
    func isWhole(_ rows: Int, reversed: Bool) -> Bool {
        guard !reversed, count == rows else { return false }
        var end = 0
        for part in parts {
            if part.rows.lowerBound != end { return false }
            end = part.rows.upperBound
        }
        return true
    }

    func gather<T>(_ values: [T], reversed: Bool) -> [T] {
        var result: [T] = []
        result.reserveCapacity(count)
        for part in parts {
            if reversed { result.append(contentsOf: values[part.rows].reversed()) } else { result += values[part.rows] }
        }
        return result
    }

    func gather(_ column: FieldColumn, reversed: Bool) -> FieldColumn {
        let values: FieldColumn.Values =
            switch column.values {
            case .absent: .absent
            case .float(let values): .float(gather(values, reversed: reversed))
            case .integer(let values): .integer(gather(values, reversed: reversed))
            case .unsigned(let values): .unsigned(gather(values, reversed: reversed))
            case .boolean(let values): .boolean(gather(values, reversed: reversed))
            case .string(let codes, let dictionary):
                .string(codes: gather(codes, reversed: reversed), dictionary: dictionary)
            }
        guard let validity = column.validity else { return FieldColumn(values) }
        var result = [UInt64](repeating: 0, count: (count + 63) / 64)
        var (place, missing) = (0, 0)
        func take(_ row: Int) {
            let bit = validity[row >> 6] >> UInt64(row & 63) & 1
            result[place >> 6] |= bit << UInt64(place & 63)
            missing += bit == 0 ? 1 : 0
            place += 1
        }
        for part in parts {
            if reversed { for row in part.rows.reversed() { take(row) } } else { for row in part.rows { take(row) } }
        }
        return FieldColumn(values, validity: missing == 0 ? nil : result)
    }
}
