/// Of the series that sources with overlapping times have, which ones each source can be read for alone, and which ones
/// have to be merged.
///
/// The sources stand in the order in which their times begin. A series can be read alone where its points in one source
/// all lie before those of the sources behind and after those of the sources in front: then the parts of a scan, in the
/// same order, have its points in order of time. Cuts of a log that comes in order of time overlap by little: only the
/// few series that have a point in that little are looked at by name.
struct ScanOverlap {
    /// Series that several sources have at times that interleave.
    struct Group {
        /// Their tags.
        var series: SeriesColumns
        /// For each source, in the order of `parts`: places in its series, ascending, and their numbers in `series`.
        var places: [[Int]]
        var numbers: [[Int32]]
    }

    /// The sources in the order in which their times begin: for each its index in `parts`, the places in its series
    /// that it is read for alone, and the group of those whose first points are in it.
    private(set) var steps: [(part: Int, alone: [Int], group: Group?)] = []

    /// - Parameter parts: the oldest source first.
    init(_ parts: [SourcePart]) throws(SeriesError) {
        let spans = parts.map(\.span)
        let order = parts.indices.sorted {
            (spans[$0].lowerBound, spans[$0].upperBound, $0) < (spans[$1].lowerBound, spans[$1].upperBound, $1)
        }
        var contested = parts.map { _ in SeriesSpans(count: 0, within: 0...0) }
        var places = parts.map { _ in [Int]() }
        for (rank, part) in order.enumerated() {
            let free = SeriesSpans.Open(
                after: order[..<rank].map { spans[$0].upperBound }.max(),
                before: order[(rank + 1)...].map { spans[$0].lowerBound }.min())
            contested[part] = try parts[part].spans(skipping: free)
            places[part] = contested[part].places(outside: free)
        }
        guard places.count(where: { !$0.isEmpty }) > 1 else {
            steps = order.map { ($0, Array(parts[$0].series.indices), nil) }
            return
        }
        var columns: [SeriesColumns] = []
        for (index, part) in parts.enumerated() {
            columns.append(try part.source.columns(of: places[index].map { part.series[$0] }))
        }
        let merge = SeriesMerge(columns)
        let owners = Self.owners(order, places, contested, merge)
        for (rank, part) in order.enumerated() {
            var isAlone = [Bool](repeating: true, count: parts[part].series.count)
            for (index, place) in places[part].enumerated() where owners[part][index] >= 0 { isAlone[place] = false }
            steps.append(
                (part, isAlone.indices.filter { isAlone[$0] }, Self.group(rank, owners, places, merge)))
        }
    }

    /// Points of a series in some sources that interleave; `count` sources.
    private struct Run {
        /// Where it begins, in the order of the sources.
        let rank: Int
        var end: Int64
        var count = 1
        /// The series' run before it in time, or -1.
        let below: Int
        /// The run that it became part of, or -1.
        var joined = -1
    }

    /// For each part and each contested series of it: the rank of the source with which its group begins, or -1 if the
    /// series does not interleave with that of another source.
    private static func owners(
        _ order: [Int], _ places: [[Int]], _ spans: [SeriesSpans], _ merge: SeriesMerge
    ) -> [[Int]] {
        var owners = places.map { [Int](repeating: -1, count: $0.count) }
        var runs: [Run] = []
        // By the number of a series: its last run in time.
        var latest = [Int](repeating: -1, count: merge.series.count)
        for (rank, part) in order.enumerated() {
            for (index, place) in places[part].enumerated() {
                let number = Int(merge.numbers[part][index])
                let (start, end) = (spans[part].minimum[place], spans[part].maximum[place])
                var run = latest[number]
                if run >= 0, runs[run].end >= start {
                    let last = max(end, runs[run].end)
                    while runs[run].below >= 0, runs[runs[run].below].end >= start {
                        runs[run].joined = runs[run].below
                        runs[runs[run].below].count += runs[run].count
                        run = runs[run].below
                    }
                    runs[run].end = last
                    runs[run].count += 1
                } else {
                    runs.append(Run(rank: rank, end: end, below: run))
                    run = runs.count - 1
                }
                (latest[number], owners[part][index]) = (run, run)
            }
        }
        for part in owners.indices {
            for index in owners[part].indices {
                var run = owners[part][index]
                while runs[run].joined >= 0 { run = runs[run].joined }
                owners[part][index] = runs[run].count > 1 ? runs[run].rank : -1
            }
        }
        return owners
    }

    private static func group(_ rank: Int, _ owners: [[Int]], _ places: [[Int]], _ merge: SeriesMerge) -> Group? {
        var renumbered = [Int32](repeating: -1, count: merge.series.count)
        for part in owners.indices {
            for (index, owner) in owners[part].enumerated() where owner == rank {
                renumbered[Int(merge.numbers[part][index])] = 0
            }
        }
        let series = renumbered.indices.filter { renumbered[$0] == 0 }
        guard !series.isEmpty else { return nil }
        for (index, number) in series.enumerated() { renumbered[number] = Int32(index) }
        var group = Group(series: merge.series.selecting(series, keys: merge.series.tagKeys), places: [], numbers: [])
        for part in owners.indices {
            let own = owners[part].indices.filter { owners[part][$0] == rank }
            group.places.append(own.map { places[part][$0] })
            group.numbers.append(own.map { renumbered[Int(merge.numbers[part][$0])] })
        }
        return group
    }
}
