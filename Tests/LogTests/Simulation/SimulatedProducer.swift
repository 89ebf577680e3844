import Log
import MillraceTesting
import Synchronization

/// An idempotent producer with up to five batches in flight, which it sends again, in order and with the same
/// sequences, until each is acknowledged.
struct SimulatedProducer {
    struct Unacknowledged {
        let batch: SimulatedBatch
        /// Where it was appended, in this connection; nil if it is to be sent (again).
        var endOffset: Int64?
        var waiter: SimulatedWaiter?
    }

    /// As Kafka's `max.in.flight.requests.per.connection` allows at most with idempotence.
    static let maximumInFlight = 5

    let id: Int64
    let topic: String
    let partition: Int32
    private(set) var nextSequence: Int32 = 0
    var inFlight: [Unacknowledged] = []
    /// The newest acknowledged batches, at most five: the log still knows them.
    private(set) var acknowledged: [SimulatedBatch] = []

    init(id: Int64, topic: String, partition: Int32) {
        self.id = id
        self.topic = topic
        self.partition = partition
    }

    mutating func enqueue(_ batch: SimulatedBatch) {
        inFlight.append(Unacknowledged(batch: batch))
        nextSequence += Int32(batch.count)
    }

    /// The first batch that is to be sent. Later ones wait until it is through.
    var firstToSend: Int? { inFlight.firstIndex { $0.endOffset == nil } }

    /// After a failure everything from an index on is sent again.
    mutating func sendAgain(from index: Int) {
        for later in index..<inFlight.count {
            inFlight[later].endOffset = nil
            inFlight[later].waiter = nil
        }
    }

    mutating func forgetConnection() {
        sendAgain(from: 0)
    }

    /// Takes the acknowledgements that have come.
    ///
    /// - Returns: the end offset that was promised, if any.
    mutating func collect() throws -> Int64? {
        var promised: Int64?
        while let first = inFlight.first, let end = first.endOffset, let waiter = first.waiter {
            switch try waiter.outcome() {
            case .none: return promised
            case .failed:
                sendAgain(from: 0)
                return promised
            case .synced:
                promised = end
                acknowledged = (acknowledged + [first.batch]).suffix(Self.maximumInFlight)
                inFlight.removeFirst()
            }
        }
        return promised
    }
}

/// Remembers what a sync waiter was told.
final class SimulatedWaiter: SyncWaiter {
    enum Outcome {
        case synced
        case failed
    }

    private let calls = Mutex<[Bool]>([])

    func synced(_ error: LogError?) {
        calls.withLock { $0.append(error == nil) }
    }

    func outcome() throws -> Outcome? {
        let calls = calls.withLock { $0 }
        try expect(calls.count <= 1, "a waiter was called \(calls.count) times")
        return calls.first.map { $0 ? .synced : .failed }
    }
}
