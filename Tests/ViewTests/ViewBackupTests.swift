import Log
import Machine
import MillraceTesting
import Storage
import Testing

@testable import View

@Suite struct ViewBackupTests {
    private func small() -> ViewSettings {
        var settings = ViewSettings()
        settings.cutBytes = 300
        settings.compactionMilliseconds = 5
        return settings
    }

    private func backUp(_ site: ViewsSite, to place: String, previous: String? = nil) throws -> BackupReport {
        var settings = BackupSettings()
        settings.previous = previous
        let metadata = site.metadata
        var backup = try Backup(of: site.directory.path, to: place, settings: settings, machine: site.machine) {
            () throws(StorageError) in try metadata.list(prefix: "")
        }
        while try backup.step() {}
        return backup.report
    }

    /// What a server shows that is started from a backup.
    private func restored(_ place: String, to directory: String, _ topic: String) async throws -> [String] {
        let machine = Machine.posix()
        let metadata = InMemoryMetadataStore()
        var restore = try Restore(from: place, to: directory, machine: machine) { () throws(StorageError) in
            OpenStore(metadata)
        }
        while try restore.step() {}
        let log = try CommitLog.open(
            directory: directory, settings: LogSettings(), machine: machine, metadata: metadata)
        let kind = RecordKind()
        let views = Views(
            log: log, machine: machine, settings: small(), kinds: [.series: kind], report: { _, _, _ in })
        views.open()
        log.start()
        views.start()
        defer {
            views.stop()
            log.close()
        }
        #expect(views.status().map(\.state) == [.running])
        let partition = try #require(log.topic(named: topic)?.partitions[0])
        guard partition.logEndOffset > 0 else { return [] }
        _ = try await views.wait(
            for: topic, partition: 0, offset: partition.logEndOffset - 1, timeoutMilliseconds: 10_000)
        return kind.engine(topic)?.visible.map(\.value) ?? []
    }

    @Test func aBackupHasTheViewWithItsLog() async throws {
        let site = try ViewsSite(small())
        defer { site.close() }
        let topic = try site.createTopic("metrics.a", ["retention.ms": "1", "segment.bytes": "400"])
        for round in 0..<40 { try site.append(["v\(round)", "gone"], to: topic.partitions[0]) }
        _ = try await site.views.apply(command: Array("gone".utf8), to: topic, timeoutMilliseconds: 10_000)
        let view = try site.views.view(of: topic.id, partition: 0)
        #expect(try await site.eventually { view.covered > 40 })
        site.log.enforceRetention()
        #expect(topic.partitions[0].logStartOffset > 0)
        let place = site.directory.path + "-backup"
        defer { for name in ["", "2", "-a", "-b"] { try? site.machine.files.remove(place + name) } }
        let report = try backUp(site, to: place)
        #expect(report.findings.isEmpty)
        #expect(report.linkedBytes > 0)
        try site.append(["later"], to: topic.partitions[0])
        let expected = (0..<40).map { "v\($0)" }
        #expect(try await restored(place, to: place + "-a", "metrics.a") == expected)
        _ = try await site.views.wait(for: "metrics.a", partition: 0, offset: 81, timeoutMilliseconds: 10_000)
        _ = try backUp(site, to: place + "2", previous: place)
        #expect(try await restored(place + "2", to: place + "-b", "metrics.a") == expected + ["later"])
    }

    /// Blocks are cut, merged and removed, and views rebuilt, while they are taken.
    @Test func aBackupOfABusyViewIsWhole() async throws {
        let site = try ViewsSite(small())
        defer { site.close() }
        let topic = try site.createTopic("metrics.a", ["retention.ms": "1", "segment.bytes": "400"])
        let (log, views, partition) = (site.log, site.views, topic.partitions[0])
        let writing = Task {
            for round in 0..<1_500 {
                try ViewsSite.append(["v\(round)"], to: partition)
                if round % 10 == 0 { try await Task.sleep(nanoseconds: 1_000_000) }
                if round % 200 == 0 { log.enforceRetention() }
                if round == 500 { try? views.rebuild("metrics.a") }
            }
        }
        for number in 0..<5 {
            let place = "\(site.directory.path)-busy\(number)"
            defer {
                try? site.machine.files.remove(place)
                try? site.machine.files.remove(place + "-restored")
            }
            let promised = topic.partitions[0].highWatermark
            _ = try backUp(site, to: place)
            let found = try await restored(place, to: place + "-restored", "metrics.a")
            #expect(found == (0..<found.count).map { "v\($0)" })
            #expect(found.count >= promised)
        }
        try await writing.value
    }
}
