import Instruments
import KafkaWire
import Log
import Machine
import MillraceTesting
import Synchronization
import Testing

@testable import View

@Suite struct ViewsTests {
    private func small() -> ViewSettings {
        var settings = ViewSettings()
        settings.cutBytes = 300
        settings.compactionMilliseconds = 10
        return settings
    }

    @Test func whatIsWrittenIsAppliedAndTheWriterTold() async throws {
        let site = try ViewsSite()
        defer { site.close() }
        let topic = try site.createTopic("metrics.a", partitions: 3)
        for partition in topic.partitions {
            let offsets = try site.append(["a", "bad", "b"], to: partition)
            let view = try site.views.view(of: topic.id, partition: partition.index)
            let outcome = try await view.waitUntilApplied(offsets, timeoutMilliseconds: 10_000)
            #expect(outcome.rejections.map(\.offset) == [1])
            #expect(site.kind.engine("metrics.a", partition.index)?.visible.map(\.value) == ["a", "b"])
        }
        #expect(try await site.views.wait(for: "metrics.a", partition: 1, offset: 2, timeoutMilliseconds: 100) == 3)
        await #expect(throws: ViewError.self) {
            try await site.views.wait(for: "metrics.a", partition: 1, offset: 3, timeoutMilliseconds: 20)
        }
        await #expect(throws: ViewError.self) {
            try await site.views.wait(for: "nobody", partition: 0, offset: 3, timeoutMilliseconds: 20)
        }
    }

    /// A turn allocates nothing to read to, and one large batch does not keep its memory.
    @Test func whatIsReadToIsKeptWithinABound() async throws {
        var settings = ViewSettings()
        settings.applyThreads = 1
        settings.readBytes = 4_096
        let site = try ViewsSite(settings)
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        let view = try site.views.view(of: topic.id, partition: 0)
        for length in [1_000, 1_500, 1_000] {
            let offsets = try site.append([String(repeating: "x", count: length)], to: topic.partitions[0])
            _ = try await view.waitUntilApplied(offsets, timeoutMilliseconds: 10_000)
        }
        let kept = site.views.workers[0].buffer.withLock { $0.capacity }
        #expect(kept > 1_500 && kept <= 4_096)
        let offsets = try site.append([String(repeating: "x", count: 10_000)], to: topic.partitions[0])
        _ = try await view.waitUntilApplied(offsets, timeoutMilliseconds: 10_000)
        #expect(try await site.eventually { site.views.workers[0].buffer.withLock { $0.capacity } == 0 })
    }

    @Test func aCommandReachesEveryPartition() async throws {
        let site = try ViewsSite()
        defer { site.close() }
        let topic = try site.createTopic("metrics.a", partitions: 3)
        for partition in topic.partitions { try site.append(["a", "b"], to: partition) }
        let outcome = try await site.views.apply(
            command: Array("a".utf8), to: topic, timeoutMilliseconds: 10_000)
        #expect(outcome == AppliedOutcome(rejections: [], isWhole: true))
        for index in 0..<3 as Range<Int32> {
            #expect(site.kind.engine("metrics.a", index)?.visible.map(\.value) == ["b"])
        }
    }

    @Test func viewsComeAndGoWithTopics() async throws {
        let site = try ViewsSite(small())
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        let place = ViewDirectory.topic(data: site.directory.path, topic.id)
        #expect(try site.machine.files.information(at: place) != nil)
        try site.log.createPartitions(of: "metrics.a", total: 2)
        _ = try site.views.view(named: "metrics.a", partition: 1)
        try site.log.deleteTopic(topic.id)
        #expect(throws: ViewError.self) { try site.views.view(of: topic.id, partition: 0) }
        #expect(site.kind.engine("metrics.a") == nil)
        #expect(try site.machine.files.information(at: place) == nil)

        let plain = try site.log.createTopic("plain", partitions: 1, configs: [:])
        try site.append((0..<50).map(String.init), to: plain.partitions[0])
        try site.log.alterConfigs(of: "plain", ["millrace.view": .set("series")])
        _ = try await site.views.wait(for: "plain", partition: 0, offset: 49, timeoutMilliseconds: 10_000)
        #expect(site.kind.engine("plain")?.visible.count == 50)
        try site.log.alterConfigs(of: "plain", ["millrace.view": .reset])
        #expect(site.views.status().isEmpty)
        // Its blocks stay: set again, it goes on.
        try site.log.alterConfigs(of: "plain", ["millrace.view": .set("series")])
        _ = try await site.views.wait(for: "plain", partition: 0, offset: 49, timeoutMilliseconds: 10_000)
        #expect(site.kind.engine("plain")?.visible.count == 50)
    }

    @Test func whatDeletedTopicsLeftIsRemovedByAStart() throws {
        let site = try ViewsSite()
        defer { site.close() }
        let stray = ViewDirectory.topic(data: site.directory.path, Uuid(high: 1, low: 2))
        try site.machine.files.createDirectory(stray + "/0/blocks")
        try site.restart()
        #expect(try site.machine.files.information(at: stray) == nil)
        #expect(site.told.all.contains { $0.contains("belongs to no topic") })
    }

    @Test func unawaitedRejectionsGoToATopic() async throws {
        let site = try ViewsSite()
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        let view = try site.views.view(of: topic.id, partition: 0)
        try site.append(["a", "bad"], to: topic.partitions[0])
        try ViewsSite.append(["bad"], to: topic.partitions[0]) { view.expect($0) }
        // Headers are the producer's own: none hides what was refused.
        try site.append(["bad"], to: topic.partitions[0], headers: [RecordHeader(key: "millrace", value: [])])
        let found = try await site.eventually {
            site.log.topic(named: "rejected.metrics.a")?.partitions[0].highWatermark == 2
        }
        #expect(found)
        let partition = try #require(site.log.topic(named: "rejected.metrics.a")?.partitions[0])
        var buffer = ReadBuffer()
        try buffer.fill(from: partition.read(from: 0, maximumBytes: 10_000, atLeastOneBatch: true))
        var batches = RecordBatches(buffer.bytes)
        var headers: [[String: String]] = []
        while let batch = try batches.next() {
            var records = try RecordIterator(batch, decompressionLimit: 1 << 20)
            while let record = try records.next() {
                let pairs = record.headers.map { ($0.key, String(decoding: $0.value ?? [], as: UTF8.self)) }
                headers.append(Dictionary(uniqueKeysWithValues: pairs))
            }
        }
        #expect(
            headers.first == [
                "reason": "refused", "topic": "metrics.a", "partition": "0", "offset": "1", "position": "0",
                "count": "1",
            ])
        #expect(headers.last?["offset"] == "3")
        #expect(site.views.rejectionsWritten == 2)
        #expect(view.awaited.withLock { $0.ranges.isEmpty })
    }

    /// Whoever was to be told is gone with the process.
    @Test func aRestartSendsWhatNobodyIsToldToTheTopic() async throws {
        let site = try ViewsSite()
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        try site.views.pause("metrics.a")
        let view = try site.views.view(of: topic.id, partition: 0)
        try ViewsSite.append(["bad"], to: topic.partitions[0]) { view.expect($0) }
        try site.restart()
        #expect(try await site.eventually { site.views.rejectionsWritten == 1 })
    }

    @Test func whoGivesUpWaitingFindsItInTheTopic() async throws {
        let site = try ViewsSite()
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        try site.views.pause("metrics.a")
        let view = try site.views.view(of: topic.id, partition: 0)
        let given = try ViewsSite.append(["bad"], to: topic.partitions[0]) { view.expect($0) }
        let kept = try ViewsSite.append(["bad"], to: topic.partitions[0]) { view.expect($0) }
        view.abandon(given)
        try site.views.resume("metrics.a")
        _ = try await view.waitUntilApplied(kept, timeoutMilliseconds: 10_000)
        #expect(try await site.eventually { site.views.rejectionsWritten == 1 })
    }

    @Test func rejectionsBeyondTheRateAreCounted() async throws {
        var settings = ViewSettings()
        settings.rejectedPerSecond = 5
        let site = try ViewsSite(settings)
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        let offsets = try site.append([String](repeating: "bad", count: 100), to: topic.partitions[0])
        let view = try site.views.view(of: topic.id, partition: 0)
        let outcome = try await view.waitUntilApplied(offsets, timeoutMilliseconds: 10_000)
        #expect(outcome.rejections.count == 100)
        #expect(try await site.eventually { site.views.rejectionsWritten + site.views.rejectionsDropped == 100 })
        #expect(site.views.rejectionsWritten == 5)
    }

    @Test func aPausedViewLetsNobodyWait() async throws {
        let site = try ViewsSite()
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        try site.views.pause("metrics.a")
        #expect(site.views.status().map(\.state) == [.paused])
        let offsets = try site.append(["a"], to: topic.partitions[0])
        let view = try site.views.view(of: topic.id, partition: 0)
        await #expect(throws: ViewError.self) {
            try await view.waitUntilApplied(offsets, timeoutMilliseconds: 10_000)
        }
        try site.views.resume("metrics.a")
        _ = try await view.waitUntilApplied(offsets, timeoutMilliseconds: 10_000)
        #expect(throws: ViewError.self) { try site.views.pause("nobody") }
    }

    @Test func theFiguresAreRendered() async throws {
        let site = try ViewsSite(small())
        defer { site.close() }
        let topic = try site.createTopic("metrics.a")
        let offsets = try site.append((0..<60).map { "value \($0)" } + ["bad"], to: topic.partitions[0])
        let view = try site.views.view(of: topic.id, partition: 0)
        _ = try await view.waitUntilApplied(offsets, timeoutMilliseconds: 10_000)
        #expect(try await site.eventually { view.covered == 61 })
        let registry = InstrumentRegistry()
        site.views.register(in: registry)
        let text = registry.render()
        for line in [
            "millrace_view_lag_records{topic=\"metrics.a\"} 0", "millrace_view_records_total{topic=\"metrics.a\"} 61",
            "millrace_view_rejected_total{topic=\"metrics.a\"} 1", "millrace_view_commits_total{topic=\"metrics.a\"} 1",
            "millrace_view_partitions{state=\"running\"} 1",
        ] {
            #expect(text.contains(line), "\(line) is not in \(text)")
        }
    }
}
