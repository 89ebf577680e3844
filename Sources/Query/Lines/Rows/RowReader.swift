internal import Columns
internal import Search
internal import Synchronization
internal import Telemetry

/// What a log query asks for.
struct RowRequest: Sendable {
    var selector: LogSelector
    /// Times behind its start, up to its end.
    var range: TimeWindow
    var descending: Bool
    /// The most lines; at least 1.
    var limit: Int
    /// Whether `detected_level` is among the metadata.
    var tellsLevels: Bool
}

/// Runs log queries: parts of a scan in the order in which they can matter, on several threads, each with the rows that
/// it may have to give.
struct RowReader: Sendable {
    let source: any LineSource
    let control: QueryControl
    let cost: LineCost

    /// The rows, in order.
    func rows(_ request: RowRequest) async throws(QueryError) -> [LogRow] {
        let lowering = try lowering(request)
        let scans = try scans(request, lowering)
        let bound = SharedBound(descending: request.descending)
        // A stage that does not run is told before anything is read.
        _ = try StageRunner(lowering.rest)
        let states = try await inParallel(scans.count, control, make: { State(request) }) {
            (state, index) async throws(QueryError) in
            try await read(scans[index], index, lowering, &state, bound)
        }
        var top = states[0].top
        for other in states.dropFirst() { top.merge(other.top) }
        top.prune()
        return top.rows
    }

    /// What a row takes beside its line, about.
    static let rowBytes = 256

    /// What one task has gathered.
    private struct State: Sendable {
        var top: TopRows

        init(_ request: RowRequest) {
            top = TopRows(
                limit: request.limit, descending: request.descending, tellsLevels: request.tellsLevels)
        }
    }

    private func lowering(_ request: RowRequest) throws(QueryError) -> SelectorLowering {
        try SelectorLowering(request.selector, try source.knowledge(request.selector, request.range))
    }

    private func scans(
        _ request: RowRequest, _ lowering: SelectorLowering
    ) throws(QueryError) -> [any LineScan] {
        var wanted = LineRequest(matchers: lowering.matchers, range: request.range)
        wanted.descending = request.descending
        wanted.condition = lowering.condition
        // Stages that are left drop no line of those that the source gives.
        wanted.limit = lowering.isDecided ? request.limit : nil
        let scans = try QueryError.reading { () throws(SearchError) in try source.scan(wanted) }
        return scans.sorted {
            request.descending ? $0.bounds.end > $1.bounds.end : $0.bounds.start < $1.bounds.start
        }
    }

    private func read(
        _ scan: any LineScan, _ part: Int, _ lowering: SelectorLowering, _ state: inout State, _ bound: SharedBound
    ) async throws(QueryError) {
        guard bound.wants(scan.bounds) else { return }
        let stages = try StageRunner(lowering.rest)
        var order = UInt64(part) << 40
        var batches = 0
        while let batch = try QueryError.reading({ () throws(SearchError) in try scan.next() }) {
            try control.check(points: batch.times.count)
            cost.add(lines: batch.times.count, bytes: batch.lines.bytes.count)
            try take(batch, stages, &state, &order, bound)
            if let horizon = state.top.horizon { bound.note(horizon) }
            batches += 1
            if batches % 16 == 0 { await Task.yield() }
        }
    }

    private func take(
        _ batch: LineBatch, _ stages: StageRunner, _ state: inout State, _ order: inout UInt64, _ bound: SharedBound
    ) throws(QueryError) {
        var metadata = MetadataLabels(batch, tellsLevels: state.top.tellsLevels)
        var kept = 0
        for row in batch.times.indices {
            let time = batch.times[row]
            order += 1
            // Times of a batch run one way: behind the first that does not matter none does.
            guard state.top.wants(time), bound.wants(time) else { break }
            let labels = metadata.labels(row)
            let line: [UInt8]? = batch.lines.withString(row) { line in
                stages.run(line, time: time, stream: batch.stream, metadata: labels) ? Array(stages.line) : nil
            }
            guard let line else { continue }
            kept += line.count + Self.rowBytes
            kept -= state.top.add(LogRow(time: time, order: order, line: line, labels: stages.rowLabels))
        }
        try stages.check()
        if kept > 0 { try control.keep(bytes: kept) } else { control.release(bytes: -kept) }
    }
}

/// The time behind which no row matters, as the task knows it that is furthest.
private final class SharedBound: Sendable {
    private let descending: Bool
    private let time: Atomic<Int64>

    init(descending: Bool) {
        self.descending = descending
        time = Atomic(descending ? .min : .max)
    }

    func note(_ horizon: Int64) {
        if descending { time.max(horizon, ordering: .relaxed) } else { time.min(horizon, ordering: .relaxed) }
    }

    func wants(_ moment: Int64) -> Bool {
        let horizon = time.load(ordering: .relaxed)
        return descending ? moment >= horizon : moment <= horizon
    }

    func wants(_ bounds: TimeWindow) -> Bool { wants(descending ? bounds.end : bounds.start) }
}
