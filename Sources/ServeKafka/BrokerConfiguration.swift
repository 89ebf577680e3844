public import Log
import Synchronization

/// The configs of the broker, as Kafka's clients see them. Whoever starts the listener has it.
public protocol BrokerConfiguration: Sendable {
    /// Every config that holds for this broker, or those that were changed for every broker; sorted by name.
    func describe(_ scope: BrokerConfigStore.Scope) -> [ConfigDescription]
    /// Changes configs, durably, and at once for whatever goes by them. Waits for the disk.
    ///
    /// - Parameters:
    ///   - changes: by the config's name; what is not named stays.
    ///   - isWhole: what is not named returns to what it was at the start.
    ///   - validateOnly: check, and change nothing.
    /// - Throws: `.invalidConfig`, which names what cannot be; `.metadata`. After an error nothing is changed; after
    ///   `.metadata` a restart may show the change.
    func alter(
        _ scope: BrokerConfigStore.Scope, _ changes: [String: ConfigChange], isWhole: Bool, validateOnly: Bool
    ) throws(LogError)
}

/// The settings of the listener that change while it serves; each is read by itself, without a lock.
final class LiveKafkaSettings: Sendable {
    private let creation: Atomic<Bool>
    private let partitions: Atomic<Int32>
    private let connections: Atomic<Int>

    init(_ settings: KafkaServerSettings) {
        creation = Atomic(settings.autoCreateTopics)
        partitions = Atomic(settings.defaultPartitions)
        connections = Atomic(settings.maximumConnections)
    }

    var autoCreateTopics: Bool { creation.load(ordering: .relaxed) }
    var defaultPartitions: Int32 { partitions.load(ordering: .relaxed) }
    var maximumConnections: Int { connections.load(ordering: .relaxed) }

    func change(_ settings: KafkaServerSettings) {
        creation.store(settings.autoCreateTopics, ordering: .relaxed)
        partitions.store(settings.defaultPartitions, ordering: .relaxed)
        connections.store(settings.maximumConnections, ordering: .relaxed)
    }
}
