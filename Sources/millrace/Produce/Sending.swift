import KafkaClient
import NIOCore

/// Hands records to a producer, follows their deliveries and counts.
struct Sending {
    /// How many deliveries are followed before the oldest are waited for. The producer's buffer bounds their bytes.
    private static let maximumOpenDeliveries = 1_024

    let producer: Producer
    let topic: String
    private var open: [Delivery] = []
    private var summary = ProduceSummary()
    private var progress: Progress
    private let started = NIODeadline.now()

    init(producer: Producer, topic: String, isQuiet: Bool) {
        self.producer = producer
        self.topic = topic
        progress = Progress(isWanted: !isQuiet)
    }

    /// Hands records over. Waits while the producer's buffer is full.
    mutating func send(_ records: [Record]) async throws {
        guard !records.isEmpty else { return }
        open.append(try await producer.enqueue(records, to: topic))
        for record in records { summary.bytes += (record.key?.count ?? 0) + (record.value?.count ?? 0) }
        if open.count >= Self.maximumOpenDeliveries {
            for delivery in open.prefix(Self.maximumOpenDeliveries / 2) { await count(delivery) }
            open.removeFirst(Self.maximumOpenDeliveries / 2)
        }
        report()
        // A topic that cannot be written to fails at the first batch: the rest of the input is not worth reading.
        if let failure = summary.failure, summary.records == 0 { throw failure }
    }

    /// Waits until everything is delivered or given up.
    mutating func finish() async -> ProduceSummary {
        try? await producer.flush()
        for delivery in open { await count(delivery) }
        open = []
        await producer.close()
        progress.clear()
        summary.seconds = Double((NIODeadline.now() - started).nanoseconds) / 1e9
        return summary
    }

    private mutating func count(_ delivery: Delivery) async {
        guard let outcomes = try? await delivery.outcomes() else { return }
        for outcome in outcomes { summary.add(outcome) }
        report()
    }

    private mutating func report() {
        let now = NIODeadline.now()
        guard progress.isDue(now: now) else { return }
        let seconds = progress.seconds(now: now)
        let rates =
            "\(Amount.count(Double(summary.records) / seconds)) records/s, "
            + "\(Amount.bytes(Double(summary.bytes) / seconds))/s"
        progress.show("\(Amount.count(Double(summary.records))) records acknowledged; \(rates)", now: now)
    }
}
