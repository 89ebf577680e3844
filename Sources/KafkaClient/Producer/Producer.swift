import NIOCore
import Synchronization

/// Writes records to topics.
///
/// Records of one partition are gathered into batches, compressed, and sent several batches at a time; what fails in
/// passing is repeated until the delivery timeout. By default the producer is idempotent: repetitions neither write
/// a record twice nor change the order within a partition.
///
/// It may be used from any number of tasks at once. For throughput, give many records per call, or call `enqueue` and
/// look at the deliveries later: a call costs a lock, a record costs its bytes.
///
/// *Bounds.* Unacknowledged records take at most `bufferBytes`; beyond that, `send` and `enqueue` wait for room in the
/// order of their calls, and fail with `.bufferFull` if none comes until the delivery timeout or if
/// `maximumWaitingSends` calls wait already.
public final class Producer: Sendable {
    let client: KafkaClient
    let settings: ProducerSettings
    let state: Mutex<ProducerState>
    let driver: NIOLoopBoundBox<ProducerDriver>
    /// Whether a drain is on its way to the event loop: any number of calls in between needs only one.
    private let drainIsComing = Atomic<Bool>(false)

    init(client: KafkaClient, settings: ProducerSettings) {
        self.client = client
        self.settings = settings
        state = Mutex(ProducerState(settings: settings, retryBackoff: client.settings.retryBackoffMilliseconds))
        driver = NIOLoopBoundBox.makeBoxSendingValue(ProducerDriver(client: client.settings), eventLoop: client.loop)
    }

    /// Writes a record and waits until it is acknowledged.
    public func send(_ record: Record, to topic: String) async throws(KafkaClientError) -> RecordMetadata {
        let all = try await send([record], to: topic)
        guard let first = all.first else { preconditionFailure("one record has one outcome") }
        return first
    }

    /// Writes records and waits until all are acknowledged; tells where they are, in the order given. If any record
    /// fails, throws its error although others may have been written; use `enqueue` to learn which.
    @discardableResult
    public func send(_ records: [Record], to topic: String) async throws(KafkaClientError) -> [RecordMetadata] {
        try await enqueue(records, to: topic).metadata()
    }

    /// Hands records over and returns as soon as the buffer has taken them, without waiting for the broker.
    ///
    /// Throws if not all were taken: with code `.invalid` or `.unknownTopic` for a record that can never be written,
    /// `.bufferFull`, `.closed` or `.cancelled`. Records before the one that failed may still be written.
    @discardableResult
    public func enqueue(_ records: [Record], to topic: String) async throws(KafkaClientError) -> Delivery {
        let wall = Time.wallMilliseconds()
        let deadline = Time.monotonicMilliseconds() + settings.deliveryTimeoutMilliseconds
        let delivery = Delivery(
            topic: topic, count: records.count, timestamps: Delivery.Timestamps(records, now: wall))
        var next = 0
        var turn: Int?
        while true {
            var followup = ProducerState.Followup()
            let now = Time.monotonicMilliseconds()
            let step = state.withLock { state in
                state.append(
                    records, from: &next, of: delivery, turn: turn, now: now, deadline: deadline, followup: &followup)
            }
            turn = nil
            follow(followup, now: now)
            switch step {
            case .done: return delivery
            case .failed(let error): throw error
            case .unknownTopic: try await learn(topic, deadline: deadline)
            case .wait(let waiter): turn = try await wait(waiter)
            }
        }
    }

    /// Waits until everything accepted so far is acknowledged or given up; nothing lingers meanwhile.
    public func flush() async throws(KafkaClientError) {
        let done = state.withLock { $0.flush() }
        scheduleDrain()
        try await done.value()
    }

    /// Accepts nothing more, waits until everything accepted is acknowledged or given up, at most for
    /// `timeoutMilliseconds` (default: the delivery timeout), and fails the rest with `.closed`.
    public func close(timeoutMilliseconds: Int64? = nil) async {
        let closed = KafkaClientError(.closed, "the producer is closed")
        let (waiters, done) = state.withLock { ($0.finish(closed), $0.flush()) }
        for waiter in waiters { waiter.turn.complete(.failure(closed)) }
        scheduleDrain()
        let limit = timeoutMilliseconds ?? settings.deliveryTimeoutMilliseconds
        let timer = client.loop.scheduleTask(in: .milliseconds(limit)) {
            done.complete(.failure(KafkaClientError(.timedOut, "the producer was closed before all was delivered")))
        }
        _ = try? await done.value()
        timer.cancel()
        abort(closed)
        client.onLoop { [self] in driver.value.stop($0) }
    }

    /// Gives up everything that is left.
    func abort(_ error: KafkaClientError) {
        let (waiters, settled) = state.withLock { ($0.finish(error), $0.abort(error)) }
        for waiter in waiters { waiter.turn.complete(.failure(error)) }
        for one in settled { one.tell() }
    }

    /// Seals what is full and sees to it that what is due leaves.
    private func follow(_ followup: ProducerState.Followup, now: Int64) {
        if !followup.toSeal.isEmpty { seal(followup.toSeal) }
        guard !followup.toSeal.isEmpty || followup.drainAt.map({ $0 <= now }) ?? false else {
            if let due = followup.drainAt { client.onLoop { [self] _ in driver.value.wake(at: due, self) } }
            return
        }
        scheduleDrain()
    }

    /// Compresses batches and completes their bytes, on the thread of whoever filled them.
    func seal(_ batches: [OpenBatch]) {
        for batch in batches {
            let bytes = batch.seal()
            let settled = state.withLock { state -> [ProducerState.Settled] in
                switch bytes {
                case .success(let bytes):
                    state.sealed(id: batch.id, bytes: bytes)
                    return []
                case .failure(let error):
                    return state.drop(batch.id, error)
                }
            }
            for one in settled { one.tell() }
        }
    }

    /// Cuts batches that were too large into smaller ones.
    func split(_ batches: [OversizedBatch]) {
        // No batch holds more: it ends at the one, unless a single record takes up to the other.
        let maximumBytes = max(settings.batchBytes, settings.maximumRequestBytes)
        for batch in batches {
            let parts = batch.split(compression: settings.compression.wire, maximumBytes: maximumBytes)
            let settled = state.withLock { state -> [ProducerState.Settled] in
                switch parts {
                case .success(let parts):
                    state.split(batch.id, into: parts)
                    return []
                case .failure(let error):
                    return state.drop(batch.id, error)
                }
            }
            for one in settled { one.tell() }
        }
    }

    func scheduleDrain() {
        guard !drainIsComing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        client.loop.execute { [self] in
            drainIsComing.store(false, ordering: .releasing)
            driver.value.drain(self, client.cluster.value)
        }
    }

    private func wait(_ waiter: ProducerState.Waiter) async throws(KafkaClientError) -> Int {
        // The wait ends by the delivery timeout, which the drain watches over.
        client.onLoop { [self] _ in driver.value.wake(at: waiter.deadline, self) }
        do throws(KafkaClientError) {
            try await waiter.turn.value()
            return waiter.number
        } catch {
            state.withLock { $0.abandon(waiter: waiter.number) }
            throw error
        }
    }

    private func learn(_ topic: String, deadline: Int64) async throws(KafkaClientError) {
        let found = try await client.topic(named: topic, mayCreate: settings.createsTopics, deadline: deadline)
        learn(found)
        client.onLoop { [self] in driver.value.start(self, $0) }
    }

    /// Takes in what metadata tells about a topic.
    func learn(_ topic: MetadataState.Topic) {
        let leaderless = topic.partitions.indices.filter { topic.partitions[$0].leader == nil }.map(Int32.init)
        state.withLock {
            $0.learn(
                topic: topic.name, partitions: Int32(topic.partitions.count), leaderless: Set(leaderless),
                seed: .random(in: 0 ... .max))
        }
    }
}

extension KafkaClient {
    /// A producer on this client's connections. Throws with code `.invalid` if a setting is out of its limits.
    public func producer(_ settings: ProducerSettings = ProducerSettings()) throws(KafkaClientError) -> Producer {
        try settings.validate()
        return Producer(client: self, settings: settings)
    }
}
