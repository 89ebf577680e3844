// File map
//   KafkaClient.swift       the entry: one cluster, from which producers, consumers and the admin come
//   ClientSettings.swift    how it is reached        Record.swift   what goes in and out
//   Cluster/                connections, versions, metadata: what every request needs
//   Producer/               partitioning, batches, sequence numbers, delivery
//   Consumer/               positions, fetching, decoding
//   Groups/                 membership of a consumer group, its offsets, its administration
//   Admin/                  topics, offsets, the cluster itself
// Pure values (no socket, no clock): ConnectionState, MetadataState, PartitionQueue, Partitioner, FetchState.

import KafkaWire
public import Logging
import NIOCore
import NIOPosix

/// A client of one Kafka cluster (Millrace, or any Kafka from 0.11 to 4.x).
///
/// One client keeps one connection per broker, shared by everything made from it; it may be used from any task.
/// Nothing is connected before the first call. Close it when done: `close()` ends the connections, and producers
/// and consumers fail with `.closed` from then on.
///
/// ```swift
/// let client = try KafkaClient(ClientSettings(bootstrap: ["127.0.0.1:9092"]), logger: logger)
/// let producer = try client.producer()
/// let written = try await producer.send(Record(key: "a", "hello"), to: "greetings")
/// ```
public final class KafkaClient: Sendable {
    let loop: any EventLoop
    let cluster: NIOLoopBoundBox<Cluster>
    let settings: ClientSettings
    let logger: Logger

    /// A client of the cluster that `settings` names. Throws with code `.invalid` if a setting is out of its limits.
    public init(_ settings: ClientSettings = ClientSettings(), logger: Logger) throws(KafkaClientError) {
        let addresses = try settings.validated()
        // One event loop per client: what belongs to it needs no locks and cannot overtake itself.
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        self.settings = settings
        self.logger = logger
        cluster = NIOLoopBoundBox.makeBoxSendingValue(
            Cluster(settings: settings, bootstrap: addresses, loop: loop, logger: logger), eventLoop: loop)
    }

    /// Ends all connections and fails what still waits. Close producers first if their records are to be delivered.
    public func close() async {
        let done = Completion<Void>()
        onLoop { cluster in
            cluster.close()
            done.complete(.success(()))
        }
        _ = try? await done.value()
    }

    /// Administers topics.
    public var admin: Admin { Admin(client: self) }

    /// Runs on the client's event loop: at once if called from there.
    func onLoop(_ body: @escaping @Sendable (Cluster) -> Void) {
        if loop.inEventLoop { return body(cluster.value) }
        let cluster = cluster
        loop.execute { body(cluster.value) }
    }
}
