public import KafkaWire
import Machine
import Storage
import Synchronization

extension CommitLog {
    static let tombstonePrefix = "deleted-topics/"

    /// Creates a topic, durably. Its files are created by the first append to each partition.
    ///
    /// - Throws: `.topicExists`, `.invalidTopicName`, `.invalidPartitions`, `.invalidConfig`, `.limitReached`,
    ///   `.noSpace`, `.metadata`, `.storage`.
    public func createTopic(
        _ name: String, partitions: Int32, configs: [String: String]
    ) throws(LogError) -> Topic {
        defer { topicsChanged() }
        return try topicChanges.withLock { _ throws(LogError) in
            let configuration = try check(name, partitions: partitions, configs: configs)
            try moveOrphan(name)
            let random = context.machine.randomness
            let record = TopicRecord(
                name: name, id: Uuid(randomBits: random.next(), random.next()), partitionCount: partitions,
                configs: configs)
            do throws(StorageError) {
                try metadata.commit([.put(key: record.key, value: record.encoded(), expected: nil)])
            } catch {
                let message = "cannot store topic \(name)"
                guard error.code == .conflict else { throw LogError(metadata: message, error) }
                throw LogError(.topicExists, message, cause: error)
            }
            let topic = Topic(record, configuration: configuration, context: context, isUnclean: false)
            registry.insert(topic)
            return topic
        }
    }

    /// Checks everything that `createTopic` checks, and creates nothing (`validate_only`).
    ///
    /// - Returns: the configs that the topic would have, defaults filled in.
    @discardableResult
    public func validateTopic(
        _ name: String, partitions: Int32, configs: [String: String]
    ) throws(LogError) -> TopicConfiguration {
        try check(name, partitions: partitions, configs: configs)
    }

    private func check(
        _ name: String, partitions: Int32, configs: [String: String]
    ) throws(LogError) -> TopicConfiguration {
        try TopicName.check(name)
        guard registry.topic(named: name) == nil else { throw LogError(.topicExists, "topic \(name) exists") }
        guard partitions > 0 else {
            throw LogError(.invalidPartitions, "a topic has at least one partition, not \(partitions)")
        }
        try checkBounds(total: partitions, added: Int(partitions))
        return try settings.topicDefaults.applying(configs)
    }

    /// Deletes a topic with its data, durably: a tombstone first, then the directory moves to the trash, then it goes.
    ///
    /// - Throws: `.unknownTopic`, `.noSpace`, `.metadata`, `.storage` (the topic is gone then; its files go with the next start).
    public func deleteTopic(_ id: Uuid) throws(LogError) {
        defer { topicsChanged() }
        try topicChanges.withLock { _ throws(LogError) in
            guard let topic = registry.topic(id: id) else { throw LogError(.unknownTopic, "no topic has the id \(id)") }
            let tombstone = Self.tombstonePrefix + id.description
            do {
                let key = TopicRecord.prefix + topic.name
                guard let entry = try metadata.get(key) else {
                    throw LogError(.unknownTopic, "topic \(topic.name) is gone")
                }
                try metadata.commit([
                    .remove(key: key, expected: entry.version),
                    .put(key: tombstone, value: Array(topic.name.utf8), expected: nil),
                ])
            } catch let error as StorageError {
                throw LogError(metadata: "cannot delete topic \(topic.name)", error)
            } catch let error as LogError {
                throw error
            } catch {
                throw LogError(.metadata, "cannot delete topic \(topic.name)", cause: error)
            }
            registry.remove(topic)
            for partition in topic.partitions { partition.delete() }
            try discard(topic.directory, id)
            removeTombstones([tombstone])
        }
    }

    /// Moves a directory to the trash and empties that.
    private func discard(_ directory: String, _ id: Uuid) throws(LogError) {
        let files = context.files
        do {
            guard try files.information(at: directory) != nil else { return }
            try files.createDirectory(data.trash)
            let place = data.trash + "/" + id.description
            try files.remove(place)
            try files.rename(directory, to: place)
            try files.synchronizeDirectory(data.log)
            try files.synchronizeDirectory(data.trash)
            try files.remove(place)
        } catch {
            throw LogError(.storage, "cannot remove \(directory)", cause: error)
        }
    }

    /// Directories after a start: those of deleted topics go, those that no topic owns are told of and stay.
    func settleDirectories(isUnclean: Bool) throws(LogError) {
        let tombstones: [MetadataEntry]
        do {
            tombstones = try metadata.list(prefix: Self.tombstonePrefix)
        } catch {
            throw LogError(.metadata, "cannot list deleted topics", cause: error)
        }
        guard isUnclean || !tombstones.isEmpty else { return }
        do {
            try context.files.remove(data.trash)
            for entry in tombstones { try finishDeletion(entry) }
            for name in try context.files.contents(ofDirectory: data.log) { try settleDirectory(name) }
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.storage, "cannot settle \(data.log)", cause: error)
        }
        removeTombstones(tombstones.map(\.key))
    }

    private func finishDeletion(_ tombstone: MetadataEntry) throws(LogError) {
        let directory = data.log + "/" + String(decoding: tombstone.value, as: UTF8.self)
        guard let id = Uuid(String(tombstone.key.dropFirst(Self.tombstonePrefix.count))),
            TopicDirectory.identity(of: directory, context.files) == id
        else { return }
        try discard(directory, id)
    }

    private func settleDirectory(_ name: String) throws(LogError) {
        let found = TopicDirectory.identity(of: data.log + "/" + name, context.files)
        guard let topic = registry.topic(named: name) else {
            return report(.warning, "\(data.log)/\(name) belongs to no topic; it is left as it is")
        }
        if let found, found != topic.id { try moveOrphan(name) }
    }

    /// Moves a directory that stands where a topic's will stand out of the way.
    private func moveOrphan(_ name: String) throws(LogError) {
        let directory = data.log + "/" + name
        let files = context.files
        do {
            guard try files.information(at: directory) != nil else { return }
            try files.createDirectory(data.orphans)
            let stamp = context.machine.clock.wallMilliseconds()
            let place = "\(data.orphans)/\(name.prefix(200)).\(stamp)"
            try files.rename(directory, to: place)
            try files.synchronizeDirectory(data.orphans)
            try files.synchronizeDirectory(data.log)
            report(.warning, "\(directory) belonged to no topic; it is now \(place)")
        } catch {
            throw LogError(.storage, "cannot move \(directory) aside", cause: error)
        }
    }

    /// A tombstone that stays does no harm: its topic's id never comes back.
    private func removeTombstones(_ keys: [String]) {
        for key in keys {
            do {
                guard let entry = try metadata.get(key) else { continue }
                try metadata.commit([.remove(key: key, expected: entry.version)])
            } catch {
                report(.warning, "cannot remove \(key): \(error)")
            }
        }
    }
}
