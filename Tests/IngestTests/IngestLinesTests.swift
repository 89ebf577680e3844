import Decode
import Instruments
import KafkaWire
import Log
import Machine
import MillraceTesting
import Search
import Storage
import Synchronization
import Telemetry
import Testing
import View

@testable import Ingest

/// Pushes through a real log and a real view, with their threads.
@Suite struct IngestLinesTests {
    private struct Bench {
        let directory: TemporaryDirectory
        let log: CommitLog
        let views: Views
        let ingest: Ingest
        let engine = LineEngine()
        let instruments = InstrumentRegistry()

        init(_ settings: IngestSettings = IngestSettings()) throws {
            directory = try TemporaryDirectory("ingest-lines")
            let machine = Machine.posix()
            log = try CommitLog.open(
                directory: directory.path, settings: LogSettings(), machine: machine,
                metadata: InMemoryMetadataStore())
            views = Views(
                log: log, machine: machine, settings: ViewSettings(), kinds: [.search: engine],
                report: { _, _, _ in })
            views.open()
            log.start()
            views.start()
            ingest = Ingest(
                log: log, views: views, settings: settings, clock: machine.clock, instruments: instruments)
        }

        func push(_ labels: String, _ lines: [String], tenant: String = "fake") async throws -> PushOutcome {
            try await ingest.push(
                makePush([(labels, lines.map { (1_000_000, $0, [:]) })]), tenant: tenant)
        }

        func close() {
            views.stop()
            log.close()
        }
    }

    @Test func aTenantsLinesAreInItsTopicAndInItsView() async throws {
        let bench = try Bench()
        defer { bench.close() }
        #expect(try await bench.push("{a=\"b\"}", ["one", "two"]) == .written(lines: 2))
        #expect(bench.engine.fed.withLock { $0.map(\.value) } == ["one", "two"])
        #expect(try await bench.push("{a=\"b\"}", ["three"], tenant: "o'neil.x") == .written(lines: 1))
        #expect(bench.log.topics().map(\.name) == ["logs.fake", "logs.o.27neil.2ex"])
        #expect(bench.log.topic(named: "logs.fake")?.configuration.view == .search)
        #expect(bench.log.topic(named: "logs.fake")?.partitions[0].highWatermark == 2)
        #expect(try await bench.push("{a=\"b\"}", []) == .written(lines: 0))
        let text = bench.instruments.render()
        #expect(text.contains("millrace_ingest_log_lines_total 3"))
        #expect(text.contains("millrace_ingest_log_pushes_total{outcome=\"written\"} 3"))
    }

    @Test func goodLinesStandBesideRefusedOnes() async throws {
        var settings = IngestSettings()
        settings.searchLimits.lineBytes = 6
        let bench = try Bench(settings)
        defer { bench.close() }
        guard case .refused(let refusal) = try await bench.push("{a=\"b\"}", ["good", "too long", "no v=1"]) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.written == 1 && refusal.refused == 2 && !refusal.isLimit)
        #expect(refusal.text.contains("Max entry size '6' bytes") && refusal.text.contains("refused by the view"))
        guard case .refused(let nothing) = try await bench.push("{}", ["good"]) else {
            Issue.record("not refused")
            return
        }
        #expect(nothing.written == 0)
        #expect(bench.log.topic(named: "logs.fake")?.partitions[0].highWatermark == 2)
    }

    @Test(arguments: ["", ".", "..", "a b", "a|b", "é", String(repeating: "a", count: 151), "a/b"])
    func namesThatAreNoneAreRefused(_ tenant: String) async throws {
        let bench = try Bench()
        defer { bench.close() }
        guard case .tenantRefused = try await bench.push("{a=\"b\"}", ["x"], tenant: tenant) else {
            Issue.record("not refused")
            return
        }
        #expect(bench.log.topics().isEmpty)
    }

    @Test func tenantsAreBounded() async throws {
        var settings = IngestSettings()
        settings.maximumTenants = 2
        let bench = try Bench(settings)
        defer { bench.close() }
        for tenant in ["a", "b", "a"] {
            #expect(try await bench.push("{a=\"b\"}", ["x"], tenant: tenant) == .written(lines: 1))
        }
        guard case .tenantRefused(let text) = try await bench.push("{a=\"b\"}", ["x"], tenant: "c") else {
            Issue.record("not refused")
            return
        }
        #expect(text.contains("2 tenants"))
        // A name that fits into the header, but not into a topic.
        let escaped = String(repeating: "!", count: 100)
        guard case .tenantRefused = try await bench.push("{a=\"b\"}", ["x"], tenant: escaped) else {
            Issue.record("not refused")
            return
        }
    }

    @Test func anyTopicWithTheViewIsATenant() async throws {
        let bench = try Bench()
        defer { bench.close() }
        _ = try bench.log.createTopic("app", partitions: 4, configs: ["millrace.view": "search"])
        let streams = (0..<40).map { ("{a=\"\($0)\"}", [(Int64($0), "line \($0)", [String: String]())]) }
        #expect(await bench.ingest.push(try makePush(streams), tenant: "app") == .written(lines: 40))
        let ends = bench.log.topic(named: "app")?.partitions.map(\.logEndOffset) ?? []
        #expect(ends.reduce(0, +) == 40 && ends.allSatisfy { $0 > 0 })
        #expect(await bench.ingest.push(try makePush(streams), tenant: "app") == .written(lines: 40))
        let twice = bench.log.topic(named: "app")?.partitions.map(\.logEndOffset) ?? []
        #expect(twice == ends.map { $0 * 2 }, "a stream's lines go to one partition")
        _ = try bench.log.createTopic("logs.plain", partitions: 1, configs: [:])
        guard case .tenantRefused = try await bench.push("{a=\"b\"}", ["x"], tenant: "plain") else {
            Issue.record("not refused")
            return
        }
    }

    /// An answer does not depend on the view; that of a durable stream depends on the sync.
    @Test func aPausedViewHoldsNoAnswerUp() async throws {
        var settings = IngestSettings()
        settings.visibleMilliseconds = 20
        let bench = try Bench(settings)
        defer { bench.close() }
        #expect(try await bench.push("{a=\"b\"}", ["one"]) == .written(lines: 1))
        try bench.views.pause("logs.fake")
        #expect(try await bench.push("{a=\"b\"}", ["two"]) == .written(lines: 1))
        #expect(try await bench.push("{a=\"b\",class=\"audit\"}", ["three"]) == .written(lines: 1))
        #expect(bench.log.topic(named: "logs.fake")?.partitions[0].highWatermark == 3)
        try bench.views.resume("logs.fake")
    }
}
