import KafkaWire
import Synchronization

/// The topics by name and by id. Looking up takes a lock for one dictionary access.
final class TopicRegistry: Sendable {
    private struct Tables: Sendable {
        var byName: [String: Topic] = [:]
        var byID: [Uuid: Topic] = [:]
        var partitionCount = 0
    }

    private let tables = Mutex(Tables())

    func topic(named name: String) -> Topic? { tables.withLock { $0.byName[name] } }

    func topic(id: Uuid) -> Topic? { tables.withLock { $0.byID[id] } }

    var partitionCount: Int { tables.withLock { $0.partitionCount } }

    /// Sorted by name.
    var topics: [Topic] { tables.withLock { Array($0.byName.values) }.sorted { $0.name < $1.name } }

    func insert(_ topic: Topic) {
        tables.withLock { tables in
            tables.byName[topic.name] = topic
            tables.byID[topic.id] = topic
            tables.partitionCount += topic.partitions.count
        }
    }

    /// Puts a changed topic in the place of what it was.
    func replace(_ topic: Topic, with changed: Topic) {
        tables.withLock { tables in
            guard tables.byID[topic.id] != nil else { return }
            tables.byName[changed.name] = changed
            tables.byID[changed.id] = changed
            tables.partitionCount += changed.partitions.count - topic.partitions.count
        }
    }

    func remove(_ topic: Topic) {
        tables.withLock { tables in
            guard tables.byID.removeValue(forKey: topic.id) != nil else { return }
            tables.byName[topic.name] = nil
            tables.partitionCount -= topic.partitions.count
        }
    }
}
