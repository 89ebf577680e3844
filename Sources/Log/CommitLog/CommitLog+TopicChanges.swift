import Machine
import Storage
import Synchronization

extension CommitLog {
    /// The configs of a topic with their sources and documentation, sorted by name.
    public func describeConfigs(of topic: Topic) -> [ConfigDescription] {
        settings.describeConfigs(settingOnTopic: topic.configs)
    }

    /// Changes configs of a topic, durably, and for its partitions from the next append on.
    ///
    /// - Parameters:
    ///   - changes: by the config's name; what is not named stays.
    ///   - isWhole: what is not named returns to its default.
    ///   - validateOnly: check, and change nothing.
    /// - Throws: `.unknownTopic`, `.invalidTopicName` for the server's own topics, `.invalidConfig`, `.noSpace`, `.metadata`. After
    ///   an error nothing is changed; after `.metadata` a restart may show the change.
    public func alterConfigs(
        of name: String, _ changes: [String: ConfigChange], isWhole: Bool = false, validateOnly: Bool = false
    ) throws(LogError) {
        try changeTopic(name, validateOnly: validateOnly) { topic throws(LogError) in
            let configs = try ConfigChange.apply(changes, to: isWhole ? [:] : topic.configs)
            return TopicRecord(
                name: name, id: topic.id, partitionCount: Int32(topic.partitions.count), configs: configs)
        }
    }

    /// Adds partitions to a topic, durably.
    ///
    /// - Parameters:
    ///   - total: how many it is to have in all.
    ///   - validateOnly: check, and change nothing.
    /// - Throws: `.unknownTopic`, `.invalidTopicName` for the server's own topics, `.invalidPartitions` unless there are
    ///   more than before, `.limitReached`, `.metadata`.
    public func createPartitions(
        of name: String, total: Int32, validateOnly: Bool = false
    ) throws(LogError) {
        try changeTopic(name, validateOnly: validateOnly) { topic throws(LogError) in
            let count = topic.partitions.count
            guard total > count else {
                throw LogError(
                    .invalidPartitions,
                    "topic \(name) has \(count) partitions, and \(total) are no more: the count is the new total")
            }
            try checkBounds(total: total, added: Int(total) - count)
            return TopicRecord(name: name, id: topic.id, partitionCount: total, configs: topic.configs)
        }
    }

    /// Refuses more partitions than the settings allow.
    func checkBounds(total: Int32, added: Int) throws(LogError) {
        let settings = context.settings
        guard total <= settings.maximumPartitionsPerTopic else {
            throw LogError(
                .limitReached, "\(total) partitions; a topic may have \(settings.maximumPartitionsPerTopic)")
        }
        let sum = registry.partitionCount + added
        guard sum <= settings.maximumPartitions else {
            throw LogError(.limitReached, "\(sum) partitions in total; \(settings.maximumPartitions) are allowed")
        }
    }

    /// Takes other settings while it runs. Topic defaults hold at once for topics that set none themselves, the interval
    /// of retention from its next pass on, the disk's reserve at once; everything else is as it was at the start.
    ///
    /// - Throws: `.invalidConfig`; then nothing is changed.
    public func change(_ settings: LogSettings) throws(LogError) {
        try settings.validate()
        try topicChanges.withLock { _ throws(LogError) in
            var changed: [(topic: Topic, configuration: TopicConfiguration)] = []
            for topic in registry.topics {
                changed.append((topic, try settings.topicDefaults.applying(topic.configs)))
            }
            live.withLock { $0 = settings }
            for (topic, configuration) in changed where configuration != topic.configuration {
                let record = TopicRecord(
                    name: topic.name, id: topic.id, partitionCount: Int32(topic.partitions.count),
                    configs: topic.configs)
                put(record, configuration, inPlaceOf: topic)
            }
        }
        context.disk.setReserve(settings.diskReserveBytes)
        checkDisk()
    }

    private func put(_ record: TopicRecord, _ configuration: TopicConfiguration, inPlaceOf topic: Topic) {
        topic.live.value = configuration
        registry.replace(topic, with: Topic(topic, changedTo: record, configuration: configuration, context: context))
    }

    private func changeTopic(
        _ name: String, validateOnly: Bool, _ change: (Topic) throws(LogError) -> TopicRecord
    ) throws(LogError) {
        defer { if !validateOnly { topicsChanged() } }
        try topicChanges.withLock { _ throws(LogError) in
            guard let topic = registry.topic(named: name) else {
                throw LogError(.unknownTopic, "there is no topic \(name)")
            }
            try TopicName.checkChangeable(name)
            let record = try change(topic)
            let configuration = try settings.topicDefaults.applying(record.configs)
            guard !validateOnly else { return }
            try store(record)
            put(record, configuration, inPlaceOf: topic)
        }
    }

    private func store(_ record: TopicRecord) throws(LogError) {
        let entry: MetadataEntry?
        do throws(StorageError) {
            entry = try metadata.get(record.key)
            if let entry, entry.value != record.encoded() {
                try metadata.commit([.put(key: record.key, value: record.encoded(), expected: entry.version)])
            }
        } catch {
            throw LogError(metadata: "cannot store topic \(record.name)", error)
        }
        if entry == nil { throw LogError(.metadata, "topic \(record.name) is missing in the metadata store") }
    }
}
