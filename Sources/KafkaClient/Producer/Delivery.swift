import Synchronization

/// Records that a producer has accepted and not necessarily delivered yet.
///
/// Nobody needs to wait for it: the records are on their way whether or not anyone looks.
public final class Delivery: Sendable {
    /// A stretch of records that went into one batch.
    private struct Run {
        let records: Range<Int>
        let partition: Int32
        let outcome: Result<Written, KafkaClientError>
    }

    /// Where a stretch of records was written.
    struct Written {
        /// The offset of its first record, if the broker told.
        let offset: Int64?
        /// The broker's time of appending, if the topic stamps records so.
        let logAppendTimeMilliseconds: Int64?
    }

    private struct State {
        var runs: [Run] = []
        var left: Int
    }

    /// The topic.
    public let topic: String
    /// The number of records.
    public let count: Int
    private let timestamps: Timestamps
    private let state: Mutex<State>
    private let completion = Completion<Void>()

    /// The time of each record, without an array where all have the same.
    enum Timestamps {
        case same(Int64)
        case each([Int64])

        init(_ records: [Record], now: Int64) {
            if records.allSatisfy({ $0.timestampMilliseconds == nil }) {
                self = .same(now)
            } else {
                self = .each(records.map { $0.timestampMilliseconds ?? now })
            }
        }

        subscript(index: Int) -> Int64 {
            switch self {
            case .same(let time): time
            case .each(let times): times[index]
            }
        }
    }

    init(topic: String, count: Int, timestamps: Timestamps) {
        self.topic = topic
        self.count = count
        self.timestamps = timestamps
        state = Mutex(State(left: count))
        if count == 0 { completion.complete(.success(())) }
    }

    /// The time of a record, in milliseconds since 1970-01-01 UTC.
    func timestamp(_ index: Int) -> Int64 { timestamps[index] }

    /// Waits until every record is acknowledged or given up, and tells where they are, in the order in which they were
    /// given. Throws the first failure if any record failed; `outcomes()` tells about each.
    public func metadata() async throws(KafkaClientError) -> [RecordMetadata] {
        var all: [RecordMetadata] = []
        all.reserveCapacity(count)
        for outcome in try await outcomes() { all.append(try outcome.get()) }
        return all
    }

    /// Waits as `metadata()` does, and tells what became of each record. Throws only with code `.cancelled`.
    public func outcomes() async throws(KafkaClientError) -> [Result<RecordMetadata, KafkaClientError>] {
        try await completion.value()
        let runs = state.withLock { $0.runs }.sorted { $0.records.lowerBound < $1.records.lowerBound }
        var outcomes: [Result<RecordMetadata, KafkaClientError>] = []
        outcomes.reserveCapacity(count)
        for run in runs {
            for index in run.records { outcomes.append(run.outcome.map { metadata(of: index, in: run, $0) }) }
        }
        return outcomes
    }

    /// What became of a stretch of records.
    func settle(_ records: Range<Int>, partition: Int32, _ outcome: Result<Written, KafkaClientError>) {
        let isOver = state.withLock { state in
            state.runs.append(Run(records: records, partition: partition, outcome: outcome))
            state.left -= records.count
            return state.left == 0
        }
        if isOver { completion.complete(.success(())) }
    }

    private func metadata(of index: Int, in run: Run, _ written: Written) -> RecordMetadata {
        RecordMetadata(
            topic: topic, partition: run.partition,
            offset: written.offset.map { $0 + Int64(index - run.records.lowerBound) },
            timestampMilliseconds: written.logAppendTimeMilliseconds ?? timestamps[index])
    }
}
