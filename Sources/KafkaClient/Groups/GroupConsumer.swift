import KafkaWire
import Synchronization

/// Reads topics together with the other members of a group: each partition is read by one of them.
///
/// A batch counts as processed when the next one is asked for; what was processed is committed every
/// `autoCommitMilliseconds`, before partitions go to another member, and by `close()`. So whatever a member was given
/// and had not finished when it died is given to another one: at least once.
///
/// Works with the classic group protocol and its eager assignors (range, round robin), which every Kafka client knows.
/// A topic's new partitions are taken up with the next rebalance.
///
/// ```swift
/// let consumer = try await client.groupConsumer("billing", topics: ["orders"])
/// while let batch = try await consumer.nextBatch() { … }
/// await consumer.close()
/// ```
public final class GroupConsumer: Sendable {
    enum Phase: Sendable {
        /// Between two assignments.
        case joining
        /// Reading; the number grows with each assignment.
        case reading(round: Int)
        case failed(KafkaClientError)
    }

    struct State: Sendable {
        var phase = Phase.joining
        var seat: GroupSeat
        var assigned: Set<TopicPartition> = []
        /// What was handed out last, and is processed when more is asked for.
        var inHand: (partition: TopicPartition, nextOffset: Int64)?
        /// What is to be committed.
        var processed: [TopicPartition: Int64] = [:]
        var rounds = 0
        /// Whether reading is to end; the member stays in the group until it is closed.
        var isStopped = false
        var isClosed = false
        var waiters: [Completion<Void>] = []
    }

    let topics: [String]
    let settings: GroupConsumerSettings
    let client: KafkaClient
    /// Joining waits for the other members, and answers come in order: the coordinator gets a connection of its own.
    let coordination: KafkaClient
    let consumer: Consumer
    let state: Mutex<State>
    private let member = Mutex<Task<Void, Never>?>(nil)

    init(
        client: KafkaClient, group: String, topics: [String], settings: GroupConsumerSettings
    ) throws(KafkaClientError) {
        self.client = client
        self.topics = topics
        self.settings = settings
        coordination = try KafkaClient(client.settings, logger: client.logger)
        consumer = try client.consumer(settings.consumer)
        state = Mutex(State(seat: GroupSeat(group: group, instanceID: settings.instanceID)))
    }

    func start() {
        member.withLock { $0 = Task.detached { [self] in await takePart() } }
    }

    /// The partitions that this member reads now.
    public var assignment: [TopicPartition] { state.withLock { $0.assigned.sorted() } }

    /// The next batch: waits for it, and while the group rebalances; nil at the end. Throws what ended this member.
    public func nextBatch() async throws(KafkaClientError) -> ConsumedBatch? {
        noteProcessed()
        while true {
            guard let round = try await readingRound() else { return nil }
            if settings.to != nil, state.withLock({ $0.assigned.isEmpty }) { return nil }
            let batch = try await consumer.nextBatch()
            let verdict = state.withLock { state -> (isCurrent: Bool, batch: ConsumedBatch?) in
                guard case .reading(round) = state.phase else { return (false, nil) }
                guard let batch else { return (true, nil) }
                guard state.assigned.contains(batch.topicPartition) else { return (false, nil) }
                state.inHand = (batch.topicPartition, batch.nextOffset)
                return (true, batch)
            }
            if verdict.isCurrent { return verdict.batch }
        }
    }

    /// Commits what was processed, the batch in hand included, and waits until that is durable.
    public func commit() async throws(KafkaClientError) {
        noteProcessed()
        try await commitProcessed()
    }

    /// Commits positions of this member's partitions, for whoever stops within a batch, and waits until that is durable.
    public func commit(_ positions: [TopicPartition: Int64]) async throws(KafkaClientError) {
        state.withLock { state in
            for (partition, offset) in positions where state.assigned.contains(partition) {
                state.processed[partition] = offset
                if state.inHand?.partition == partition { state.inHand = nil }
            }
        }
        try await commitProcessed()
    }

    /// Ends the sequence of batches. The member stays in the group until `close()`, so that what was processed can be
    /// committed.
    public func stop() {
        let waiters = state.withLock { state in
            state.isStopped = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.complete(.success(())) }
        consumer.close()
    }

    /// Commits what was processed (unless `autoCommitMilliseconds` is nil), leaves the group, and ends the sequence.
    public func close() async {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        if wasClosed { return }
        stop()
        let task = member.withLock { $0 }
        task?.cancel()
        await task?.value
        if settings.autoCommitMilliseconds != nil { try? await commitProcessed() }
        await leave()
        await coordination.close()
    }

    private func noteProcessed() {
        state.withLock { state in
            guard let (partition, offset) = state.inHand else { return }
            state.inHand = nil
            if state.assigned.contains(partition) { state.processed[partition] = offset }
        }
    }

    /// Waits until the member reads; nil when it is stopped.
    private func readingRound() async throws(KafkaClientError) -> Int? {
        while true {
            let waiter = Completion<Void>()
            let phase = state.withLock { state -> Phase? in
                if state.isStopped { return nil }
                if case .joining = state.phase { state.waiters.append(waiter) }
                return state.phase
            }
            switch phase {
            case .reading(let round)?: return round
            case .failed(let error)?: throw error
            case .joining?: try await waiter.value()
            case nil: return nil
            }
        }
    }

    /// Goes into a phase, and wakes who waits for it.
    func end(_ phase: Phase) {
        let waiters = state.withLock { state in
            state.phase = phase
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.complete(.success(())) }
    }
}

extension KafkaClient {
    /// Joins a group, and reads topics as one of its members. Throws with code `.invalid` if a setting is out of its
    /// limits; what keeps it from joining is thrown by the first read.
    public func groupConsumer(
        _ group: String, topics: [String], settings: GroupConsumerSettings = GroupConsumerSettings()
    ) throws(KafkaClientError) -> GroupConsumer {
        try settings.validate()
        guard !group.isEmpty, !topics.isEmpty else {
            throw KafkaClientError(.invalid, "a group needs a name, and topics to read")
        }
        let consumer = try GroupConsumer(client: self, group: group, topics: topics, settings: settings)
        consumer.start()
        return consumer
    }
}
