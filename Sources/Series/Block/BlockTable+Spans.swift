extension BlockTable {
    /// From when to when some series have rows within a range. Pages that lie within `skipped` are passed over, so that a series that
    /// has rows in no other page has no span.
    ///
    /// - Parameter series: ordinals, ascending.
    func spans(
        of series: [UInt32], in range: ClosedRange<Int64>, skipping skipped: SeriesSpans.Open
    ) throws(SeriesError) -> SeriesSpans {
        var spans = SeriesSpans(count: series.count, within: range)
        let index = try pages()
        var (page, place) = (0, 0)
        while page < index.count, place < series.count {
            page = index.firstPage(from: page, through: Int64(series[place]))
            guard page < index.count else { break }
            defer { page += 1 }
            let times = index.minimum[page]...index.maximum[page]
            if skipped.contains(times) || !times.overlaps(range) { continue }
            while place < series.count, Int64(series[place]) < index.first[page] { place += 1 }
            guard place < series.count else { break }
            if index.first[page] == index.last[page] {
                if Int64(series[place]) == index.first[page] { spans.add(times, to: place) }
                continue
            }
            let (runs, rowTimes) = try keys(of: page, try header(of: page, index), index)
            var (row, next) = (0, place)
            for run in runs {
                let end = row + Int(run.count)
                while next < series.count, series[next] < UInt32(bitPattern: run.series) { next += 1 }
                if next < series.count, series[next] == UInt32(bitPattern: run.series) {
                    spans.add(rowTimes[row]...max(rowTimes[row], rowTimes[end - 1]), to: next)
                }
                row = end
            }
        }
        return spans
    }
}

/// From when to when each of some series has points.
struct SeriesSpans {
    /// An open range of times; nil for no bound.
    struct Open {
        var after: Int64?
        var before: Int64?

        func contains(_ range: ClosedRange<Int64>) -> Bool {
            after.map { range.lowerBound > $0 } ?? true && before.map { range.upperBound < $0 } ?? true
        }
    }

    /// `.max` and `.min` for a series without any.
    private(set) var minimum: [Int64]
    private(set) var maximum: [Int64]

    private let within: ClosedRange<Int64>

    init(count: Int, within: ClosedRange<Int64>) {
        self.within = within
        minimum = [Int64](repeating: .max, count: count)
        maximum = [Int64](repeating: .min, count: count)
    }

    mutating func add(_ times: ClosedRange<Int64>, to place: Int) {
        guard times.overlaps(within) else { return }
        minimum[place] = min(minimum[place], max(times.lowerBound, within.lowerBound))
        maximum[place] = max(maximum[place], min(times.upperBound, within.upperBound))
    }

    /// The series that have a span which is not within a range.
    func places(outside free: Open) -> [Int] {
        minimum.indices.filter { minimum[$0] <= maximum[$0] && !free.contains(minimum[$0]...maximum[$0]) }
    }
}
