import Bytes
import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Synchronization
import Testing

@testable import View

@Suite struct RebuildTests {
    private func small() -> ViewSettings {
        var settings = ViewSettings()
        settings.cutBytes = 300
        settings.compactionMilliseconds = 10
        return settings
    }

    @Test func aRebuiltViewTakesOver() async throws {
        let site = try ViewsSite(small())
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        for round in 0..<30 { try site.append(["v\(round)", "gone"], to: topic.partitions[0]) }
        _ = try await site.views.apply(command: Array("gone".utf8), to: topic, timeoutMilliseconds: 10_000)
        let before = site.kind.engine("metrics.a")
        let values = before?.visible.map(\.value)
        #expect(values?.count == 30)
        try site.views.rebuild("metrics.a")
        #expect(try await site.eventually { site.kind.engine("metrics.a") !== before })
        #expect(site.kind.engine("metrics.a")?.visible.map(\.value) == values)
        // It goes on, over a restart, too.
        try site.append(["new"], to: topic.partitions[0])
        _ = try await site.views.wait(for: "metrics.a", partition: 0, offset: 61, timeoutMilliseconds: 10_000)
        try site.restart()
        _ = try await site.views.wait(for: "metrics.a", partition: 0, offset: 61, timeoutMilliseconds: 10_000)
        #expect(site.kind.engine("metrics.a")?.visible.map(\.value) == (values ?? []) + ["new"])
        let folder = ViewDirectory.topic(data: site.directory.path, topic.id)
        #expect(try site.machine.files.contents(ofDirectory: folder) == ["0.1"])
        try site.views.rebuild("metrics.a")
        #expect(try await site.eventually { site.views.status().first?.rebuiltUpTo == nil })
        #expect(try site.machine.files.contents(ofDirectory: folder) == ["0.2"])
    }

    @Test func writersThatWaitAreToldByTheNewView() async throws {
        let site = try ViewsSite(small())
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        try site.append(["a"], to: topic.partitions[0])
        _ = try await site.views.wait(for: "metrics.a", partition: 0, offset: 0, timeoutMilliseconds: 10_000)
        let told = Told()
        let view = try site.views.view(of: topic.id, partition: 0)
        view.notifyWhenApplied(1..<2, timeoutMilliseconds: 20_000) { told.note($0) }
        try site.views.rebuild("metrics.a")
        #expect(try await site.eventually { site.views.status().first?.rebuiltUpTo == nil })
        try site.append(["bad"], to: topic.partitions[0])
        #expect(try await site.eventually { !told.outcomes.isEmpty })
        #expect(told.outcomes.first??.rejections.count == 1)
    }

    /// By hand, on a simulated machine, so that it can end anywhere.
    private struct Bench {
        let simulated: SimulatedMachine
        let metadata = InMemoryMetadataStore()
        let kind = RecordKind()
        var log: CommitLog
        var views: Views

        init(seed: UInt64, _ settings: ViewSettings) throws {
            simulated = SimulatedMachine(seed: seed)
            (log, views) = try Self.open(simulated, metadata, kind, settings)
        }

        static func open(
            _ simulated: SimulatedMachine, _ metadata: InMemoryMetadataStore, _ kind: RecordKind,
            _ settings: ViewSettings
        ) throws -> (CommitLog, Views) {
            let log = try CommitLog.open(
                directory: "/data", settings: LogSettings(), machine: simulated.machine,
                metadata: SimulatedMetadataStore(metadata, on: simulated))
            let views = Views(
                log: log, machine: simulated.machine, settings: settings, kinds: [.series: kind], report: { _, _, _ in }
            )
            views.open()
            return (log, views)
        }

        func settle() {
            var buffer = ReadBuffer()
            for _ in 0..<40 {
                let entries = views.table.withLock { $0.values.flatMap { $0.partitions.values } }
                for case .open(let open) in entries {
                    for view in [open.view, open.rebuilt?.view].compactMap({ $0 }) {
                        _ = view.stepApplying(&buffer)
                        _ = view.stepBackground()
                    }
                }
            }
        }

        func append(_ values: [String]) throws {
            guard let partition = log.topic(named: "v")?.partitions[0] else { return }
            var builder = RecordBatchBuilder()
            for value in values { builder.append(key: nil, value: Array(value.utf8), timestamp: 1) }
            var writer = ByteWriter()
            try builder.finish(into: &writer)
            _ = try writer.withUnsafeMutableBytes { bytes throws(LogError) in
                try partition.append(bytes, durability: .now)
            }
        }

        var values: [String] { kind.engine("v")?.visible.map(\.value) ?? [] }
    }

    /// A log whose beginning is gone, so that a rebuilt view needs the blocks of the old one.
    private func begin(_ seed: UInt64, _ settings: ViewSettings) throws -> Bench {
        let bench = try Bench(seed: seed, settings)
        _ = try bench.log.createTopic(
            "v", partitions: 1, configs: ["millrace.view": "series", "retention.ms": "1", "segment.bytes": "300"])
        for round in 0..<20 {
            try bench.append(["\(round)", "gone"])
            if round == 9 {
                _ = try bench.log.topic(named: "v")?.partitions[0].appendControl(
                    key: ControlRecord.key, value: Array("gone".utf8), durability: .now)
            }
            bench.log.flushDirty()
            bench.settle()
        }
        bench.simulated.advance(milliseconds: 10_000)
        bench.log.enforceRetention()
        return bench
    }

    @Test func whatTheLogNoLongerHasComesFromTheBlocks() throws {
        let bench = try begin(1, small())
        let partition = try #require(bench.log.topic(named: "v")?.partitions[0])
        #expect(partition.logStartOffset > 0)
        let values = bench.values
        #expect(values.count == 30)
        try bench.views.rebuild("v")
        let start = partition.logStartOffset
        // Retention leaves what the rebuilt view still needs.
        bench.simulated.advance(milliseconds: 10_000)
        bench.log.enforceRetention()
        #expect(partition.logStartOffset == start)
        bench.settle()
        bench.views.finishRebuilds()
        #expect(bench.views.status().first?.rebuiltUpTo == nil)
        bench.settle()
        #expect(Set(bench.values) == Set(values))
        #expect(bench.values.filter { $0 == "0" }.count == 1 && bench.values.filter { $0 == "gone" }.count == 10)
    }

    @Test func aRebuildThatEndsAnywhereLeavesOneViewWhole() throws {
        let settings = small()
        let calm = try begin(1, settings)
        let expected = calm.values.sorted()
        let before = calm.simulated.calls
        try calm.views.rebuild("v")
        calm.settle()
        calm.views.finishRebuilds()
        calm.settle()
        for number in 1...(calm.simulated.calls - before) {
            var bench = try begin(UInt64(number), settings)
            bench.simulated.stop(atOperation: number)
            try? bench.views.rebuild("v")
            bench.settle()
            bench.views.finishRebuilds()
            bench.settle()
            bench.simulated.clearFaults()
            bench.views.stop()
            if number % 2 == 0 { bench.simulated.cutPower() } else { bench.simulated.crash() }
            (bench.log, bench.views) = try Bench.open(bench.simulated, bench.metadata, bench.kind, settings)
            bench.settle()
            #expect(bench.values.sorted() == expected, "operation \(number)")
            #expect(bench.views.status().map(\.state) == [.running], "operation \(number)")
        }
    }
}
