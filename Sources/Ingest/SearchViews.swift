public import Instruments
public import Log
public import Search
import Synchronization
public import View

/// The views of topics with `millrace.view=search`: an engine for each partition, and a tenant in the catalog for each
/// topic.
public final class SearchViews: ViewKind {
    /// The tenants that there are.
    public let catalog: SearchCatalog
    /// The engines that readers use, by the topic's name and the partition.
    private let engines = Mutex<[String: [Int32: LinePartition]]>([:])

    private let report: @Sendable (_ view: String, _ reason: String) -> Void

    /// Views whose tenants are found in `catalog`.
    ///
    /// - Parameter report: told of each block that is found damaged, once, with the view's topic and partition.
    public init(
        catalog: SearchCatalog, report: @escaping @Sendable (_ view: String, _ reason: String) -> Void = { _, _ in }
    ) {
        self.catalog = catalog
        self.report = report
    }

    /// Topics that are told one by one; the rest is summed up as `other`.
    private static let maximumTopics = 500

    /// Adds the number of damaged blocks to a registry.
    public func register(in registry: InstrumentRegistry) {
        registry.addCollector { [weak self] in self?.write(&$0) }
    }

    private func write(_ writer: inout ExpositionWriter) {
        let damaged = engines.withLock { $0 }.mapValues { partitions in
            partitions.values.reduce(0) { $0 + $1.damagedBlocks.count }
        }.sorted { $0.key < $1.key }
        writer.family(
            "millrace_search_damaged_blocks", help: "Blocks of lines that were found to be unreadable, by topic.",
            kind: .gauge)
        for (topic, count) in damaged.prefix(Self.maximumTopics) {
            writer.sample(count, labels: [Label("topic", topic)])
        }
        guard damaged.count > Self.maximumTopics else { return }
        let others = damaged.dropFirst(Self.maximumTopics).reduce(0) { $0 + $1.value }
        writer.sample(others, labels: [Label("topic", "other")])
    }

    /// An engine without anything.
    public func makeEngine(for topic: Topic, partition: Int32) throws(ViewError) -> any ViewEngine {
        LinePartition(topic: topic.name) { [report] reason in report("\(topic.name)-\(partition)", reason) }
    }

    /// The partition is read through this engine from now on.
    public func publish(_ engine: any ViewEngine, for topic: Topic, partition: Int32) {
        guard let engine = engine as? LinePartition else { preconditionFailure("an engine of another kind") }
        change(topic) { $0[partition] = engine }
    }

    /// The partition is not read any more.
    public func retire(_ topic: Topic, partition: Int32) {
        change(topic) { $0[partition] = nil }
    }

    private func change(_ topic: Topic, _ body: (inout [Int32: LinePartition]) -> Void) {
        let name = TopicNaming.tenant(ofTopic: topic.name)
        // Under the lock, so that of two changes the later one stands in the catalog.
        engines.withLock { engines in
            var partitions = engines[topic.name] ?? [:]
            body(&partitions)
            engines[topic.name] = partitions.isEmpty ? nil : partitions
            if partitions.isEmpty {
                catalog.remove(name)
            } else {
                let inOrder = partitions.sorted { $0.key < $1.key }.map(\.value)
                catalog.add(SearchTenant(name: name, partitions: inOrder))
            }
        }
    }
}
