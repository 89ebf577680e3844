public import Machine
public import Search
internal import Telemetry

/// Who may be asked for lines.
public protocol LineDirectory: Sendable {
    /// What queries read of a tenant; nil if nothing was ever pushed for it.
    func lines(of tenant: String) -> (any LineSource)?
}

/// Bounds of LogQL's own, all with Loki's defaults and words.
public struct LogQLSettings: Sendable, Equatable {
    /// The most lines that a query may ask for. Default 5,000.
    public var maximumEntries = 5_000
    /// The most series of an answer. Default 500.
    public var maximumSeries = 500
    /// The most moments of a range query. Default 11,000.
    public var maximumSteps = 11_000
    /// Whether lines have the label `detected_level`, as in Loki with `discover_log_levels`. Default true.
    public var tellsLevels = true

    /// The defaults.
    public init() {}
}

/// A query in LogQL.
public struct LogQLRequest: Sendable {
    /// The query.
    public var text: String
    /// The first moment, in nanoseconds; the moment of an instant query.
    public var start: Int64
    /// The last moment of numbers; lines end in front of it.
    public var end: Int64
    /// From one moment to the next; nil for an instant query.
    public var step: Int64?
    /// The most lines.
    public var limit = 100
    /// Whether the latest lines come first.
    public var descending = true
    /// Whether lines tell their metadata and parsed labels apart.
    public var categorizes = false
    /// Whether `{}`, which Loki refuses, means every stream: what a search without a label is.
    public var takesEveryStream = false

    /// A query at one moment.
    public init(_ text: String, at time: Int64) { (self.text, start, end) = (text, time, time) }

    /// A query of a range.
    public init(_ text: String, start: Int64, end: Int64, step: Int64) {
        (self.text, self.start, self.end, self.step) = (text, start, end, step)
    }
}

/// Why a request was not answered, as Loki tells it: a status of HTTP and a text.
public struct LogQLFailure: Error, Sendable, Equatable {
    /// The status of HTTP.
    public var status: Int
    /// What is wrong.
    public var message: String

    /// Assembles a failure.
    public init(_ status: Int, _ message: String) { (self.status, self.message) = (status, message) }
}

/// Answers LogQL.
public struct LogQLService: Sendable {
    let directory: any LineDirectory
    let running: RunningQueries
    let settings: LogQLSettings
    let clock: any Clock

    /// A service over the lines of some tenants, whose queries count among those that run.
    public init(
        directory: any LineDirectory, running: RunningQueries, settings: LogQLSettings = .init(), clock: any Clock
    ) {
        (self.directory, self.running, self.settings, self.clock) = (directory, running, settings, clock)
    }

    /// The answer to a query, as JSON. Ends early when the task is cancelled.
    public func answer(_ request: LogQLRequest, tenant: String) async throws(LogQLFailure) -> [UInt8] {
        let query: LogQLQuery
        do throws(QueryError) {
            query = try LogQL.parse(request.text, needsMatcher: !request.takesEveryStream)
        } catch {
            running.refuse(.logql, error)
            throw LogQLFailure(400, error.message)
        }
        try check(request, query)
        return try await run(tenant, { "\(query)" }) { control async throws(QueryError) in
            try await self.answer(request, query, tenant, control)
        }
    }

    private func check(_ request: LogQLRequest, _ query: LogQLQuery) throws(LogQLFailure) {
        switch query {
        case .lines:
            guard request.step != nil else {
                throw LogQLFailure(
                    400,
                    "log queries are not supported as an instant query type, please change your query to a range query "
                        + "type")
            }
            guard request.limit <= settings.maximumEntries else {
                throw LogQLFailure(
                    400,
                    "max entries limit per query exceeded, limit > max_entries_limit_per_query "
                        + "(\(request.limit) > \(settings.maximumEntries))")
            }
        case .metric:
            guard let step = request.step, request.end > request.start else { return }
            // What the steps are can wait until their number is known to be small.
            guard (request.end - request.start) / max(1, step) <= Int64(settings.maximumSteps) else {
                throw LogQLFailure(
                    400,
                    "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the "
                        + "step parameter")
            }
        }
    }

    /// Runs something as a query: bounded, counted, and told if it is slow.
    func run<Answer: Sendable>(
        _ tenant: String, _ text: @escaping @Sendable () -> String,
        _ body: (QueryControl) async throws(QueryError) -> Answer
    ) async throws(LogQLFailure) -> Answer {
        do throws(QueryError) {
            try running.enter(.logql)
        } catch {
            throw LogQLFailure(429, "too many outstanding requests")
        }
        defer { running.leave() }
        var answer: Answer?
        var bound: QueryBound?
        let description = QueryDescription(language: .logql, database: tenant, text: text)
        let failure = await running.run(description) { control async throws(QueryError) in
            do throws(QueryError) {
                answer = try await body(control)
            } catch {
                bound = control.bound
                throw error
            }
        }
        if let failure { throw Self.failure(failure, bound) }
        guard let answer else { throw LogQLFailure(500, "no answer") }
        return answer
    }

    private static func failure(_ error: QueryError, _ bound: QueryBound?) -> LogQLFailure {
        switch (error.code, bound) {
        case (.cancelled, _): return LogQLFailure(499, "the request was cancelled by the client")
        case (.limitReached, .time):
            return LogQLFailure(
                504,
                "request timed out, decrease the duration of the request or add more label matchers (prefer exact match "
                    + "over regex match) to reduce the amount of data processed")
        case (.limitReached, _), (.syntax, _): return LogQLFailure(400, error.message)
        case (.execution, _):
            return LogQLFailure(error.cause is SearchError ? 500 : 400, error.message)
        }
    }

    private func answer(
        _ request: LogQLRequest, _ query: LogQLQuery, _ tenant: String, _ control: QueryControl
    ) async throws(QueryError) -> [UInt8] {
        let source = directory.lines(of: tenant) ?? NoLines()
        let began = clock.monotonicNanoseconds()
        let cost = LineCost()
        func statistics(entries: Int) -> LogQLStatistics {
            let nanoseconds = clock.monotonicNanoseconds() &- began
            return LogQLStatistics(
                seconds: Double(nanoseconds) / 1e9, bytes: cost.bytes, lines: cost.lines, entries: entries)
        }
        var writer = LogQLResultWriter()
        switch query {
        case .lines(let selector):
            let rows = try await RowReader(source: source, control: control, cost: cost).rows(
                RowRequest(
                    selector: selector, range: TimeWindow(start: request.start &- 1, end: request.end &- 1),
                    descending: request.descending, limit: max(1, request.limit), tellsLevels: settings.tellsLevels))
            try control.answer(rows: rows.count)
            writer.streams(rows, categorizes: request.categorizes, statistics(entries: rows.count))
        case .metric(let expression):
            let steps =
                request.step.map { QuerySteps(start: request.start, end: request.end, step: $0) }
                ?? QuerySteps(at: request.start)
            let reader = SampleReader(source: source, control: control, cost: cost, tellsLevels: settings.tellsLevels)
            let outcome = try await MetricEvaluator(reader: reader, steps: steps).evaluate(expression)
            switch outcome {
            case .number(let number) where request.step == nil:
                writer.scalar(number, at: steps.start, statistics(entries: 1))
            case .number(let number):
                let values = [Double](repeating: number, count: steps.count)
                let matrix = SeriesMatrix(series: [.init(labels: StreamLabels([]), values: values)])
                writer.matrix(matrix, steps, statistics(entries: 1))
            case .matrix(var matrix):
                guard matrix.series.count <= settings.maximumSeries else {
                    throw control.reached(
                        .series, "maximum of series (\(settings.maximumSeries)) reached for a single query")
                }
                if request.step != nil || !MetricEvaluator.isSorted(expression) { matrix.sortByLabels() }
                let statistics = statistics(entries: matrix.series.count)
                if request.step == nil {
                    writer.vector(matrix, steps, statistics)
                } else {
                    writer.matrix(matrix, steps, statistics)
                }
            }
        }
        return writer.bytes
    }
}

/// The lines of a tenant that has none.
struct NoLines: LineSource {
    func streams(matching matchers: [LabelMatcher], in range: TimeWindow) -> [StreamLabels] { [] }
    var streamEstimate: Int { 0 }
    var metadataNames: Set<String>? { [] }
    func scan(_ request: LineRequest) -> [any LineScan] { [] }
    func totals(_ request: TotalsRequest) -> [StreamTotals] { [] }
}
