import NIOCore

/// Everything a producer knows, as a pure value: topics and their partitions, batches being filled, batches under
/// way, and callers that wait for room. It is given the time and what happened, and tells what to do.
///
/// The parts: `ProducerState+Append` (records come in), `ProducerState+Drain` (batches go out),
/// `ProducerState+Resolve` (answers come back) and `ProducerState+Split` (batches that were too large).
struct ProducerState {
    /// A partition: the batch being filled and those under way. A class, so that the batch is filled in place.
    final class Slot {
        let topic: Int
        let partition: Int32
        var queue: PartitionQueue
        var open: OpenBatch?

        init(topic: Int, partition: Int32, queue: PartitionQueue) {
            self.topic = topic
            self.partition = partition
            self.queue = queue
        }

        var isIdle: Bool { open == nil && queue.isEmpty }
    }

    struct Topic {
        let name: String
        var partitioner: Partitioner
        /// `slots[i]` is the slot of partition i.
        var slots: [Int]
        /// Partitions without a leader, which records without a key avoid.
        var leaderless: Set<Int32> = []
    }

    /// A complete batch.
    struct Sealed {
        let slot: Int
        /// The batch that it was closed as: its own number, or that of the batch that it is a part of.
        let order: Int
        let claims: [Claim]
        let recordCount: Int
        /// What it holds of the buffer.
        let reservedBytes: Int
        /// Nil while it is being compressed.
        var bytes: ByteBuffer?
        /// The broker that it is under way to.
        var broker: Int32?
    }

    /// A caller that waits for room in the buffer.
    struct Waiter {
        let number: Int
        let neededBytes: Int
        let deadline: Int64
        let turn: Completion<Void>
    }

    /// A caller that waits for everything that was accepted before it.
    struct Flush {
        let upTo: Int
        var left: Int
        let done: Completion<Void>
    }

    /// An idempotent producer's name, and whether a new one is needed.
    enum Naming: Equatable {
        case notNeeded
        case unknown
        case asking
        case known(ProducerIdentity)
    }

    let settings: ProducerSettings
    let retryBackoff: ClosedRange<Int64>
    var topics: [Topic] = []
    var topicNumbers: [String: Int] = [:]
    var slots: [Slot] = []
    /// Slots that hold anything.
    var busy: Set<Int> = []
    var batches: [Int: Sealed] = [:]
    var nextBatchID = 0
    var usedBytes = 0
    var waiters: [Waiter] = []
    var nextWaiter = 0
    /// Callers that were called from `waiters` and have not added their records yet.
    var called: Set<Int> = []
    var flushes: [Flush] = []
    var inFlight: [Int32: Int] = [:]
    var naming: Naming
    /// Why nothing is accepted any more.
    var end: KafkaClientError?

    init(settings: ProducerSettings, retryBackoff: ClosedRange<Int64>) {
        self.settings = settings
        self.retryBackoff = retryBackoff
        naming = settings.isIdempotent ? .unknown : .notNeeded
    }

    /// Under which name batches go out now; nil while an idempotent producer has none.
    var identity: ProducerIdentity? {
        switch naming {
        case .notNeeded: ProducerIdentity.none
        case .known(let identity): identity
        case .unknown, .asking: nil
        }
    }

    /// Takes in what metadata tells about a topic. Partitions are only ever added: a topic that was created anew with
    /// fewer keeps its old slots, whose batches then fail by their deadline.
    mutating func learn(topic name: String, partitions: Int32, leaderless: Set<Int32>, seed: UInt64) {
        guard partitions > 0 else { return }
        let number: Int
        if let known = topicNumbers[name] {
            number = known
            topics[number].partitioner.resize(to: partitions)
        } else {
            number = topics.count
            topicNumbers[name] = number
            topics.append(Topic(name: name, partitioner: Partitioner(count: partitions, seed: seed), slots: []))
        }
        topics[number].leaderless = leaderless
        while topics[number].slots.count < Int(partitions) {
            topics[number].slots.append(slots.count)
            let backoff = Backoff(
                firstMilliseconds: retryBackoff.lowerBound, mostMilliseconds: retryBackoff.upperBound)
            let queue = PartitionQueue(
                limit: settings.maximumInFlightPerPartition, isIdempotent: settings.isIdempotent, backoff: backoff)
            slots.append(Slot(topic: number, partition: Int32(topics[number].slots.count - 1), queue: queue))
        }
    }

    /// The topics that anything is under way for.
    var topicsInUse: Set<String> { Set(busy.map { topics[slots[$0].topic].name }) }
}
