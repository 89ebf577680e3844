import Instruments
import Machine
import Series
import Synchronization
import Testing

@testable import Query

/// What is known, counted and told of queries that run.
@Suite struct RunningQueriesTests {
    /// A clock that somebody moves.
    private final class HandClock: Clock {
        private let nanoseconds = Atomic<UInt64>(1)

        func move(milliseconds: UInt64) { nanoseconds.add(milliseconds * 1_000_000, ordering: .relaxed) }
        func wallMilliseconds() -> Int64 { 1_763_750_000_000 }
        func monotonicNanoseconds() -> UInt64 { nanoseconds.load(ordering: .relaxed) }
        func threadNanoseconds() -> UInt64 { 1 }
    }

    /// A service over 300 points of 30 series, all whose statements are reported, unless told otherwise.
    private struct Site {
        let clock = HandClock()
        let instruments = InstrumentRegistry()
        let slow: Slow
        let running: RunningQueries
        let service: InfluxQLService

        final class Slow: Sendable {
            let queries = Mutex<[SlowQuery]>([])
        }

        init(_ change: (inout QuerySettings) -> Void = { _ in }) async throws {
            var settings = QuerySettings()
            settings.slowMilliseconds = 0
            change(&settings)
            let slow = Slow()
            self.slow = slow
            running = RunningQueries(settings: settings, clock: clock, instruments: instruments) { query in
                slow.queries.withLock { $0.append(query) }
            }
            let databases = try await ExecutorTests.databases(
                (0..<300).map { "m,h=h\($0 % 30) v=\($0),s=\"text\" \($0)" }, MemoryShape(parts: 2, batchPoints: 10))
            service = InfluxQLService(
                directory: databases, administration: databases, running: running, clock: clock)
        }

        func run(
            _ text: String, parameters: String? = nil, write: ([UInt8]) async throws(QueryError) -> Void = { _ in }
        ) async throws {
            var request = InfluxQLRequest(text, database: "db")
            if let parameters { request.parameters = try BoundParameter.parse(parameters) }
            try await service.run(try service.parse(request), request, write: write)
        }

        /// The statement that was reported last.
        func last() throws -> SlowQuery { try #require(slow.queries.withLock { $0.last }) }

        /// The value of a sample.
        func sample(_ name: String) -> String? {
            instruments.render().split(separator: "\n").first { $0.hasPrefix(name + " ") }.map {
                String($0.dropFirst(name.count + 1))
            }
        }
    }

    @Test func aStatementIsToldWithItsPlanAndCost() async throws {
        let site = try await Site()
        try await site.run(
            "select  mean(v) from m where time >= 100 and time < 200 and h =~ /h1./ and v > 105 group by h, time(50ns)")
        let query = try site.last()
        #expect(query.language == .influxql && query.database == "db")
        #expect(
            query.text == "SELECT mean(v) FROM m WHERE time >= 100 AND time < 200 AND h =~ /h1./ AND v > 105 "
                + "GROUP BY h, time(50ns)")
        #expect(
            query.plan == "scan m 1970-01-01T00:00:00.0000001Z..1970-01-01T00:00:00.000000199Z where h~? read v; "
                + "filter v > ?; group by h every 50ns: mean(v) fill null")
        #expect(query.outcome == .ok && query.error == nil && query.bound == nil)
        // Of ten series the points 100…109, 130…139, 160…169 and 190…199.
        #expect(query.cost.series == 10 && query.cost.points == 40 && query.cost.rows == 20)
        #expect(query.cost.parts == 2 && query.cost.threads == 2)
        #expect(query.cost.scan.pagesRead >= 4 && query.cost.scan.bytes == 40 * 16)
        #expect(query.cost.peakBytes > 0)
    }

    @Test(arguments: [
        ("SELECT * FROM m WHERE s = 'x' LIMIT 3 OFFSET 1", "; filter s = ?; 3 columns; limit 3; offset 1"),
        ("SELECT max(v), p FROM m GROUP BY h SLIMIT 2", "; group by h: max(v); groups 2"),
        ("SELECT percentile(v, 90) FROM m ORDER BY time DESC", " read v backwards; p90(v)"),
        ("SELECT v FROM m WHERE h = 'a' OR (h !~ /x/ AND h != 'y')", "where (h=? or (not h~? and not h=?)) read v"),
        ("SELECT v FROM m WHERE v + 1 > 5 OR s =~ /x/", "; filter ((v + ?) > ? or s =~ ?); 1 columns"),
        ("SELECT v FROM m; SHOW DATABASES", ""),
    ])
    func aPlanInWords(statement: String, part: String) async throws {
        let site = try await Site()
        try await site.run(statement)
        let plan = try site.last().plan
        #expect(part.isEmpty ? plan.isEmpty : plan.contains(part), "\(plan)")
    }

    @Test func whatIsReadIsCountedOfFailedStatementsToo() async throws {
        let site = try await Site { $0.limits.maximumBytes = 300 }
        try await site.run("SELECT v FROM m")
        let query = try site.last()
        #expect(query.outcome == .limited && query.bound == .memory)
        #expect(query.error?.hasPrefix("query memory limit exceeded: (") == true)
        #expect(query.cost.scan.bytes > 0 && query.cost.points > 0)
        #expect(site.sample("millrace_query_memory_bytes") == "0")
    }

    @Test(arguments: [
        ("CREATE USER u WITH PASSWORD 'hush' WITH ALL PRIVILEGES", "CREATE USER"),
        ("SET PASSWORD FOR u = 'hush'", "SET PASSWORD"),
    ])
    func noPasswordIsTold(statement: String, told: String) async throws {
        let site = try await Site()
        try await site.run(statement)
        let query = try site.last()
        #expect(query.text == told && query.outcome == .failed)
        #expect(query.error == "\(told) is not served yet")
    }

    @Test func valuesOfParametersAreNotTold() async throws {
        let site = try await Site()
        try await site.run(
            "SELECT v FROM m WHERE h = $host AND s =~ $text LIMIT $most",
            parameters: "{\"host\": \"hush\", \"text\": {\"regex\": \"hush\"}, \"most\": 5}")
        let query = try site.last()
        #expect(query.text == "SELECT v FROM m WHERE h = '$host' AND s =~ /$text/ LIMIT 5")
        #expect(!query.plan.contains("hush") && query.plan.contains("h=?"))
    }

    @Test func longTextsAreCutAtTheBorderOfACharacter() async throws {
        let site = try await Site()
        try await site.run("SELECT v FROM m WHERE h = '\(String(repeating: "€", count: 1_000))'")
        let text = try site.last().text
        #expect(text.utf8.count <= SlowQuery.maximumTextBytes + 3 && text.hasSuffix("€…"))
    }

    @Test func onlySlowStatementsAreTold() async throws {
        for (threshold, told) in [(Int64(100), true), (101, false), (-1, false)] {
            let site = try await Site { $0.slowMilliseconds = threshold }
            _ = await site.running.run(QueryDescription(language: .influxql, database: "db", text: { "x" })) { _ in
                site.clock.move(milliseconds: 100)
            }
            #expect(site.slow.queries.withLock { $0.count } == (told ? 1 : 0))
            #expect(site.sample("millrace_queries_slow_total{language=\"influxql\"}") == (told ? "1" : "0"))
        }
    }

    /// A reader that is slow makes no slow query.
    @Test func waitingForTheReaderIsNoTimeOfTheStatement() async throws {
        let site = try await Site { $0.slowMilliseconds = 50 }
        let description = QueryDescription(language: .influxql, database: "db") { "x" }
        _ = await site.running.run(description) { control throws(QueryError) in
            site.clock.move(milliseconds: 60)
            try await control.waiting { site.clock.move(milliseconds: 3_000) }
        }
        let query = try site.last()
        #expect(query.cost.nanoseconds == 60_000_000 && query.cost.waitedNanoseconds == 3_000_000_000)
    }

    @Test func everyBoundIsCountedByItsName() async throws {
        func check(_ bound: String, _ text: String, _ change: (inout QueryLimits) -> Void) async throws {
            let site = try await Site { change(&$0.limits) }
            try await site.run(text)
            #expect(site.sample("millrace_query_bounds_reached_total{bound=\"\(bound)\"}") == "1", "\(bound)")
            #expect(
                site.sample("millrace_queries_total{language=\"influxql\",outcome=\"limited\"}") == "1", "\(bound)")
        }
        try await check("time", "SELECT v FROM m") { $0.timeoutMilliseconds = 0 }
        try await check("series", "SELECT v FROM m") { $0.maximumSeries = 10 }
        try await check("points", "SELECT v FROM m") { $0.maximumPoints = 100 }
        try await check("scanned-bytes", "SELECT v FROM m") { $0.maximumScannedBytes = 100 }
        try await check("windows", "SELECT mean(v) FROM m GROUP BY time(1ns)") { $0.maximumBuckets = 50 }
        try await check("rows", "SELECT v FROM m") { $0.maximumRows = 100 }
        try await check("show-rows", "SHOW SERIES") { $0.maximumShowRows = 5 }
        try await check("memory", "SELECT v FROM m") { $0.maximumBytes = 1_000 }
        try await check("total-memory", "SELECT v FROM m") { $0.maximumTotalBytes = 1_000 }
        try await check("queries", "SELECT v FROM m") { $0.maximumQueries = 0 }
    }

    /// A language may have bounds of its own.
    @Test func aBoundWithoutANameIsCounted() async throws {
        let site = try await Site()
        let description = QueryDescription(language: .influxql, database: "db") { "x" }
        _ = await site.running.run(description) { _ throws(QueryError) in throw QueryError(.limitReached, "steps") }
        #expect(try site.last().bound == .other)
        #expect(site.sample("millrace_query_bounds_reached_total{bound=\"other\"}") == "1")
    }

    @Test func outcomesAreCounted() async throws {
        let site = try await Site()
        try await site.run("SELECT v FROM m; SELECT v FROM m")
        try await site.run("SELECT v FROM none..m")
        await #expect(throws: QueryError.self) { try await site.run("SELECT") }
        await #expect(throws: QueryError.self) {
            try await site.run("SELECT v FROM m") { _ throws(QueryError) in throw QueryError(.cancelled, "gone") }
        }
        for (outcome, count) in [("ok", "3"), ("failed", "1"), ("invalid", "1"), ("cancelled", "0")] {
            #expect(
                site.sample("millrace_queries_total{language=\"influxql\",outcome=\"\(outcome)\"}") == count,
                "\(outcome)")
        }
        #expect(site.sample("millrace_query_seconds_count{language=\"influxql\"}") == "4")
        #expect(site.sample("millrace_query_points_read_total") == "900")
        #expect(site.sample("millrace_query_rows_total") == "900")
        #expect(site.sample("millrace_query_bytes_read_total") == "\(900 * 16)")
        #expect(site.sample("millrace_query_pages_total{how=\"read\"}") == "90")
    }

    /// Two statements share one budget; the end of one makes room for the other.
    @Test func memoryIsSharedByAllAndGivenBack() async throws {
        let site = try await Site { $0.limits.maximumTotalBytes = 30_000 }
        let description = QueryDescription(language: .influxql, database: "db") { "hungry" }
        _ = await site.running.run(description) { hungry throws(QueryError) in
            try hungry.keep(bytes: 29_000)
            #expect(site.sample("millrace_query_memory_bytes") == "29000")
            try? await site.run("SELECT v FROM m")
            #expect(site.slow.queries.withLock { $0.last?.bound } == .totalMemory)
            // What is refused is given back at once.
            #expect(throws: QueryError.self) { try hungry.keep(bytes: 5_000) }
            #expect(site.sample("millrace_query_memory_bytes") == "29000")
            try hungry.keep(bytes: 1_000)
        }
        #expect(site.sample("millrace_query_memory_bytes") == "0")
        try await site.run("SELECT v FROM m")
        #expect(try site.last().outcome == .ok)
    }

    @Test func theServerKnowsWhoRunsAndCanEndIt() async throws {
        let site = try await Site()
        let description = QueryDescription(language: .influxql, database: "db") { "endless" }
        let failure = await site.running.run(description) { control throws(QueryError) in
            site.clock.move(milliseconds: 5_000)
            #expect(site.running.statements.values.map { $0.description.text() } == ["endless"])
            #expect(site.sample("millrace_queries_running{language=\"influxql\"}") == "1")
            #expect(site.sample("millrace_query_oldest_seconds") == "5")
            for control in site.running.statements.values { control.cancel() }
            try control.check(points: 1)
        }
        #expect(failure?.code == .cancelled)
        #expect(site.running.statements.isEmpty)
        #expect(site.sample("millrace_queries_running{language=\"influxql\"}") == "0")
        #expect(try site.last().outcome == .cancelled)
    }
}
