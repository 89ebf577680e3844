import KafkaWire
import Logging
import NIOCore
import Synchronization

/// What connects a consumer's pure state with the cluster. Belongs to the client's event loop.
final class ConsumerDriver {
    private let search: LeaderSearch
    private let timer = EarliestTimer()
    /// By broker.
    var sessions: [Int32: FetchSessionState] = [:]
    private var listener: Int?

    init(client: ClientSettings) {
        search = LeaderSearch(client)
    }

    func start(_ consumer: Consumer, _ cluster: Cluster) {
        guard listener == nil else { return }
        listener = cluster.listen { [weak consumer] in consumer?.scheduleDrain() }
    }

    func stop(_ cluster: Cluster) {
        if let listener { cluster.listeners[listener] = nil }
        timer.cancel()
        for (broker, session) in sessions { leave(session, broker, cluster) }
        sessions.removeAll()
    }

    /// Looks up, fetches and connects what is due, and sets the timer for the rest.
    func drain(_ consumer: Consumer, _ cluster: Cluster) {
        if cluster.isClosed {
            // Not the end of the sequence: whoever reads up to an end must not take this for it.
            let error = KafkaClientError(.closed, "the client is closed")
            return consumer.wake(consumer.state.withLock { $0.inbox.end(with: error) })
        }
        let now = Time.monotonicMilliseconds()
        let leaders = Leaders(metadata: cluster.metadata, connected: cluster.connectedNodes)
        let (due, topics) = consumer.state.withLock { state in
            guard !state.isClosed else { return (FetchState.Due(), Set<String>()) }
            let due = state.fetch.due(now: now, buffered: state.inbox.bufferedBytes, leaders: leaders)
            return (due, Set(state.fetch.partitions.keys.map(\.topic)))
        }
        if !due.lookups.isEmpty { lookUp(due.lookups, consumer) }
        for broker in due.unconnected {
            search.connect(to: broker, cluster, topics: { topics }, changed: { consumer.scheduleDrain() })
        }
        let old = cluster.metadata.due(inUse: topics, now: now)
        let retry = search.ask(due.leaderless.union(old), now: now, cluster) { consumer.scheduleDrain() }
        if let retry { wake(at: retry, consumer) }
        for (broker, entries) in due.fetches { fetch(entries, from: broker, consumer, cluster) }
        if let wakeAt = due.wakeAt { wake(at: wakeAt, consumer) }
    }

    /// Drains at a time, or earlier.
    func wake(at due: Int64, _ consumer: Consumer) {
        let driver = NIOLoopBound(self, eventLoop: consumer.client.loop)
        timer.set(to: due, on: consumer.client.loop) {
            driver.value.drain(consumer, consumer.client.cluster.value)
        }
    }

    private func lookUp(_ lookups: [FetchState.Lookup], _ consumer: Consumer) {
        Task {
            let lookup = OffsetLookup(client: consumer.client, committedOnly: consumer.settings.readsCommittedOnly)
            let deadline = consumer.client.operationDeadline
            do throws(KafkaClientError) {
                let ends = Dictionary(
                    uniqueKeysWithValues: lookups.compactMap { one in one.to.map { (one.partition, $0) } })
                let until = try await lookup.resolve(ends, deadline: deadline)
                let from = try await lookup.resolve(
                    Dictionary(uniqueKeysWithValues: lookups.map { ($0.partition, $0.from) }), deadline: deadline)
                let waiters = consumer.state.withLock { state in
                    for one in lookups {
                        guard let start = from[one.partition] else { continue }
                        state.fetch.resolved(one, from: start.offset, until: until[one.partition]?.offset)
                    }
                    return state.inbox.takeWaiters()
                }
                consumer.wake(waiters)
            } catch {
                let isRetriable = error.isRetriable
                consumer.client.logger.debug("offsets cannot be looked up", metadata: ["reason": "\(error)"])
                let now = Time.monotonicMilliseconds()
                consumer.state.withLock { state in
                    for one in lookups {
                        state.fetch.unresolvable(
                            one, isRetriable: isRetriable, now: now, random: .random(in: 0 ... .max))
                    }
                }
                if !isRetriable { consumer.fail(error) }
            }
            consumer.scheduleDrain()
        }
    }
}
