public import KafkaWire

/// A topic: a name, an id that no later topic of the same name shares, and its partitions.
public final class Topic: Sendable {
    /// The id.
    public let id: Uuid
    /// The name.
    public let name: String
    /// The partitions by index.
    public let partitions: [Partition]
    /// The configs the topic was created with, as given.
    public let configs: [String: String]
    /// All configs, defaults filled in.
    public let configuration: TopicConfiguration

    init(
        id: Uuid, name: String, partitions: [Partition], configs: [String: String], configuration: TopicConfiguration
    ) {
        self.id = id
        self.name = name
        self.partitions = partitions
        self.configs = configs
        self.configuration = configuration
    }

    /// The partition with this index, or nil.
    public func partition(_ index: Int32) -> Partition? {
        partitions.indices.contains(Int(index)) ? partitions[Int(index)] : nil
    }
}
