import Bytes
import Instruments
import KafkaWire
import Log
import Machine
import Synchronization

/// Where rejections go of which no writer is told: the topic `rejected.<topic>`, created by the first one.
///
/// A record's value is the refused part as it came, cut at 1 KiB. Its headers are `reason`, `topic`, `partition`,
/// `offset` and `position` (of the first byte within the record's value), and `count` (the points of the part). After
/// a restart the records since the last manifest are applied again, and rejections of them come again, also those that
/// a writer over HTTP was told: who was, nobody knows any more. Topic, partition, offset and position tell the same one.
final class RejectedTopics: Sendable {
    /// What a topic's name begins with whose records are rejections. Never the source of a view's rejections itself.
    static let prefix = "rejected."
    /// Rejections that wait to be written; beyond them they are counted only.
    private static let maximumQueued = 10_000
    private static let maximumNameBytes = 249

    private struct Item: Sendable {
        let topic: String
        let partition: Int32
        let rejection: Rejection
    }

    private struct State: Sendable {
        var queue: [Item] = []
        var seat: ViewWorker.Seat?
        /// What each topic may still write in this second.
        var allowances: [String: Int] = [:]
        var second: Int64 = .min
    }

    private let log: CommitLog
    private let settings: ViewSettings
    private let clock: any Clock
    private let state = Mutex(State())
    /// Rejections that were written.
    let written = Counter()
    /// Rejections that were not, because of a bound or an error.
    let dropped = Counter()

    init(log: CommitLog, settings: ViewSettings, clock: any Clock) {
        self.log = log
        self.settings = settings
        self.clock = clock
    }

    func start(at worker: ViewWorker, report: @escaping @Sendable (String) -> Void) {
        let seat = ViewWorker.Seat(at: worker) { [weak self] in
            self?.write(report)
            return .wait(untilMilliseconds: nil)
        }
        state.withLock { $0.seat = seat }
        // A replay may have queued some already.
        seat.request()
    }

    /// Queues rejections of a partition's records. Cheap.
    func add(_ rejections: [Rejection], from partition: Partition) {
        let second = Int64(clock.monotonicNanoseconds() / 1_000_000_000)
        let (taken, seat) = state.withLock { state -> (Int, ViewWorker.Seat?) in
            if state.second != second {
                state.second = second
                state.allowances = [:]
            }
            let left = state.allowances[partition.topicName] ?? settings.rejectedPerSecond
            let count = max(0, min(rejections.count, left, Self.maximumQueued - state.queue.count))
            state.allowances[partition.topicName] = left - count
            state.queue += rejections.prefix(count).map {
                Item(topic: partition.topicName, partition: partition.index, rejection: $0)
            }
            return (count, state.seat)
        }
        dropped.add(UInt64(rejections.count - taken))
        if taken > 0 { seat?.request() }
    }

    /// Writes what is queued.
    func write(_ report: (String) -> Void) {
        let items = state.withLock { state in
            defer { state.queue = [] }
            return state.queue
        }
        for (topic, items) in Dictionary(grouping: items, by: \.topic).sorted(by: { $0.key < $1.key }) {
            do throws(LogError) {
                try append(items, to: Self.prefix + topic)
                written.add(UInt64(items.count))
            } catch {
                dropped.add(UInt64(items.count))
                report("\(items.count) rejections of \(topic) could not be kept: \(error)")
            }
        }
    }

    private func append(_ items: [Item], to name: String) throws(LogError) {
        guard name.utf8.count <= Self.maximumNameBytes else {
            throw LogError(.invalidTopicName, "\(name) is too long for a topic's name")
        }
        let known = log.topic(named: name)
        let topic = if let known { known } else { try create(name) }
        var start = 0
        while start < items.count {
            // A batch of at most 500 parts of 1 KiB stays below the largest message.
            let end = min(items.count, start + 500)
            try append(items[start..<end], to: topic.partitions[0])
            start = end
        }
    }

    private func create(_ name: String) throws(LogError) -> Topic {
        do throws(LogError) {
            return try log.createTopic(
                name, partitions: 1,
                configs: [
                    "retention.bytes": "\(settings.rejectedBytes)", "segment.bytes": "\(settings.rejectedBytes / 4)",
                ])
        } catch {
            guard error.code == .topicExists, let topic = log.topic(named: name) else { throw error }
            return topic
        }
    }

    private func append(_ items: ArraySlice<Item>, to partition: Partition) throws(LogError) {
        let now = clock.wallMilliseconds()
        var builder = RecordBatchBuilder()
        for item in items {
            let headers: [(String, String)] = [
                ("reason", item.rejection.reason), ("topic", item.topic), ("partition", "\(item.partition)"),
                ("offset", "\(item.rejection.offset)"), ("position", "\(item.rejection.position)"),
                ("count", "\(item.rejection.count)"),
            ]
            builder.append(
                key: nil, value: item.rejection.content,
                headers: headers.map { RecordHeader(key: $0.0, value: Array($0.1.utf8)) }, timestamp: now)
        }
        var writer = ByteWriter(capacity: builder.sizeBytes)
        do {
            try builder.finish(into: &writer)
        } catch {
            throw LogError(.invalidRecord, "cannot build a batch", cause: error)
        }
        _ = try writer.withUnsafeMutableBytes { bytes throws(LogError) in
            try partition.append(bytes, durability: .flushInterval)
        }
    }
}
