public import KafkaWire

/// A topic at one moment: a name, an id that no later topic of the same name shares, and its partitions. Whoever
/// changes configs or adds partitions puts another value with the same partitions into the registry.
public final class Topic: Sendable {
    /// The id.
    public let id: Uuid
    /// The name.
    public let name: String
    /// Whether it is the server's own: clients may read it, not produce to it, change it or delete it.
    public let isInternal: Bool
    /// The partitions by index.
    public let partitions: [Partition]
    /// The configs that the topic sets itself, as given.
    public let configs: [String: String]
    /// All configs, defaults filled in.
    public let configuration: TopicConfiguration
    /// What was appended since the process began.
    public let statistics: TopicStatistics
    let directory: String
    let live: LiveConfiguration

    init(
        _ record: TopicRecord, configuration: TopicConfiguration, context: LogContext,
        checkpoints: [Int32: CheckpointEntry]? = [:], isUnclean: Bool
    ) {
        id = record.id
        name = record.name
        isInternal = TopicName.isInternal(record.name)
        configs = record.configs
        self.configuration = configuration
        statistics = TopicStatistics()
        directory = context.directory + "/log/" + record.name
        live = LiveConfiguration(configuration)
        let identity = TopicIdentity(
            id: id, name: name, configuration: live, directory: directory, statistics: statistics)
        partitions = (0..<record.partitionCount).map { index in
            let checkpoint = checkpoints?[index]
            return Partition(
                topic: identity, index: index, checkpoint: checkpoint, isKnown: checkpoints != nil,
                isUnclean: isUnclean || checkpoint.map { !$0.isClean } ?? false, context: context)
        }
    }

    /// The same topic after a change: other configs, or more partitions. The partitions that there are stay the same.
    init(_ topic: Topic, changedTo record: TopicRecord, configuration: TopicConfiguration, context: LogContext) {
        id = topic.id
        name = topic.name
        isInternal = topic.isInternal
        configs = record.configs
        self.configuration = configuration
        statistics = topic.statistics
        directory = topic.directory
        live = topic.live
        let identity = TopicIdentity(
            id: id, name: name, configuration: live, directory: directory, statistics: statistics)
        let added = (Int32(topic.partitions.count)..<record.partitionCount).map { index in
            Partition(
                topic: identity, index: index, checkpoint: nil, isKnown: true, isUnclean: false, context: context)
        }
        partitions = topic.partitions + added
    }

    /// The partition with this index, or nil.
    public func partition(_ index: Int32) -> Partition? {
        partitions.indices.contains(Int(index)) ? partitions[Int(index)] : nil
    }
}
