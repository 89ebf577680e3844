import KafkaWire
import NIOCore
import Synchronization

/// Reads partitions that it is told to read (there are no groups), from and up to given places.
///
/// Records come through `records`, one by one, or through `batches`, as they were written, for whoever wants fewer
/// and larger steps. Order is kept within a partition. One task reads at a time; two that read at once share the
/// batches between them.
///
/// *Bounds.* Fetching pauses while `prefetchBytes` wait for the reader.
///
/// ```swift
/// let consumer = try client.consumer()
/// try await consumer.assign("greetings", from: .earliest, to: .latest)
/// for try await record in consumer.records { … }    // ends at what was the end when it was assigned
/// ```
public final class Consumer: Sendable {
    /// What is known about a partition that is being read.
    public struct Progress: Sendable, Hashable {
        /// The offset behind the last record that was handed out; nil until the start is looked up.
        public let position: Int64?
        /// The end of what may be read, as the last answer told it: the high watermark, or with `readsCommittedOnly`
        /// the last stable offset.
        public let end: Int64?
        /// The first offset that exists, as the last answer told it.
        public let logStartOffset: Int64?
        /// How far the reader is behind the end, in offsets.
        public var lag: Int64? {
            guard let position, let end else { return nil }
            return max(0, end - position)
        }
    }

    struct State {
        var fetch: FetchState
        var inbox = Inbox()
        var isClosed = false
    }

    let client: KafkaClient
    let settings: ConsumerSettings
    let state: Mutex<State>
    let driver: NIOLoopBoundBox<ConsumerDriver>
    private let drainIsComing = Atomic<Bool>(false)

    init(client: KafkaClient, settings: ConsumerSettings) {
        self.client = client
        self.settings = settings
        let fetch = FetchState(
            prefetchBytes: settings.prefetchBytes, outOfRangePolicy: settings.outOfRangePolicy,
            retryBackoff: client.settings.retryBackoffMilliseconds)
        state = Mutex(State(fetch: fetch))
        driver = NIOLoopBoundBox.makeBoxSendingValue(ConsumerDriver(client: client.settings), eventLoop: client.loop)
    }

    /// Reads these partitions of a topic from now on (default: all that it has now), beside what is read already.
    ///
    /// `from` is looked up when reading starts, and `to` with it: the sequences end once every partition has come to
    /// its `to`, and never if one has none. Throws with code `.unknownTopic` if there is no such topic or partition.
    public func assign(
        _ topic: String, partitions: [Int32]? = nil, from: OffsetSpec, to: OffsetSpec? = nil
    ) async throws(KafkaClientError) {
        let known = try await client.topic(named: topic, mayCreate: false, deadline: client.operationDeadline)
        let count = Int32(known.partitions.count)
        let wanted = partitions ?? Array(0..<count)
        if let missing = wanted.first(where: { $0 < 0 || $0 >= count }) {
            throw KafkaClientError(
                .unknownTopic, "topic \"\(topic)\" has no partition \(missing) (it has \(count))")
        }
        assign(Dictionary(wanted.map { (TopicPartition(topic, $0), from) }) { first, _ in first }, to: to)
    }

    /// Reads these partitions from now on, beside what is read already.
    public func assign(_ specs: [TopicPartition: OffsetSpec], to: OffsetSpec? = nil) {
        let waiters = state.withLock { state in
            for (partition, from) in specs {
                state.inbox.forget(partition)
                state.fetch.assign(partition, from: from, to: to)
            }
            return state.inbox.takeWaiters()
        }
        wake(waiters)
        client.onLoop { [self] in driver.value.start(self, $0) }
        scheduleDrain()
    }

    /// Goes on elsewhere in a partition; what was fetched and not taken is dropped. Throws with code `.invalid` if the
    /// partition is not assigned.
    public func seek(_ partition: TopicPartition, to spec: OffsetSpec) throws(KafkaClientError) {
        let (found, waiters) = state.withLock { state in
            state.inbox.forget(partition)
            return (state.fetch.seek(partition, to: spec), state.inbox.takeWaiters())
        }
        wake(waiters)
        guard found else { throw KafkaClientError(.invalid, "partition \(partition) is not assigned") }
        scheduleDrain()
    }

    /// Does not read a partition any more; what was fetched and not taken is dropped.
    public func unassign(_ partition: TopicPartition) {
        let waiters = state.withLock { state in
            state.inbox.forget(partition)
            state.fetch.unassign(partition)
            return state.inbox.takeWaiters()
        }
        wake(waiters)
    }

    /// The partitions that are read.
    public var assignment: [TopicPartition] { state.withLock { $0.fetch.partitions.keys.sorted() } }

    /// Where a partition stands; nil if it is not assigned.
    public func progress(of partition: TopicPartition) -> Progress? {
        guard let known = state.withLock({ $0.fetch.partitions[partition] }) else { return nil }
        let end = settings.readsCommittedOnly ? known.lastStableOffset ?? known.highWatermark : known.highWatermark
        return Progress(position: known.position, end: end, logStartOffset: known.logStartOffset)
    }

    /// Stops reading. Readers that wait come to the end of their sequence.
    public func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            return state.inbox.close()
        }
        wake(waiters)
        client.onLoop { [self] in driver.value.stop($0) }
    }

    /// The next batch: waits for it; nil at the end. Throws what made a partition unreadable, once; then the other
    /// partitions can still be read.
    public func nextBatch() async throws(KafkaClientError) -> ConsumedBatch? {
        while true {
            let (found, isHungry) = state.withLock { state in
                let before = state.inbox.bufferedBytes
                let found = state.inbox.take(isOver: state.fetch.isOver)
                if case .item(.batch(let batch)) = found {
                    state.fetch.consumed(batch.topicPartition, upTo: batch.nextOffset)
                }
                let limit = state.fetch.prefetchBytes
                return (found, before >= limit && state.inbox.bufferedBytes < limit)
            }
            if isHungry { scheduleDrain() }
            switch found {
            case .item(.batch(let batch)): return batch
            case .item(.failure(let error)): throw error
            case .over: return nil
            case .wait(let waiter): try await waiter.value()
            }
        }
    }

    /// Wakes readers, which look again.
    func wake(_ waiters: [Inbox.Waiter]) {
        for waiter in waiters { waiter.complete(.success(())) }
    }

    /// Tells the reader about a failure.
    func fail(_ error: KafkaClientError) { wake(state.withLock { $0.inbox.append(.failure(error)) }) }

    func scheduleDrain() {
        guard !drainIsComing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        client.loop.execute { [self] in
            drainIsComing.store(false, ordering: .releasing)
            driver.value.drain(self, client.cluster.value)
        }
    }
}

extension KafkaClient {
    /// A consumer on this client's connections. Throws with code `.invalid` if a setting is out of its limits.
    public func consumer(_ settings: ConsumerSettings = ConsumerSettings()) throws(KafkaClientError) -> Consumer {
        try settings.validate()
        return Consumer(client: self, settings: settings)
    }
}
