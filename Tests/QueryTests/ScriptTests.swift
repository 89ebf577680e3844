import Machine
import Query
import Series
import SimulatedMachine
import Synchronization
import Telemetry
import Testing

/// Runs the recorded conversations with InfluxDB against the executor, over databases in memory.
@Suite struct ScriptTests {
    @Test(arguments: [
        MemoryShape(), MemoryShape(parts: 1, batchPoints: 1_000, offersSummaries: false),
        MemoryShape(parts: 3, batchPoints: 2, splitsTime: true, offersSummaries: false),
    ])
    func answersAsInfluxDB(shape: MemoryShape) async throws {
        let deviations = Deviations()
        var failures: [String] = []
        var count = 0
        for script in Script.all {
            let player = ScriptPlayer(shape)
            for exchange in script.exchanges {
                guard let answer = try await player.play(exchange) else { continue }
                count += 1
                let place = "\(script.name):\(exchange.line)"
                if answer.text != exchange.answer || answer.status != exchange.status,
                    !deviations.contains(script.name, exchange.line)
                {
                    failures.append(
                        "\(place): \(exchange.body.joined(separator: "\n"))\n  is   \(answer.status) \(answer.text)  want \(exchange.status ?? 0) \(exchange.answer)"
                    )
                }
            }
        }
        #expect(count > 500)
        for failure in failures { Issue.record("\(failure)") }
    }
}

/// Where Millrace answers otherwise, as `Scripts/DEVIATIONS.md` lists it: by script and line.
struct Deviations {
    private var places: Set<String> = []

    init() {
        for line in Script.text("DEVIATIONS.md").split(separator: "\n") where line.hasPrefix("    ") {
            let words = line.split(separator: " ")
            for word in words.dropFirst() { places.insert("\(words[0]).txt:\(word)") }
        }
    }

    func contains(_ script: String, _ line: Int) -> Bool {
        places.contains("\(script):all") || places.contains("\(script):\(line)")
    }
}

/// Plays a script.
struct ScriptPlayer {
    private let databases: MemoryDatabases
    private let service: InfluxQLService
    private let precisions: [String: TimePrecision] = [
        "ns": .nanoseconds, "n": .nanoseconds, "u": .microseconds, "ms": .milliseconds, "s": .seconds, "m": .minutes,
        "h": .hours,
    ]

    init(_ shape: MemoryShape) {
        databases = MemoryDatabases(shape: shape)
        service = InfluxQLService(
            directory: databases, administration: databases, running: RunningQueries(clock: FixedClock()),
            clock: FixedClock())
    }

    /// The answer; nil if the exchange has none to compare.
    func play(_ exchange: Script.Exchange) async throws -> (status: Int, text: String)? {
        switch exchange.verb {
        case "database":
            try await databases.createDatabase(exchange.words[0], policy: nil)
            return nil
        case "policy":
            let words = exchange.words
            _ = try await query(
                "CREATE RETENTION POLICY \"\(words[1])\" ON \"\(words[0])\" DURATION \(words[2]) REPLICATION 1 "
                    + "SHARD DURATION \(words[3])\(words.count > 4 ? " DEFAULT" : "")", exchange)
            return nil
        case "write":
            guard exchange.status == 204 else { return nil }
            let name = exchange.parameters["db"] ?? "db0"
            let failure = databases.database(name)?.write(
                exchange.body.map { $0 + "\n" }.joined(), policy: exchange.parameters["rp"],
                precision: precisions[exchange.parameters["precision"] ?? "ns"] ?? .nanoseconds)
            #expect(failure == nil)
            return nil
        default:
            let text = exchange.parameters["q"] ?? exchange.body.joined(separator: "\n")
            return try await query(text, exchange)
        }
    }

    private func query(_ text: String, _ exchange: Script.Exchange) async throws -> (status: Int, text: String) {
        var request = InfluxQLRequest(text, database: exchange.parameters["db"] ?? "db0")
        request.retentionPolicy = exchange.parameters["rp"]
        request.isReadOnly = exchange.verb == "query"
        request.format.epoch = .init(parameter: exchange.parameters["epoch"])
        request.format.isPretty = exchange.verb != "form" && exchange.parameters["pretty"] == "true"
        request.format.isChunked = exchange.parameters["chunked"] == "true"
        if let rows = exchange.parameters["chunk_size"].flatMap({ Int($0) }), rows > 0 {
            request.format.chunkRows = rows
        }
        request.format.isCSV = ["application/csv", "text/csv"].contains(exchange.headers["Accept"] ?? "")
        let pieces = Mutex<[UInt8]>([])
        do throws(QueryError) {
            if let parameters = exchange.parameters["params"] {
                request.parameters = try BoundParameter.parse(parameters)
            }
            let statements = try service.parse(request)
            try await service.run(statements, request) { bytes throws(QueryError) in
                pieces.withLock { $0 += bytes }
            }
        } catch {
            return (400, String(decoding: InfluxQLService.failure(error.message, request.format), as: UTF8.self))
        }
        return (200, String(decoding: pieces.withLock { $0 }, as: UTF8.self))
    }
}

/// A clock that stands still.
struct FixedClock: Clock {
    func wallMilliseconds() -> Int64 { 1_763_750_000_000 }
    func monotonicNanoseconds() -> UInt64 { 1 }
    func threadNanoseconds() -> UInt64 { 1 }
}
