public import Log
public import Series
import Synchronization
public import View

/// The views of topics with `millrace.view=series`: an engine for each partition, and a database in the catalog for
/// each topic.
public final class SeriesViews: ViewKind {
    /// The databases that there are.
    public let catalog: SeriesCatalog
    /// The engines that readers use, by the topic's name and the partition.
    private let engines = Mutex<[String: [Int32: SeriesPartition]]>([:])

    /// Views whose databases are found in `catalog`.
    public init(catalog: SeriesCatalog) { self.catalog = catalog }

    /// An engine without anything.
    public func makeEngine(for topic: Topic, partition: Int32) throws(ViewError) -> any ViewEngine {
        SeriesPartition()
    }

    /// The partition is read through this engine from now on.
    public func publish(_ engine: any ViewEngine, for topic: Topic, partition: Int32) {
        guard let engine = engine as? SeriesPartition else { preconditionFailure("an engine of another kind") }
        change(topic) { $0[partition] = engine }
    }

    /// The partition is not read any more.
    public func retire(_ topic: Topic, partition: Int32) {
        change(topic) { $0[partition] = nil }
    }

    private func change(_ topic: Topic, _ body: (inout [Int32: SeriesPartition]) -> Void) {
        let name = TopicNaming.database(ofTopic: topic.name)
        // Under the lock, so that of two changes the later one stands in the catalog.
        engines.withLock { engines in
            var partitions = engines[topic.name] ?? [:]
            body(&partitions)
            engines[topic.name] = partitions.isEmpty ? nil : partitions
            if partitions.isEmpty {
                catalog.remove(name)
            } else {
                let inOrder = partitions.sorted { $0.key < $1.key }.map(\.value)
                catalog.add(SeriesDatabase(name: name, partitions: inOrder))
            }
        }
    }
}
