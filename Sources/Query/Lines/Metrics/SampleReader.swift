internal import Columns
internal import Search
internal import Telemetry

/// Reads the samples of range aggregations.
struct SampleReader: Sendable {
    let source: any LineSource
    let control: QueryControl
    let cost: LineCost
    let tellsLevels: Bool

    /// The numbers of an aggregation.
    func matrix(_ aggregation: RangeAggregation, steps: QuerySteps) async throws(QueryError) -> SeriesMatrix {
        let windows = RangeWindows(steps: steps, interval: aggregation.range.interval, offset: aggregation.range.offset)
        let plan = try SamplePlan(aggregation, windows, source, tellsLevels: tellsLevels)
        var gathered: RangeAccumulator
        switch plan.path {
        case .totals: gathered = try totals(plan)
        case .columns:
            if try await hasFaults(plan) {
                gathered = try await lines(plan)
            } else {
                gathered = try await columns(plan)
            }
        case .lines: gathered = try await lines(plan)
        }
        let matrix = try gathered.matrix(plan.aggregation)
        return aggregation.operation == .absentOverTime ? absence(of: matrix, aggregation, steps) : matrix
    }

    /// Where there is no line: 1, with the labels that the selector tells.
    private func absence(
        of matrix: SeriesMatrix, _ aggregation: RangeAggregation, _ steps: QuerySteps
    ) -> SeriesMatrix {
        var (told, doubtful): ([StreamLabels.Label], [String]) = ([], [])
        for matcher in aggregation.range.selector.matchers {
            if matcher.operation == .equal, !told.contains(where: { $0.name == matcher.name }) {
                told.append(.init(matcher.name, matcher.value))
            } else {
                doubtful.append(matcher.name)
            }
        }
        let values = (0..<steps.count).map { step in
            matrix.series.contains { !$0.values[step].isAbsent } ? SeriesMatrix.absent : 1
        }
        var result = SeriesMatrix(series: [.init(labels: StreamLabels(told).dropping(doubtful), values: values)])
        result.removeEmpty()
        return result
    }

    private func totals(_ plan: SamplePlan) throws(QueryError) -> RangeAccumulator {
        let (length, count) = plan.windows.buckets
        var request = TotalsRequest(
            matchers: plan.lowering.matchers, start: plan.windows.start, bucketNanoseconds: length, bucketCount: count)
        request.byLevel =
            plan.tellsLevels && plan.grouping.map { $0.isWithout || $0.labels.contains("detected_level") } ?? true
        var accumulator = RangeAccumulator(.totals, plan.windows, control)
        try control.check(points: 0)
        for stream in try QueryError.reading({ () throws(SearchError) in try source.totals(request) }) {
            var groups = [Int?](repeating: nil, count: LineLevel.allCases.count)
            for entry in stream.entries {
                let level = Int(entry.level.rawValue)
                let group: Int
                if let known = groups[level] {
                    group = known
                } else {
                    var labels = stream.stream
                    if request.byLevel, labels["detected_level"].isEmpty {
                        labels = labels.setting("detected_level", entry.level.name)
                    }
                    group = try accumulator.group(plan.grouping.map { labels.grouped($0) } ?? labels)
                    groups[level] = group
                }
                accumulator.count(
                    group, at: plan.windows.start + Int64(entry.bucket + 1) * length, lines: Double(entry.lines),
                    bytes: Double(entry.bytes))
                cost.add(lines: Int(entry.lines), bytes: 0)
            }
        }
        return accumulator
    }

    /// Whether a line would be kept with an error: then the query fails as Loki's does, and the lines tell how.
    private func hasFaults(_ plan: SamplePlan) async throws(QueryError) -> Bool {
        guard let faults = plan.lowering.faults else { return false }
        var request = LineRequest(matchers: plan.lowering.matchers, range: plan.range)
        request.condition = faults
        (request.wantsLines, request.wantsMetadata, request.limit) = (false, false, 1)
        let scans = try QueryError.reading { () throws(SearchError) in try source.scan(request) }
        let found = try await inParallel(scans.count, control, make: { false }) {
            (found, index) async throws(QueryError) in
            guard !found else { return }
            while let batch = try QueryError.reading({ () throws(SearchError) in try scans[index].next() }) {
                try control.check(points: 0)
                if !batch.times.isEmpty { return found = true }
            }
        }
        return found.contains(true)
    }

    private func gather(
        _ plan: SamplePlan,
        _ work: @escaping @Sendable (inout RangeAccumulator, any LineScan) async throws(QueryError) -> Void
    ) async throws(QueryError) -> RangeAccumulator {
        let scans = try QueryError.reading { () throws(SearchError) in try source.scan(plan.request) }
        let parts = try await inParallel(
            scans.count, control, make: { RangeAccumulator(plan.kind, plan.windows, control) },
            work: { (state, index) async throws(QueryError) in try await work(&state, scans[index]) })
        var whole = parts[0]
        for other in parts.dropFirst() { try whole.merge(other) }
        return whole
    }

    private func columns(_ plan: SamplePlan) async throws(QueryError) -> RangeAccumulator {
        try await gather(plan) { (accumulator, scan) async throws(QueryError) in
            var batches = 0
            while let batch = try QueryError.reading({ () throws(SearchError) in try scan.next() }) {
                try control.check(points: batch.times.count)
                cost.add(lines: batch.times.count, bytes: 0)
                var columns = BatchColumns(plan, batch)
                try columns.gather(into: &accumulator)
                batches += 1
                if batches % 16 == 0 { await Task.yield() }
            }
        }
    }

    private func lines(_ plan: SamplePlan) async throws(QueryError) -> RangeAccumulator {
        try await gather(plan.readingLines) { (accumulator, scan) async throws(QueryError) in
            var sampler = try LineSampler(plan)
            var batches = 0
            while let batch = try QueryError.reading({ () throws(SearchError) in try scan.next() }) {
                try control.check(points: batch.times.count)
                cost.add(lines: batch.times.count, bytes: batch.lines.bytes.count)
                try sampler.gather(batch, into: &accumulator)
                batches += 1
                if batches % 16 == 0 { await Task.yield() }
            }
        }
    }
}
