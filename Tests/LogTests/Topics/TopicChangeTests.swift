import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Testing

@testable import Log

@Suite struct TopicChangeTests {
    private func code(_ body: () throws -> Void) -> LogError.Code? {
        do { try body() } catch { return (error as? LogError)?.code }
        return nil
    }

    private func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return (error as? LogError)?.message ?? "" }
        return ""
    }

    // MARK: Configs

    @Test func aChangeAppliesToPartitionsThatAreInUse() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        let large = try batch([String(repeating: "x", count: 500)])
        try partition.append(large)
        try log.alterConfigs(of: "t", ["max.message.bytes": .set("100"), "segment.bytes": .set("200")])
        #expect(code { try partition.append(large) } == .messageTooLarge)
        let topic = try #require(log.topic(named: "t"))
        #expect(topic.partitions[0] === partition && log.topic(id: topic.id) === topic)
        #expect(topic.configuration == partition.configuration && topic.configuration.segmentBytes == 200)
        for number in 0..<4 { try partition.append(batch(["\(number)"])) }
        #expect(try site.names().filter { $0.hasSuffix(".log") }.count == 3, "one large segment, then two of two")
        try log.alterConfigs(of: "t", ["max.message.bytes": .reset])
        try partition.append(large)
        #expect(log.topic(named: "t")?.configs == ["segment.bytes": "200"])
    }

    @Test func everyConfigReachesThePartitions() throws {
        let changed = [
            "retention.ms": "1", "retention.bytes": "2", "millrace.retention.disk.percent": "9", "segment.bytes": "33",
            "segment.ms": "4", "millrace.view": "series", "millrace.delivery": "durable",
            "max.message.bytes": "5", "message.timestamp.type": "LogAppendTime",
            "message.timestamp.after.max.ms": "6", "flush.ms": "7", "index.interval.bytes": "8",
        ]
        #expect(Set(changed.keys) == Set(TopicConfigDefinition.all.filter { $0.effect == .served }.map(\.name)))
        let (log, partition) = try Site().openWithTopic()
        try log.alterConfigs(of: "t", changed.mapValues { .set($0) })
        for definition in TopicConfigDefinition.all where definition.effect == .served {
            #expect(partition.configuration.value(of: definition) == changed[definition.name])
        }
    }

    @Test func retentionGoesByTheNewConfig() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100", "retention.ms": "-1"])
        for number in 0..<5 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        site.simulation.advance(milliseconds: 10_000)
        log.enforceRetention()
        #expect(partition.logStartOffset == 0)
        try log.alterConfigs(of: "t", ["retention.ms": .set("1000")])
        log.enforceRetention()
        #expect(partition.logStartOffset == 5)
    }

    @Test func aPowerCutAfterTheAnswerLosesNoChange() throws {
        let site = Site()
        let (log, _) = try site.openWithTopic(LogSettings(), ["retention.ms": "5"])
        try log.alterConfigs(of: "t", ["segment.bytes": .set("99"), "retention.ms": .reset])
        site.simulation.cutPower()
        let (_, partition) = try site.openWithTopic()
        #expect(partition.configuration.segmentBytes == 99)
        #expect(partition.configuration.retentionMilliseconds == TopicConfiguration().retentionMilliseconds)
    }

    @Test func aWholeConfigurationReplacesWhatWas() throws {
        let (log, partition) = try Site().openWithTopic(LogSettings(), ["retention.ms": "5", "segment.bytes": "99"])
        try log.alterConfigs(of: "t", ["flush.ms": .set("1")], isWhole: true)
        #expect(log.topic(named: "t")?.configs == ["flush.ms": "1"])
        #expect(partition.configuration.segmentBytes == 1 << 30)
    }

    @Test(arguments: [
        ("no.such.config", ConfigChange.set("1"), "unknown config no.such.config"),
        ("no.such.config", .reset, "unknown config no.such.config"),
        ("retention.ms", .set("soon"), "retention.ms is a number"),
        ("retention.ms", .append("1"), "retention.ms is no list"),
        ("cleanup.policy", .append("compact"), "cleanup.policy can only be delete"),
        ("cleanup.policy", .subtract("delete"), "cleanup.policy can only be delete"),
    ])
    func aBadChangeIsRefusedByNameAndChangesNothing(name: String, change: ConfigChange, expected: String) throws {
        let (log, partition) = try Site().openWithTopic(LogSettings(), ["retention.ms": "5"])
        let refusal = { try log.alterConfigs(of: "t", ["segment.bytes": .set("99"), name: change]) }
        #expect(code(refusal) == .invalidConfig)
        #expect(message(refusal).hasPrefix(expected))
        #expect(log.topic(named: "t")?.configs == ["retention.ms": "5"])
        #expect(partition.configuration.segmentBytes == 1 << 30)
    }

    @Test func listsGrowAndShrink() throws {
        let name = "follower.replication.throttled.replicas"
        let (log, _) = try Site().openWithTopic()
        try log.alterConfigs(of: "t", [name: .append("0:1, 1:1"), "cleanup.policy": .append("delete")])
        #expect(log.topic(named: "t")?.configs == [name: "0:1,1:1", "cleanup.policy": "delete"])
        try log.alterConfigs(of: "t", [name: .append("2:1,0:1")])
        #expect(log.topic(named: "t")?.configs[name] == "0:1,1:1,2:1")
        try log.alterConfigs(of: "t", [name: .subtract("1:1,9:9")])
        #expect(log.topic(named: "t")?.configs[name] == "0:1,2:1")
    }

    @Test func validationAloneChangesNothing() throws {
        let site = Site()
        let (log, _) = try site.openWithTopic()
        let revision = try site.metadata.revision()
        try log.alterConfigs(of: "t", ["retention.ms": .set("5")], validateOnly: true)
        #expect(code { try log.alterConfigs(of: "t", ["x": .reset], validateOnly: true) } == .invalidConfig)
        try log.createPartitions(of: "t", total: 3, validateOnly: true)
        #expect(try site.metadata.revision() == revision)
        #expect(log.topic(named: "t")?.configs == [:] && log.topic(named: "t")?.partitions.count == 1)
    }

    @Test func descriptionsTellWhereAValueComesFrom() throws {
        var settings = LogSettings()
        settings.topicDefaults.segmentBytes = 1_000
        let (log, _) = try Site().openWithTopic(settings, ["retention.ms": "5", "preallocate": "true"])
        let topic = try #require(log.topic(named: "t"))
        let described = Dictionary(uniqueKeysWithValues: log.describeConfigs(of: topic).map { ($0.name, $0) })
        #expect(
            described["retention.ms"]?.settings == [
                .init(name: "retention.ms", value: "5", source: .topic),
                .init(name: "log.retention.ms", value: "604800000", source: .default),
            ])
        #expect(
            described["segment.bytes"]?.settings == [
                .init(name: "log.segment.bytes", value: "1000", source: .broker),
                .init(name: "log.segment.bytes", value: "1073741824", source: .default),
            ])
        #expect(described["preallocate"]?.source == .topic && described["segment.jitter.ms"] == nil)
        #expect(described["cleanup.policy"]?.isReadOnly == true && described["retention.ms"]?.isReadOnly == false)
        #expect(described["millrace.view"]?.settings == [.init(name: "millrace.view", value: "none", source: .default)])
    }

    // MARK: Partitions

    @Test func partitionsAreAddedAndStay() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        try partition.append(batch(["a"]))
        try log.createPartitions(of: "t", total: 3)
        let topic = try #require(log.topic(named: "t"))
        #expect(topic.partitions.map(\.index) == [0, 1, 2] && topic.partitions[0] === partition)
        #expect(try topic.partitions[2].append(batch(["b"])).baseOffset == 0)
        try log.alterConfigs(of: "t", ["max.message.bytes": .set("1")])
        #expect(code { try topic.partitions[2].append(batch(["c"])) } == .messageTooLarge)
        log.flushDirty()
        site.simulation.cutPower()
        let again = try #require(try site.open().topic(named: "t"))
        #expect(again.partitions.count == 3 && again.id == topic.id)
        #expect(try again.partitions[2].values() == ["b"])
    }

    @Test func theCountOnlyGrowsAndIsBounded() throws {
        var settings = LogSettings()
        settings.maximumPartitionsPerTopic = 5
        settings.maximumPartitions = 8
        let log = try Site().open(settings)
        _ = try log.createTopic("t", partitions: 2, configs: [:])
        _ = try log.createTopic("u", partitions: 4, configs: [:])
        for total in [2, 1, 0, -1, Int32.min] {
            #expect(code { try log.createPartitions(of: "t", total: total) } == .invalidPartitions)
        }
        #expect(code { try log.createPartitions(of: "t", total: 6) } == .limitReached)
        #expect(code { try log.createPartitions(of: "t", total: 5) } == .limitReached, "nine in total")
        try log.createPartitions(of: "t", total: 4)
        #expect(code { _ = try log.createTopic("v", partitions: 1, configs: [:]) } == .limitReached)
        #expect(code { try log.createPartitions(of: "w", total: 4) } == .unknownTopic)
        try log.deleteTopic(#require(log.topic(named: "t")?.id))
        _ = try log.createTopic("v", partitions: 4, configs: [:])
    }

    @Test func theServersOwnTopicsCannotBeChanged() throws {
        let log = try Site().open()
        let topic = try log.createTopic(TopicName.consumerOffsets, partitions: 1, configs: [:])
        #expect(code { try log.createPartitions(of: topic.name, total: 4) } == .invalidTopicName)
        #expect(code { try log.alterConfigs(of: topic.name, ["retention.ms": .set("1")]) } == .invalidTopicName)
        let result = log.deleteRecords([(topic.partitions[0], -1)])[0]
        #expect(code { _ = try result.get() } == .invalidTopicName)
    }

    // MARK: Space

    @Test func sizesAreToldWithoutOpeningAPartition() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100"])
        #expect(try partition.storedBytes() == 0)
        for number in 0..<3 { try partition.append(batch(["\(number)"])) }
        let size = Int64(try batch(["0"]).count * 3)
        #expect(try partition.storedBytes() == size)
        log.close()
        let (again, same) = try site.openWithTopic()
        #expect(try same.storedBytes() == size)
        #expect(again.openSegments == 0)
        // The directory is looked at once.
        site.simulation.inject(SimulatedFault(.device, at: [.list], .from(1)))
        #expect(try same.storedBytes() == size)
        site.simulation.clearFaults()
        #expect(same.sizeBytes == size, "and this opens it")
        #expect(again.openSegments > 0)
        site.simulation.setCapacity(bytes: 1 << 30)
        #expect(try again.volumeCapacity().totalBytes == 1 << 30)
    }
}
