import Query
import Telemetry
import Testing

/// Every bound of queries of lines, with its answer.
@Suite struct LogQLLimitTests {
    private func service(
        _ settings: LogQLSettings = LogQLSettings(), _ limits: QueryLimits = QueryLimits()
    ) -> LogQLService {
        let lines = MemoryLines()
        for pod in 0..<5 {
            let stream = StreamLabels([.init("app", "a"), .init("pod", "p\(pod)")])
            lines.add(stream, Int64(pod + 1) * 1_000_000_000, "line \(pod)")
        }
        var queries = QuerySettings()
        queries.limits = limits
        return LogQLService(
            directory: lines, running: RunningQueries(settings: queries, clock: FixedClock()), settings: settings,
            clock: FixedClock())
    }

    private func failure(_ service: LogQLService, _ request: LogQLRequest) async -> LogQLFailure? {
        do throws(LogQLFailure) {
            _ = try await service.answer(request, tenant: "t")
            return nil
        } catch {
            return error
        }
    }

    private let counts = LogQLRequest("sum by (pod) (count_over_time({app=\"a\"}[10s]))", at: 10_000_000_000)
    private let rows = LogQLRequest("{app=\"a\"}", start: 0, end: 10_000_000_000, step: 1_000_000_000)

    @Test func seriesOfAnAnswer() async {
        var settings = LogQLSettings()
        settings.maximumSeries = 5
        #expect(await failure(service(settings), counts) == nil)
        settings.maximumSeries = 4
        let expected = LogQLFailure(400, "maximum of series (4) reached for a single query")
        #expect(await failure(service(settings), counts) == expected)
    }

    @Test func linesOfAnAnswer() async {
        var (settings, request) = (LogQLSettings(), rows)
        settings.maximumEntries = 4
        request.limit = 4
        #expect(await failure(service(settings), request) == nil)
        request.limit = 5
        #expect(await failure(service(settings), request)?.message.hasSuffix("(5 > 4)") == true)
    }

    @Test func moments() async {
        var (settings, request) = (LogQLSettings(), counts)
        (settings.maximumSteps, request.start, request.step) = (10, 0, 1_000_000_000)
        #expect(await failure(service(settings), request) == nil)
        request.step = 900_000_000
        #expect(await failure(service(settings), request)?.message.hasPrefix("exceeded maximum resolution") == true)
    }

    @Test func time() async {
        var limits = QueryLimits()
        limits.timeoutMilliseconds = 0
        #expect(await failure(service(.init(), limits), rows)?.status == 504)
        #expect(await failure(service(.init(), limits), counts)?.status == 504)
    }

    @Test func memory() async {
        var limits = QueryLimits()
        limits.maximumBytes = 300
        #expect(await failure(service(.init(), limits), rows)?.message.hasPrefix("query memory limit") == true)
        #expect(await failure(service(.init(), limits), counts)?.message.hasPrefix("query memory limit") == true)
    }

    @Test func linesRead() async {
        var (limits, request) = (QueryLimits(), rows)
        limits.maximumPoints = 4
        request.text = "{app=\"a\"} |= \"line\""
        #expect(await failure(service(.init(), limits), request)?.status == 400)
    }

    @Test func queriesAtATime() async {
        var limits = QueryLimits()
        limits.maximumQueries = 0
        #expect(await failure(service(.init(), limits), rows) == LogQLFailure(429, "too many outstanding requests"))
    }

    @Test func namesAreReadWithinBounds() async throws {
        let selection = LogQLService.Selection([], start: 0, end: 10_000_000_000)
        let labels = try await service().labels(selection, tenant: "t")
        #expect(String(decoding: labels, as: UTF8.self) == "{\"status\":\"success\",\"data\":[\"app\",\"pod\"]}\n")
        var limits = QueryLimits()
        limits.maximumSeries = 4
        await #expect(throws: LogQLFailure.self) {
            try await service(.init(), limits).labels(selection, tenant: "t")
        }
    }
}

/// The parameters of Loki's API.
@Suite struct LokiParameterTests {
    private static let now: Int64 = 1_763_750_000_000_000_000

    private func parameters(_ values: [String: String]) -> LokiParameters {
        LokiParameters(now: Self.now) { values[$0] }
    }

    @Test(
        arguments: [
            ("1763750000", 1_763_750_000_000_000_000), ("1763750000.5", 1_763_750_000_500_000_000),
            ("1763750000000000001", 1_763_750_000_000_000_001), ("2025-11-21T18:33:20Z", 1_763_750_000_000_000_000),
            ("0", 0), ("-5", -5_000_000_000),
        ] as [(String, Int64)])
    func times(_ text: String, _ expected: Int64) throws {
        #expect(try parameters(["start": text]).time("start") == expected)
    }

    @Test(arguments: ["x", "1.2.3", "1e400."])
    func noTimes(_ text: String) {
        #expect(throws: LogQLFailure.self) { try parameters(["start": text]).time("start") }
    }

    @Test func ranges() throws {
        #expect(try parameters([:]).range() == (Self.now - 3_600_000_000_000, Self.now))
        #expect(try parameters(["since": "5m"]).range() == (Self.now - 300_000_000_000, Self.now))
        #expect(try parameters(["since": "5m", "end": "600"]).range() == (300_000_000_000, 600_000_000_000))
        #expect(throws: LogQLFailure.self) { try parameters(["start": "5", "end": "5"]).rangeQuery() }
    }

    @Test(arguments: [
        ("500ms", 500_000_000), ("15", 15_000_000_000), ("1.5", 1_500_000_000), ("1h", 3_600_000_000_000),
    ])
    func steps(_ text: String, _ expected: Int64) throws {
        #expect(try parameters(["step": text]).step(0, 1) == expected)
    }

    @Test func stepOfARange() throws {
        #expect(try parameters([:]).step(0, 3_600_000_000_000) == 14_000_000_000)
        #expect(try parameters([:]).step(0, 1_000_000_000) == 1_000_000_000)
    }
}
