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
    /// What was appended since the process began.
    public let statistics: TopicStatistics
    let directory: String

    init(
        _ record: TopicRecord, configuration: TopicConfiguration, context: LogContext,
        checkpoints: [Int32: CheckpointEntry]? = [:], isUnclean: Bool
    ) {
        id = record.id
        name = record.name
        configs = record.configs
        self.configuration = configuration
        statistics = TopicStatistics()
        directory = context.directory + "/log/" + record.name
        let identity = TopicIdentity(
            id: id, name: name, configuration: configuration, directory: directory, statistics: statistics)
        partitions = (0..<record.partitionCount).map { index in
            let checkpoint = checkpoints?[index]
            return Partition(
                topic: identity, index: index, checkpoint: checkpoint, isKnown: checkpoints != nil,
                isUnclean: isUnclean || checkpoint.map { !$0.isClean } ?? false, context: context)
        }
    }

    /// The partition with this index, or nil.
    public func partition(_ index: Int32) -> Partition? {
        partitions.indices.contains(Int(index)) ? partitions[Int(index)] : nil
    }
}
