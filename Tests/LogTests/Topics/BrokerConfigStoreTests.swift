import MillraceTesting
import SimulatedMachine
import Storage
import Testing

@testable import Log

@Suite struct BrokerConfigStoreTests {
    /// docs/formats/metadata.md. A version that writes other bytes breaks what is stored.
    private static let golden: [UInt8] =
        [0, 1, 3] + [2, 97, 3, 49, 48] + [15] + Array("num.partitions".utf8) + [2, 51]
    private static let configs = ["num.partitions": "3", "a": "10"]

    @Test func theBytesAreAsDocumented() throws {
        #expect(BrokerConfigStore.encode(Self.configs) == Self.golden)
        #expect(try BrokerConfigStore.decode(Self.golden) == Self.configs)
    }

    @Test func damagedBytesAreRefused() {
        for count in 0..<Self.golden.count {
            #expect(throws: (any Error).self) { try BrokerConfigStore.decode(Array(Self.golden.prefix(count))) }
        }
        #expect(throws: (any Error).self) { try BrokerConfigStore.decode([0, 2] + Self.golden.dropFirst(2)) }
        let metadata = InMemoryMetadataStore()
        #expect(throws: Never.self) {
            try metadata.commit([.put(key: "broker-configs/1", value: [0, 9], expected: nil)])
        }
        let store = BrokerConfigStore(metadata: metadata, nodeID: 1)
        #expect(throws: LogError.self) { try store.load(.thisBroker) }
    }

    @Test func eachScopeHasItsKeyAndNothingIsNoKey() throws {
        let metadata = InMemoryMetadataStore()
        let store = BrokerConfigStore(metadata: metadata, nodeID: 7)
        for scope in BrokerConfigStore.Scope.allCases { #expect(try store.load(scope) == [:]) }
        try store.store(["a": "1"], .everyBroker)
        try store.store(["a": "2"], .thisBroker)
        try store.store(["b": "3"], .thisBroker)
        #expect(try store.load(.everyBroker) == ["a": "1"] && store.load(.thisBroker) == ["b": "3"])
        #expect(try BrokerConfigStore(metadata: metadata, nodeID: 8).load(.thisBroker) == [:])
        #expect(try metadata.list(prefix: "").map(\.key) == ["broker-configs/7", "broker-configs/default"])
        try store.store([:], .thisBroker)
        try store.store([:], .thisBroker)
        try store.store([:], .everyBroker)
        #expect(try metadata.list(prefix: "").isEmpty)
    }
}

/// Settings that change while the log is open.
@Suite struct SettingsChangeTests {
    @Test func topicDefaultsReachTopicsThatSetNoneThemselves() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["flush.ms": "9"])
        var settings = log.settings
        settings.topicDefaults.maximumMessageBytes = 100
        settings.topicDefaults.flushMilliseconds = 3
        settings.topicDefaultPlaces["max.message.bytes"] = [
            .init(name: "message.max.bytes", value: "100", source: .everyBroker)
        ]
        try log.change(settings)
        #expect(throws: LogError.self) { try partition.append(batch([String(repeating: "x", count: 500)])) }
        #expect(partition.configuration.maximumMessageBytes == 100 && partition.configuration.flushMilliseconds == 9)
        let topic = try #require(log.topic(named: "t"))
        #expect(topic.configuration == partition.configuration && topic.configs == ["flush.ms": "9"])
        let described = log.describeConfigs(of: topic).first { $0.name == "max.message.bytes" }
        #expect(described?.settings.map(\.source) == [.everyBroker, .default])
        #expect(try log.createTopic("new", partitions: 1, configs: [:]).configuration.maximumMessageBytes == 100)
        try log.alterConfigs(of: "t", ["flush.ms": .reset])
        #expect(partition.configuration.flushMilliseconds == 3)
        try log.change(LogSettings())
        #expect(partition.configuration == TopicConfiguration())
    }

    @Test func retentionGoesByAChangedDefault() throws {
        let site = Site()
        var settings = LogSettings()
        settings.topicDefaults.segmentBytes = 100
        let (log, partition) = try site.openWithTopic(settings)
        for number in 0..<5 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        site.simulation.advance(milliseconds: 10_000)
        log.enforceRetention()
        #expect(partition.logStartOffset == 0)
        settings.topicDefaults.retentionMilliseconds = 1_000
        try log.change(settings)
        log.enforceRetention()
        #expect(partition.logStartOffset > 0)
    }

    @Test func theReserveChangesAtOnce() throws {
        let (log, partition) = try Site().openWithTopic()
        var settings = log.settings
        settings.diskReserveBytes = .max
        try log.change(settings)
        #expect(log.isDiskShort && log.diskReserveBytes == .max)
        #expect(throws: LogError.self) { try partition.append(batch(["x"])) }
        settings.diskReserveBytes = 0
        try log.change(settings)
        #expect(!log.isDiskShort)
        try partition.append(batch(["x"]))
    }

    @Test func settingsOutOfRangeChangeNothing() throws {
        let (log, _) = try Site().openWithTopic()
        var settings = log.settings
        settings.topicDefaults.flushMilliseconds = 3
        settings.retentionIntervalMilliseconds = 0
        #expect(throws: LogError.self) { try log.change(settings) }
        #expect(log.settings.topicDefaults.flushMilliseconds == 25)
    }
}
