public import Telemetry

/// One partition, read for itself.
extension LinePartition: LineSource {
    /// The streams that match and have a line in the range, sorted by their labels' canonical text.
    public func streams(
        matching matchers: [LabelMatcher], in range: TimeWindow
    ) throws(SearchError) -> [StreamLabels] {
        try LineReading([snapshot()]).streams(matching: matchers, in: range)
    }

    /// How many streams there are, about.
    public var streamEstimate: Int { LineReading([snapshot()]).streamEstimate }

    /// The names of structured metadata that lines may have; nil if there are too many.
    public var metadataNames: Set<String>? { LineReading([snapshot()]).metadataNames }

    /// Begins to read lines.
    public func scan(_ request: LineRequest) throws(SearchError) -> [any LineScan] {
        try LineReading([snapshot()]).scan(request)
    }

    /// Lines and bytes by stream, level and bucket.
    public func totals(_ request: TotalsRequest) throws(SearchError) -> [StreamTotals] {
        try LineReading([snapshot()]).totals(request)
    }
}

/// Reads several partitions as one.
struct LineReading {
    private let snapshots: [LineSnapshot]

    init(_ snapshots: [LineSnapshot]) { self.snapshots = snapshots }

    var streamEstimate: Int {
        snapshots.reduce(0) { sum, snapshot in
            let stored = snapshot.blocks.reduce(0) { max($0, Int($1.details.streams)) }
            return sum + max(stored, snapshot.activeStreams)
        }
    }

    var metadataNames: Set<String>? {
        var names = MetadataNames()
        for snapshot in snapshots {
            for block in snapshot.blocks { names.formUnion(block.details.metadataNames) }
            for head in snapshot.heads() { names.formUnion(head.view.metadataNames) }
        }
        return names.names
    }

    func streams(matching matchers: [LabelMatcher], in range: TimeWindow) throws(SearchError) -> [StreamLabels] {
        var found: Set<StreamLabels> = []
        for snapshot in snapshots {
            for block in snapshot.blocks where block.overlaps(range) {
                try block.addStreams(matching: matchers, in: range, snapshot, to: &found)
            }
            for head in snapshot.heads() { found.formUnion(head.labels(matching: matchers, in: range)) }
        }
        return Self.sorted(found)
    }

    func scan(_ request: LineRequest) throws(SearchError) -> [any LineScan] {
        var parts: [any LineScan] = []
        for snapshot in snapshots {
            for block in snapshot.blocks where block.overlaps(request.range) {
                parts += try block.parts(request, snapshot)
            }
            for head in snapshot.heads() { parts += head.parts(request) }
        }
        return parts
    }

    func totals(_ request: TotalsRequest) throws(SearchError) -> [StreamTotals] {
        guard request.bucketNanoseconds > 0, (0...100_000).contains(request.bucketCount) else {
            throw SearchError(.invalid, "buckets of \(request.bucketNanoseconds) ns, \(request.bucketCount) of them")
        }
        let range = TotalsTable.range(of: request)
        var tables = TotalsTables(request, streams: streamEstimate)
        for snapshot in snapshots {
            for block in snapshot.blocks where block.overlaps(range) {
                try block.addTotals(snapshot, to: &tables)
            }
            for head in snapshot.heads() { head.addTotals(to: &tables) }
        }
        return Self.sorted(tables.byStream.keys).compactMap { stream in
            var table = tables.take(stream)
            let entries = table.entries()
            return entries.isEmpty ? nil : StreamTotals(stream: stream, entries: entries)
        }
    }

    private static func sorted(_ streams: some Collection<StreamLabels>) -> [StreamLabels] {
        streams.map { ($0, $0.text) }.sorted { $0.1.utf8.lexicographicallyPrecedes($1.1.utf8) }.map(\.0)
    }
}
