import MillraceTesting
import Query
import Series
import SimulatedMachine
import Synchronization
import Testing

/// The executor against a plain computation, and its bounds.
@Suite struct ExecutorTests {
    /// The body of the answer to a query over lines.
    static func answer(
        _ text: String, over databases: MemoryDatabases, _ limits: QueryLimits = QueryLimits(),
        format: ResultFormat = ResultFormat()
    ) async throws -> String {
        var settings = QuerySettings()
        settings.limits = limits
        let service = InfluxQLService(
            directory: databases, administration: databases,
            running: RunningQueries(settings: settings, clock: FixedClock()), clock: FixedClock())
        var request = InfluxQLRequest(text, database: "db")
        request.format = format
        let bytes = Mutex<[UInt8]>([])
        try await service.run(try service.parse(request), request) { piece throws(QueryError) in
            bytes.withLock { $0 += piece }
        }
        return String(decoding: bytes.withLock { $0 }, as: UTF8.self)
    }

    static func databases(_ lines: [String], _ shape: MemoryShape = MemoryShape()) async throws -> MemoryDatabases {
        let databases = MemoryDatabases(shape: shape)
        try await databases.createDatabase("db", policy: nil)
        #expect(databases.database("db")?.write(lines.map { $0 + "\n" }.joined()) == nil)
        return databases
    }

    private struct Point {
        var host: Int
        var time: Int64
        var value: Int64
    }

    /// Random points, windows, filters, shapes of scans; every aggregate of integers by the book.
    @Test(arguments: SimulationSeeds.chosen(40)) func aggregatesAsByTheBook(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let hosts = Int.random(in: 1...5, using: &random)
        var points: [Point] = []
        for host in 0..<hosts {
            var time = Int64.random(in: -50...50, using: &random)
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                points.append(Point(host: host, time: time, value: .random(in: -9...9, using: &random)))
                time += .random(in: 1...7, using: &random)
            }
        }
        let shape = MemoryShape(
            parts: .random(in: 1...3, using: &random), batchPoints: .random(in: 1...20, using: &random),
            splitsTime: .random(using: &random), offersSummaries: .random(using: &random))
        let databases = try await Self.databases(
            points.map { "m,h=h\($0.host) v=\($0.value)i \($0.time)" }, shape)
        let (length, offset) = (Int64.random(in: 1...40, using: &random), Int64.random(in: 0...40, using: &random))
        let (low, high) = (Int64.random(in: -60...50, using: &random), Int64.random(in: 60...300, using: &random))
        let floor: Int64? = Bool.random(using: &random) ? .random(in: -9...5, using: &random) : nil
        var wanted = "{\"results\":[{\"statement_id\":0"
        var series: [String] = []
        for host in 0..<hosts {
            let own = points.filter { point in
                point.host == host && point.time >= low && point.time < high && point.value > floor ?? -100
            }
            let windows = Dictionary(grouping: own) { point in
                let shifted = point.time - offset
                return (shifted >= 0 ? shifted / length : (shifted - length + 1) / length) * length + offset
            }
            guard !windows.isEmpty else { continue }
            let rows = windows.sorted { $0.key < $1.key }.map { start, points in
                let values = points.map(\.value)
                let first = points.min { $0.time < $1.time }
                let last = points.max { $0.time < $1.time }
                let rank = (Double(values.count) * 90 / 100 + 0.5).rounded(.down) - 1
                let numbers: [Int64?] = [
                    start, Int64(values.count), values.reduce(0, +), values.min(), values.max(), first?.value,
                    last?.value, (values.max() ?? 0) - (values.min() ?? 0),
                    rank >= 0 ? values.sorted()[min(Int(rank), values.count - 1)] : nil, Int64(Set(values).count),
                ]
                return "[" + numbers.map { $0.map { "\($0)" } ?? "null" }.joined(separator: ",") + "]"
            }
            series.append(
                "{\"name\":\"m\",\"tags\":{\"h\":\"h\(host)\"},\"columns\":[\"time\",\"count\",\"sum\",\"min\",\"max\","
                    + "\"first\",\"last\",\"spread\",\"percentile\",\"count_1\"],\"values\":["
                    + rows.joined(separator: ",") + "]}")
        }
        if !series.isEmpty { wanted += ",\"series\":[" + series.joined(separator: ",") + "]" }
        var format = ResultFormat()
        format.epoch = .units(1)
        let answer = try await Self.answer(
            "SELECT count(v), sum(v), min(v), max(v), first(v), last(v), spread(v), percentile(v, 90), "
                + "count(distinct(v)) FROM m WHERE time >= \(low) AND time < \(high)"
                + (floor.map { " AND v > \($0)" } ?? "")
                + " GROUP BY h, time(\(length)ns, \(offset)ns) fill(none)", over: databases, format: format)
        #expect(answer == wanted + "}]}\n", "seed \(seed)")
    }

    /// Rows with limits, over scans of every shape, against sorting all.
    @Test(arguments: SimulationSeeds.chosen(40)) func rowsAsByTheBook(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var points: [Point] = []
        var times = Set<Int64>()
        for _ in 0..<Int.random(in: 1...300, using: &random) {
            let time = Int64.random(in: 0...100_000, using: &random)
            // Ties have scripts of their own.
            guard times.insert(time).inserted else { continue }
            points.append(
                Point(host: .random(in: 0...9, using: &random), time: time, value: .random(in: -9...9, using: &random)))
        }
        let shape = MemoryShape(
            parts: .random(in: 1...3, using: &random), batchPoints: .random(in: 1...20, using: &random),
            splitsTime: .random(using: &random), offersSummaries: .random(using: &random))
        let databases = try await Self.databases(points.map { "m,h=h\($0.host) v=\($0.value)i \($0.time)" }, shape)
        let (limit, offset) = (Int.random(in: 1...40, using: &random), Int.random(in: 0...9, using: &random))
        let (descending, grouped) = (Bool.random(using: &random), Bool.random(using: &random))
        let sorted = points.filter { $0.value > -5 }.sorted { ($0.time < $1.time) != descending }
        let groups: [(String, [Point])] =
            grouped
            ? (0...9).map { host in (",\"tags\":{\"h\":\"h\(host)\"}", sorted.filter { $0.host == host }) }
            : [("", sorted)]
        let series = (descending ? groups.reversed() : groups).compactMap { tags, points -> String? in
            let rows = points.dropFirst(offset).prefix(limit).map { "[\($0.time),\($0.value)]" }
            guard !rows.isEmpty else { return nil }
            return "{\"name\":\"m\"\(tags),\"columns\":[\"time\",\"v\"],\"values\":[\(rows.joined(separator: ","))]}"
        }
        let content = series.isEmpty ? "" : ",\"series\":[\(series.joined(separator: ","))]"
        var format = ResultFormat()
        format.epoch = .units(1)
        let answer = try await Self.answer(
            "SELECT v FROM m WHERE v > -5 \(grouped ? "GROUP BY h" : "") ORDER BY time \(descending ? "DESC" : "ASC") "
                + "LIMIT \(limit) OFFSET \(offset)", over: databases, format: format)
        #expect(answer == "{\"results\":[{\"statement_id\":0\(content)}]}\n", "seed \(seed)")
    }

    @Test func everyBoundHasItsError() async throws {
        let databases = try await Self.databases((0..<300).map { "m,h=h\($0 % 30) v=\($0),s=\"text\" \($0)" })
        func check(_ text: String, _ error: String, _ change: (inout QueryLimits) -> Void) async throws {
            var limits = QueryLimits()
            change(&limits)
            let answer = try await Self.answer(text, over: databases, limits)
            #expect(answer.hasPrefix("{\"results\":[{\"statement_id\":0,\"error\":\"\(error)"), "\(answer)")
        }
        try await check("SELECT v FROM m", "max-select-series limit exceeded: (") { $0.maximumSeries = 10 }
        try await check("SELECT v FROM m", "max-select-point limit exceeed: (") { $0.maximumPoints = 100 }
        try await check("SELECT v FROM m", "query-timeout limit exceeded") { $0.timeoutMilliseconds = 0 }
        try await check("SELECT v FROM m", "query memory limit exceeded: (") { $0.maximumBytes = 1_000 }
        try await check("SELECT median(v) FROM m", "query memory limit exceeded: (") { $0.maximumBytes = 2_000 }
        try await check("SELECT mean(v) FROM m GROUP BY time(1ns)", "max-select-buckets limit exceeded: (") {
            $0.maximumBuckets = 50
        }
        // Without a first time, from 1970 to now, there would be 10^18 rows.
        try await check("SELECT mean(v) FROM m WHERE time >= 0 GROUP BY time(1ns)", "max-select-buckets limit") { _ in }
        try await check("SELECT v FROM m", "max-concurrent-queries limit exceeded(1, 0)") { $0.maximumQueries = 0 }
        try await check("SELECT v FROM m", "memory limit of all queries exceeded: (") { $0.maximumTotalBytes = 1_000 }
        try await check("SHOW SERIES", "max-show-rows limit exceeded: (") { $0.maximumShowRows = 5 }
        try await check("SHOW SERIES", "max-row-limit exceeded: (30/5)") { $0.maximumRows = 5 }
    }

    @Test func aCancelledTaskEndsItsQuery() async throws {
        let databases = try await Self.databases((0..<300).map { "m,h=h\($0 % 30) v=\($0) \($0)" })
        let task = Task {
            // Cancelled before it begins: the first batch sees it.
            while !Task.isCancelled { await Task.yield() }
            return try await Self.answer("SELECT v FROM m", over: databases)
        }
        task.cancel()
        let result = await task.result
        #expect(throws: QueryError.self) { try result.get() }
    }
}
