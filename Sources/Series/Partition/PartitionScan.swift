import Columns
import Telemetry

/// Reads a stream of points as a part of a scan.
final class StreamScan: PointScan, @unchecked Sendable {
    // Safe because a scan is read by one thread at a time, as `PointScan` says.
    let series: SeriesTable
    let rowEstimate: Int
    private let stream: any PointStream

    init(_ series: SeriesTable, rowEstimate: Int, _ stream: any PointStream) {
        self.series = series
        self.rowEstimate = rowEstimate
        self.stream = stream
    }

    var cost: ScanCost { stream.cost }

    func next(_ useSummary: (borrowing PointSummary) -> Bool) throws(SeriesError) -> ScanStep? {
        if let block = stream as? BlockCursor { return try block.next(useSummary) }
        return try stream.next().map { .points($0) }
    }
}

/// Takes a request apart: into stretches of time in which some sources have points and others have none, and within
/// those into series that each source can be read for alone, and series whose points have to be merged.
struct ScanPlan {
    /// A part of fewer rows is not worth a thread of its own.
    static let partRows = 32_768
    /// The most parts of the series of one source in one stretch of time.
    static let maximumParts = 8

    let request: ScanRequest
    let sources: [TableSource]
    /// For each source the series that match.
    private let wanted: [OrdinalSet]
    private let blocksSkipped: Int

    /// - Returns: nil if it would take more than `effort` to find the series and rows.
    init?(_ request: ScanRequest, _ sources: [TableSource], effort: Int) throws(SeriesError) {
        self.request = request
        var used: [TableSource] = []
        var wanted: [OrdinalSet] = []
        let timely = sources.filter { source in source.ranges.contains { $0.overlaps(request.range) } }
        if effort < .max, timely.reduce(0, { $0 + $1.effort }) > effort { return nil }
        for source in timely {
            let set = try source.series(matching: request.tags)
            if set.isEmpty { continue }
            used.append(source)
            wanted.append(set)
        }
        self.sources = used
        self.wanted = wanted
        blocksSkipped = sources.count(where: \.isBlock) - used.count(where: \.isBlock)
    }

    /// The parts.
    func scans() throws(SeriesError) -> PointScans {
        var scans: [any PointScan] = []
        for stretch in stretches() { try add(stretch, to: &scans) }
        return PointScans(scans, blocks: sources.count(where: \.isBlock), blocksSkipped: blocksSkipped)
    }

    /// Stretches of time that do not overlap, each with the sources that have points in it, oldest source first.
    func stretches() -> [(range: ClosedRange<Int64>, sources: [Int])] {
        var pieces: [(range: ClosedRange<Int64>, source: Int)] = []
        for (number, source) in sources.enumerated() {
            for range in source.ranges where range.overlaps(request.range) {
                pieces.append((range.clamped(to: request.range), number))
            }
        }
        pieces.sort { $0.range.lowerBound < $1.range.lowerBound }
        var result: [(range: ClosedRange<Int64>, sources: [Int])] = []
        for piece in pieces {
            if let last = result.indices.last, piece.range.lowerBound <= result[last].range.upperBound {
                let end = max(result[last].range.upperBound, piece.range.upperBound)
                result[last].range = result[last].range.lowerBound...end
                if !result[last].sources.contains(piece.source) { result[last].sources.append(piece.source) }
            } else {
                result.append((piece.range, [piece.source]))
            }
        }
        for index in result.indices { result[index].sources.sort() }
        // Neighbours with the same sources are read at once: a head may have points in very many shards.
        var joined: [(range: ClosedRange<Int64>, sources: [Int])] = []
        for stretch in result {
            if let last = joined.indices.last, joined[last].sources == stretch.sources {
                joined[last].range = joined[last].range.lowerBound...stretch.range.upperBound
            } else {
                joined.append(stretch)
            }
        }
        return request.descending ? joined.reversed() : joined
    }

    private func add(
        _ stretch: (range: ClosedRange<Int64>, sources: [Int]), to scans: inout [any PointScan]
    ) throws(SeriesError) {
        var parts: [SourcePart] = []
        let isAlone = stretch.sources.count == 1
        for number in stretch.sources {
            let (source, tests) = (sources[number], isAlone ? request.tests : [])
            let part = SourcePart(
                source, wanted: source.series(wanted[number], passing: tests, in: stretch.range),
                range: stretch.range, fields: request.fields, descending: request.descending)
            if !part.series.isEmpty { parts.append(part) }
        }
        guard let first = parts.first else { return }
        guard parts.count > 1 else { return try add(first, places: Array(first.series.indices), to: &scans) }
        let steps = try ScanOverlap(parts).steps
        for step in request.descending ? steps.reversed() : steps {
            let alone = parts[step.part].places(step.alone, passing: request.tests)
            if !alone.isEmpty { try add(parts[step.part], places: alone, to: &scans) }
            if let group = step.group { try addMerged(parts, group, to: &scans) }
        }
    }

    /// The series that a source is read for alone, in about equal parts for several threads.
    private func add(_ part: SourcePart, places: [Int], to scans: inout [any PointScan]) throws(SeriesError) {
        let rows = try part.rowEstimate() * places.count / max(1, part.series.count)
        let count = max(1, min(Self.maximumParts, rows / Self.partRows, places.count))
        for index in 0..<count {
            let some = Array(places[places.count * index / count..<places.count * (index + 1) / count])
            let columns = try part.source.columns(of: some.map { part.series[$0] }, keys: request.tagKeys)
            let stream = try part.stream(
                some, numbers: (0..<Int32(some.count)).map { $0 }, fields: request.fields,
                descending: request.descending)
            scans.append(StreamScan(SeriesTable(columns), rowEstimate: rows / count, stream))
        }
    }

    /// Series whose points in several sources interleave.
    private func addMerged(
        _ parts: [SourcePart], _ group: ScanOverlap.Group, to scans: inout [any PointScan]
    ) throws(SeriesError) {
        var streams: [any PointStream] = []
        var rows = 0
        for (index, part) in parts.enumerated() where !group.places[index].isEmpty {
            rows += try part.rowEstimate() * group.places[index].count / max(1, part.series.count)
            streams.append(
                try part.stream(
                    group.places[index], numbers: group.numbers[index], fields: request.fields,
                    descending: request.descending))
        }
        let table = SeriesTable(group.series.selecting(Array(0..<group.series.count), keys: request.tagKeys))
        let points = try PointMerge(streams, types: types(parts), descending: request.descending)
        scans.append(StreamScan(table, rowEstimate: rows, points))
    }

    private func types(_ parts: [SourcePart]) -> [FieldType?] {
        request.fields.map { name in
            for part in parts.reversed() {
                if let field = part.source.fields.first(where: { $0.name == name }) { return field.type }
            }
            return nil
        }
    }
}

extension SeriesColumns {
    /// Some series and some tags of them. A key that is not here gives a column of "".
    func selecting(_ series: [Int], keys: [[UInt8]]) -> SeriesColumns {
        var result = SeriesColumns(count: series.count, tagKeys: keys, values: [], codes: [])
        for key in keys {
            if let column = tagKeys.firstIndex(of: key) {
                result.values.append(values[column])
                result.codes.append(series.map { codes[column][$0] })
            } else {
                result.values.append(ByteStrings(bytes: [], offsets: [0, 0]))
                result.codes.append([UInt32](repeating: 0, count: series.count))
            }
        }
        return result
    }
}
