import Groups
import Log
import Logging
import ServeKafka
import Storage
import Synchronization
import Testing

@testable import millrace

/// The settings as configs of the broker, and changes of them while it runs.
@Suite struct BrokerConfigTests {
    private let facts = BrokerConfigTable.Facts(nodeID: 1, directory: "/data", diskReserveBytes: 77)
    private let metadata = InMemoryMetadataStore()

    private func running(_ started: [Configuration.Given] = []) throws -> RunningConfiguration {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try RunningConfiguration(Configuration(started), metadata, logger)
    }

    private func flag(_ name: String, _ value: String) -> Configuration.Given {
        Configuration.Given(name: name, text: value, origin: .flag("--" + name))
    }

    private func set(
        _ running: RunningConfiguration, _ scope: BrokerConfigStore.Scope, _ name: String, _ value: String
    ) throws {
        try running.alter(scope, [name: .set(value)], isWhole: false, validateOnly: false)
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? LogError).map { "\($0.code): \($0.message)" } }
        return nil
    }

    @Test func everySettingWithABrokerConfigIsDescribedOnce() {
        let described = BrokerConfigTable.describe(Configuration([]), facts)
        #expect(described.map(\.name) == Set(described.map(\.name)).sorted())
        for setting in SettingTable.all {
            guard let broker = setting.broker else { continue }
            let found = described.first { $0.name == broker.name }
            #expect(found?.isReadOnly == !broker.isDynamic && found?.source == .default, "\(broker.name)")
        }
        let values = Dictionary(uniqueKeysWithValues: described.map { ($0.name, $0.value) })
        #expect(values["connections.max.idle.ms"] == "600000" && values["millrace.disk.reserve.bytes"] == "77")
        #expect(values["log.dirs"] == "/data" && values["broker.id"] == "1" && values["compression.type"] == "producer")
    }

    @Test func kindsHoldTheirValues() {
        for config in BrokerConfigTable.describe(Configuration([]), facts) {
            guard config.kind == .int else { continue }
            #expect(Int32(config.value) != nil, "\(config.name)")
        }
    }

    @Test func theStrongestPlaceWins() throws {
        let running = try running([
            Configuration.Given(name: "idle-timeout", text: "5", origin: .environment("MILLRACE_IDLE_TIMEOUT")),
            flag("idle-timeout", "6"), flag("default-partitions", "2"),
        ])
        try set(running, .everyBroker, "num.partitions", "3")
        try set(running, .thisBroker, "num.partitions", "4")
        let described = running.describe(.thisBroker)
        let partitions = try #require(described.first { $0.name == "num.partitions" })
        #expect(partitions.settings.map(\.value) == ["4", "3", "2", "1"])
        #expect(partitions.settings.map(\.source) == [.thisBroker, .everyBroker, .broker, .default])
        // Of what the server was started with only what won is told.
        let idle = described.first { $0.name == "connections.max.idle.ms" }
        #expect(idle?.settings.map(\.value) == ["6000", "600000"])
        #expect(running.describe(.everyBroker).map(\.value) == ["3"])
        #expect(running.settings.kafka.defaultPartitions == 4)
    }

    @Test func changesAreAppliedAndStored() throws {
        let first = try running([flag("group-max-size", "50")])
        try set(first, .thisBroker, "num.partitions", "3")
        let seen = Applied()
        first.begin(applying: { seen.add($0) }, diskReserve: { nil })
        try set(first, .everyBroker, "group.max.size", "9")
        try set(first, .everyBroker, "log.retention.ms", "5")
        #expect(seen.all.map(\.kafka.defaultPartitions) == [3, 3, 3])
        #expect(seen.all.map(\.groups.maximumMembers) == [50, 9, 9])
        #expect(seen.all.last?.log.topicDefaults.retentionMilliseconds == 5)
        #expect(seen.all.last?.log.topicDefaultPlaces["retention.ms"]?.map(\.source) == [.everyBroker])

        let second = try running([flag("group-max-size", "60")])
        #expect(second.settings.groups.maximumMembers == 9 && second.settings.kafka.defaultPartitions == 3)
        try second.alter(.everyBroker, [:], isWhole: true, validateOnly: false)
        #expect(second.settings.groups.maximumMembers == 60 && second.settings.kafka.defaultPartitions == 3)
        try second.alter(.thisBroker, ["num.partitions": .reset], isWhole: false, validateOnly: false)
        #expect(try metadata.list(prefix: "").isEmpty)
    }

    @Test func whatCannotBeIsRefusedAndChangesNothing() throws {
        let running = try running()
        let cases: [([String: ConfigChange], String)] = [
            (
                ["fetch.max.bytes": .set("1")],
                "invalidConfig: fetch.max.bytes cannot be changed while the broker runs: set max-fetch-bytes and restart it"
            ),
            (["node.id": .set("1")], "invalidConfig: node.id cannot be changed: it is what it is"),
            (
                ["num.partition": .set("1")],
                #"invalidConfig: unknown broker config "num.partition": did you mean num.partitions?"#
            ),
            (["x": .reset], #"invalidConfig: unknown broker config "x""#),
            (
                ["num.partitions": .append("1")],
                "invalidConfig: num.partitions is no list: nothing can be added to it or taken out"
            ),
            (
                ["num.partitions": .set("0"), "group.max.size": .set("5")],
                #"invalidConfig: num.partitions is "0"; it must be a whole number from 1 to 10000"#
            ),
        ]
        for (changes, message) in cases {
            for validateOnly in [true, false] {
                let told = refusal {
                    try running.alter(.thisBroker, changes, isWhole: false, validateOnly: validateOnly)
                }
                #expect(told == message)
            }
        }
        try running.alter(.thisBroker, ["num.partitions": .set("3")], isWhole: false, validateOnly: true)
        #expect(running.settings.kafka.defaultPartitions == 1 && running.settings.groups.maximumMembers == 2_000)
        #expect(try metadata.list(prefix: "").isEmpty)
    }

    @Test func whatIsStoredCanBeIgnoredAndMended() throws {
        try set(running(), .thisBroker, "max.connections", "1")
        try set(running(), .everyBroker, "num.partitions", "3")
        let ignoring = try running([flag("ignore-stored-configs", "true")])
        #expect(ignoring.settings.kafka.maximumConnections == 4_096 && ignoring.settings.kafka.defaultPartitions == 1)
        #expect(ignoring.describe(.thisBroker).first { $0.name == "max.connections" }?.source == .default)
        #expect(ignoring.describe(.everyBroker).map(\.name) == ["num.partitions"])
        try ignoring.alter(.thisBroker, ["max.connections": .reset], isWhole: false, validateOnly: false)
        #expect(ignoring.settings.kafka.defaultPartitions == 1)
        let again = try running()
        #expect(again.settings.kafka.maximumConnections == 4_096 && again.settings.kafka.defaultPartitions == 3)
    }

    @Test func whatCannotBeStoredChangesNothing() throws {
        let running = try running()
        let seen = Applied()
        running.begin(applying: { seen.add($0) }, diskReserve: { nil })
        metadata.close()
        let told = refusal { try set(running, .thisBroker, "num.partitions", "3") }
        #expect(told?.hasPrefix("metadata: ") == true)
        #expect(running.settings.kafka.defaultPartitions == 1 && seen.all.count == 1)
    }

    @Test func aMisfitThatIsStoredDoesNotKeepOthersFromChanging() throws {
        try set(running(), .thisBroker, "group.min.session.timeout.ms", "9000")
        let later = try running([flag("group-max-session-timeout", "8000")])
        try set(later, .thisBroker, "num.partitions", "3")
        #expect(later.settings.kafka.defaultPartitions == 3)
        #expect(later.settings.groups.minimumSessionMilliseconds == 6_000)
        #expect(refusal { try set(later, .thisBroker, "group.max.session.timeout.ms", "5000") } != nil)
    }

    @Test func whatIsStoredAndFitsNoMoreIsPassedOver() {
        let started = Configuration([flag("group-max-session-timeout", "8000")])
        let stored = [
            "group.min.session.timeout.ms": "9000", "num.partitions": "2", "of.the.future": "1", "max.connections": "x",
        ]
        let taken = StoredConfigs.taking(stored, [:], on: started)
        #expect(taken.configuration.mistakes.isEmpty && taken.problems.count == 3)
        #expect(taken.configuration.settings.kafka.defaultPartitions == 2)
        #expect(taken.configuration.settings.groups.minimumSessionMilliseconds == 6_000)
        // Two that fit only together are taken together.
        let both = ["group.min.session.timeout.ms": "9000", "group.max.session.timeout.ms": "10000"]
        #expect(StoredConfigs.taking([:], both, on: started).problems.isEmpty)
    }
}

/// What a running server was told to apply.
private final class Applied: Sendable {
    private let settings = Mutex<[ServeSettings]>([])
    var all: [ServeSettings] { settings.withLock { $0 } }
    func add(_ one: ServeSettings) { settings.withLock { $0.append(one) } }
}
