import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Testing

@Suite struct TopicTests {
    private func code(_ body: () throws -> Void) -> LogError.Code? {
        do { try body() } catch { return (error as? LogError)?.code }
        return nil
    }

    @Test func topicsStayOverRestarts() throws {
        let site = Site()
        let log = try site.open()
        let topic = try log.createTopic(
            "a.b_c-D9", partitions: 3, configs: ["retention.ms": "5", "segment.bytes": "99"])
        #expect(topic.configuration.retentionMilliseconds == 5 && topic.configuration.segmentBytes == 99)
        log.close()
        let again = try site.open()
        let same = try #require(again.topic(named: "a.b_c-D9"))
        #expect(same.id == topic.id && again.topic(id: topic.id) === same && same.partitions.count == 3)
        #expect(same.configs == topic.configs && same.configuration == topic.configuration)
        #expect(same.partition(2) === same.partitions[2] && same.partition(3) == nil && same.partition(-1) == nil)
    }

    @Test func namesAreChecked() throws {
        let log = try Site().open()
        let bad = ["", ".", "..", "a/b", "../x", "ä", "a b", "a\0", String(repeating: "x", count: 250)]
        for name in bad {
            #expect(code { _ = try log.createTopic(name, partitions: 1, configs: [:]) } == .invalidTopicName)
        }
        _ = try log.createTopic(String(repeating: "x", count: 249), partitions: 1, configs: [:])
        _ = try log.createTopic("...", partitions: 1, configs: [:])
    }

    @Test func countsAreBounded() throws {
        var settings = LogSettings()
        settings.maximumPartitionsPerTopic = 5
        settings.maximumPartitions = 8
        let log = try Site().open(settings)
        for count in [0, -1, Int32.min] {
            #expect(code { _ = try log.createTopic("t", partitions: count, configs: [:]) } == .invalidPartitions)
        }
        for count in [6, 1_000_000_000, Int32.max] {
            #expect(code { _ = try log.createTopic("t", partitions: count, configs: [:]) } == .limitReached)
        }
        _ = try log.createTopic("t", partitions: 5, configs: [:])
        #expect(code { _ = try log.createTopic("u", partitions: 4, configs: [:]) } == .limitReached)
        _ = try log.createTopic("u", partitions: 3, configs: [:])
        #expect(code { _ = try log.createTopic("t", partitions: 1, configs: [:]) } == .topicExists)
        #expect(code { try log.validateTopic("v", partitions: 1, configs: [:]) } == .limitReached)
    }

    @Test func configsAreChecked() throws {
        let defaults = TopicConfiguration()
        let bad = [
            ("retention.ms", "-2"), ("retention.ms", "x"), ("retention.ms", ""), ("segment.bytes", "13"),
            ("segment.bytes", "2147483648"), ("cleanup.policy", "compact"), ("compression.type", "gzip"),
            ("min.insync.replicas", "2"), ("message.timestamp.type", "now"), ("retention.hours", "1"),
            ("remote.storage.enable", "true"),
        ]
        for (name, value) in bad {
            do throws(LogError) {
                _ = try defaults.applying([name: value])
                Issue.record("\(name)=\(value) was accepted")
            } catch {
                #expect(error.code == .invalidConfig && error.message.contains(name))
            }
        }
        for config in TopicConfigDefinition.all where config.effect == .none {
            #expect(try defaults.applying([config.name: "1"]) == defaults)
        }
        let set = try defaults.applying([
            "retention.ms": "-1", "retention.bytes": "7", "segment.bytes": "14", "segment.ms": "1",
            "max.message.bytes": "3", "message.timestamp.type": "LogAppendTime", "flush.ms": "0",
            "cleanup.policy": "delete", "compression.type": "producer", "min.insync.replicas": "1",
            "index.interval.bytes": "0", "message.timestamp.after.max.ms": "9223372036854775807",
        ])
        #expect(set.retentionMilliseconds == -1 && set.retentionBytes == 7 && set.logAppendTime)
        #expect(set.flushMilliseconds == 0 && set.indexIntervalBytes == 0)
    }

    @Test func aDeletedTopicIsGoneWithItsFiles() throws {
        let site = Site()
        let log = try site.open()
        let topic = try log.createTopic("t", partitions: 2, configs: [:])
        try topic.partitions[0].append(batch(["old"]))
        try log.deleteTopic(topic.id)
        #expect(log.topic(named: "t") == nil && log.topics().isEmpty)
        #expect(code { try log.deleteTopic(topic.id) } == .unknownTopic)
        #expect(try site.names("/data/log").isEmpty && site.names("/data/trash").isEmpty)
        let next = try log.createTopic("t", partitions: 1, configs: [:])
        #expect(next.id != topic.id)
        #expect(try next.partitions[0].append(batch(["new"])).baseOffset == 0)
        log.flushDirty()
        #expect(try next.partitions[0].values() == ["new"])
        #expect(try site.metadata.list(prefix: "deleted-topics/").isEmpty)
    }

    @Test func aDeletionThatDiedOnTheWayIsFinished() throws {
        for operation in 1..<12 {
            let site = Site()
            let log = try site.open()
            let topic = try log.createTopic("t", partitions: 1, configs: [:])
            try topic.partitions[0].append(batch(["old"]))
            log.flushDirty()
            site.simulation.stop(atOperation: operation)
            try? log.deleteTopic(topic.id)
            site.simulation.cutPower()
            let again = try site.open()
            #expect(again.topic(named: "t") == nil)
            #expect(try site.names("/data/log").isEmpty, "what a tombstone names is no orphan")
            let next = try again.createTopic("t", partitions: 1, configs: [:])
            try next.partitions[0].append(batch(["new"]))
            again.flushDirty()
            #expect(try next.partitions[0].allValues() == ["new"])
        }
    }

    @Test func anOrphanIsToldOfAndKept() throws {
        let site = Site()
        let files = site.simulation.machine.files
        let (log, partition) = try site.openWithTopic()
        try partition.append(batch(["a"]))
        log.flushDirty()
        site.simulation.crash()
        try site.simulation.machine.files.rename("/data/log/t", to: "/data/log/orphan")
        let again = try site.open()
        #expect(site.messages().contains { $0.contains("/data/log/orphan belongs to no topic") })
        _ = try again.createTopic("orphan", partitions: 1, configs: [:])
        #expect(try site.names("/data/orphans").count == 1)
        _ = files
    }

    @Test func producerIDsAreNeverGivenTwice() throws {
        let site = Site()
        var seen: Set<Int64> = []
        for round in 0..<5 {
            let log = try site.open()
            for _ in 0..<700 { #expect(seen.insert(try log.nextProducerID()).inserted) }
            if round % 2 == 0 { log.close() } else { site.simulation.crash() }
        }
    }

    @Test func oneProcessAtATime() throws {
        let site = Site()
        let log = try site.open()
        #expect(code { _ = try site.open() } == .locked)
        log.close()
        _ = try site.open()
    }

    @Test func aNewerFormatIsRefused() throws {
        let site = Site()
        try site.open().close()
        #expect(String(decoding: try site.contents("/data/format"), as: UTF8.self) == "millrace data format 1\n")
        try site.overwrite("/data/format", at: 21, with: Array("3".utf8))
        #expect(code { _ = try site.open() } == .formatTooNew)
        try site.overwrite("/data/format", at: 0, with: Array("x".utf8))
        #expect(code { _ = try site.open() } == .damaged)
    }
}
