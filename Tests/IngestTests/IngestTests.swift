import Instruments
import KafkaWire
import Log
import Machine
import MillraceTesting
import Storage
import Synchronization
import Testing
import View

@testable import Ingest

/// Writes through a real log and a real view, with their threads.
@Suite struct IngestTests {
    private struct Bench {
        let directory: TemporaryDirectory
        let log: CommitLog
        let views: Views
        let ingest: Ingest
        let engine = LineEngine()
        let instruments = InstrumentRegistry()

        init(_ settings: IngestSettings = IngestSettings(), views viewSettings: ViewSettings = ViewSettings()) throws {
            directory = try TemporaryDirectory("ingest")
            let machine = Machine.posix()
            log = try CommitLog.open(
                directory: directory.path, settings: LogSettings(), machine: machine,
                metadata: InMemoryMetadataStore())
            views = Views(
                log: log, machine: machine, settings: viewSettings, kinds: [.series: engine],
                report: { _, _, _ in })
            views.open()
            log.start()
            views.start()
            ingest = Ingest(
                log: log, views: views, settings: settings, clock: machine.clock, instruments: instruments)
        }

        func write(_ text: String, to database: String = "db", rp: String = "") async -> WriteOutcome {
            await ingest.write(
                WriteRequest(database: Array(database.utf8), retentionPolicy: Array(rp.utf8)), Array(text.utf8))
        }

        func close() {
            views.stop()
            log.close()
        }
    }

    @Test func linesAreInTheLogAndInTheViewWhenTheAnswerComes() async throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.ingest.createDatabase(Array("db".utf8))
        #expect(await bench.write("cpu v=1 1\ncpu v=2 2\n") == .written(points: 2))
        #expect(bench.engine.fed.withLock { $0 } == [.init(value: "cpu v=1 1\ncpu v=2 2\n", headers: [:])])
        #expect(await bench.write("") == .written(points: 0))
        #expect(await bench.write("cpu v=1") == .written(points: 1))
        #expect(bench.engine.fed.withLock { $0.last?.headers["time"]?.hasSuffix("000000") } == true)
        #expect(bench.instruments.render().contains("millrace_ingest_points_total 3"))
    }

    @Test func absentDatabasesAreTold() async throws {
        let bench = try Bench()
        defer { bench.close() }
        #expect(await bench.write("cpu v=1 1") == .databaseNotFound)
        _ = try bench.log.createTopic("plain", partitions: 1, configs: [:])
        #expect(await bench.write("cpu v=1 1", to: "plain") == .databaseNotFound)
        _ = try bench.log.createTopic("fed", partitions: 2, configs: ["millrace.view": "series"])
        #expect(await bench.write("cpu v=1 1", to: "fed") == .written(points: 1))
        #expect(bench.ingest.databases == [Array("fed".utf8)])
    }

    @Test func refusedLinesAndRefusedPointsAreToldTogether() async throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.ingest.createDatabase(Array("db".utf8))
        guard case .refused(let nothing) = await bench.write("bad") else { Issue.record("not refused"); return }
        #expect(nothing.text == "unable to parse 'bad': missing fields")
        guard case .refused(let some) = await bench.write("cpu v=1 1\nbad\nno v=1 1\nno v=2 2") else {
            Issue.record("not refused")
            return
        }
        #expect(some.written == 1 && some.unreadable == 1 && some.dropped == 2)
        #expect(some.text == "partial write: unable to parse 'bad': missing fields\nrefused by the view dropped=2")
        #expect(await bench.write("no v=1 1", rp: "nope") == .retentionPolicyNotFound("nope"))
    }

    @Test func withoutPartsABadLineRefusesAll() async throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.ingest.createDatabase(Array("db".utf8))
        let request = WriteRequest(database: Array("db".utf8), acceptsPartial: false)
        guard case .refused(let refusal) = await bench.ingest.write(request, Array("cpu v=1 1\nbad".utf8)) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.written == 0 && refusal.lines.map(\.number) == [2])
        #expect(bench.engine.fed.withLock { $0.isEmpty })
    }

    @Test func databasesAreBoundedAndGoWithTheirTopics() async throws {
        var settings = IngestSettings()
        settings.maximumDatabases = 2
        let bench = try Bench(settings)
        defer { bench.close() }
        for name in ["a b", "é", "é"] { try bench.ingest.createDatabase(Array(name.utf8)) }
        #expect(bench.ingest.databases == [Array("a b".utf8), Array("é".utf8)])
        #expect(bench.log.topic(named: "metrics.a.20b")?.configuration.maximumMessageBytes == 4 << 20)
        let full = #expect(throws: IngestError.self) { try bench.ingest.createDatabase([1]) }
        #expect(full?.code == .limitReached)
        let long = #expect(throws: IngestError.self) {
            try bench.ingest.createDatabase(Array(repeating: 97, count: 81))
        }
        #expect(long?.code == .invalidName)
        try bench.ingest.dropDatabase(Array("a b".utf8))
        try bench.ingest.dropDatabase(Array("a b".utf8))
        #expect(await bench.write("cpu v=1 1", to: "a b") == .databaseNotFound)
        #expect(await bench.write("cpu v=1 1", to: "é") == .written(points: 1))
    }

    @Test func reservationsEndWithTheirHolder() throws {
        var settings = IngestSettings()
        settings.bytesInFlight = 100
        let bench = try Bench(settings)
        defer { bench.close() }
        var first = bench.ingest.reserve(80, database: [1])
        #expect(first != nil && bench.ingest.reserve(30, database: [2]) == nil)
        first = nil
        #expect(bench.ingest.reserve(30, database: [2]) != nil)
        #expect(bench.instruments.render().contains("millrace_ingest_requests_total{outcome=\"busy\"} 1"))
    }
}

extension IngestTests {
    /// What is refused is told once: in the answer, or in `rejected.<topic>`.
    @Test func refusalsGoToWhoeverIsTold() async throws {
        var settings = IngestSettings()
        settings.timeoutMilliseconds = 50
        let bench = try Bench(settings)
        defer { bench.close() }
        try bench.ingest.createDatabase(Array("db".utf8))
        guard case .refused = await bench.write("no v=1 1") else { Issue.record("not refused"); return }
        #expect(bench.views.rejectionsWritten == 0)
        // Its time is over before the view goes on.
        try bench.views.pause("metrics.db")
        guard case .busy = await bench.write("no v=2 2") else { Issue.record("not busy"); return }
        try bench.views.resume("metrics.db")
        #expect(try await eventually { bench.views.rejectionsWritten == 1 })
        var request = WriteRequest(database: Array("db".utf8))
        request.isAnswered = false
        _ = await bench.ingest.write(request, Array("no v=3 3".utf8))
        #expect(try await eventually { bench.views.rejectionsWritten == 2 })
    }

    private func eventually(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<1_000 where !condition() { try await Task.sleep(nanoseconds: 10_000_000) }
        return condition()
    }
}
