import Bytes
import KafkaWire
import Log
import Machine
import Synchronization

/// The topic `__consumer_offsets`: where the records of groups stand.
final class OffsetsTopic: Sendable {
    /// A record to be appended. Without a value it is a tombstone.
    struct Record: Sendable {
        var key: [UInt8]
        var value: [UInt8]?
    }

    /// Batches of many records are cut at about this many bytes.
    private static let batchBytes = 1 << 20
    /// The largest batch that the topic takes, in bytes: a group's record is one.
    private static let maximumBatchBytes = 64 << 20

    let log: CommitLog
    private let partitionCount: Int
    /// A partition is cut off by whole segments: what stays of what could go is less than one.
    private let segmentBytes: Int64
    private let topic: Mutex<Topic?>

    init(_ log: CommitLog, settings: GroupSettings) {
        self.log = log
        let found = log.topic(named: TopicName.consumerOffsets)
        topic = Mutex(found)
        segmentBytes = min(max(settings.rewriteBytes / 4, 1_024), 1 << 30)
        partitionCount = found?.partitions.count ?? Int(max(1, settings.offsetsPartitions))
    }

    /// The partitions, if the topic exists.
    var partitions: [Partition] { topic.withLock { $0?.partitions ?? [] } }

    func placement(of group: String) -> Int {
        GroupPlacement.partition(of: group, count: partitionCount)
    }

    func partition(_ index: Int) -> Partition? {
        topic.withLock { topic in topic.flatMap { $0.partition(Int32(index)) } }
    }

    /// The partition; the first use creates the topic.
    private func partitionForAppend(_ index: Int) throws(LogError) -> Partition {
        let topic = try create()
        guard let partition = topic.partition(Int32(index)) else {
            throw LogError(.unknownTopic, "\(TopicName.consumerOffsets) has no partition \(index)")
        }
        return partition
    }

    /// The topic, created if it does not exist. The lock is not held meanwhile: whoever only looks does not wait for the
    /// disk.
    @discardableResult
    func create() throws(LogError) -> Topic {
        if let topic = topic.withLock({ $0 }) { return topic }
        let created: Topic
        do throws(LogError) {
            created = try log.createTopic(
                TopicName.consumerOffsets, partitions: Int32(partitionCount),
                configs: [
                    "retention.ms": "-1", "retention.bytes": "-1", "segment.bytes": "\(segmentBytes)",
                    "max.message.bytes": "\(Self.maximumBatchBytes)",
                ])
        } catch {
            // Another thread was faster.
            guard error.code == .topicExists, let found = log.topic(named: TopicName.consumerOffsets) else {
                throw error
            }
            created = found
        }
        topic.withLock { $0 = created }
        return created
    }

    /// Appends one batch.
    func append(_ records: [Record], to index: Int, _ durability: Durability) throws(LogError) -> AppendResult {
        let partition = try partitionForAppend(index)
        let now = log.machine.clock.wallMilliseconds()
        var builder = RecordBatchBuilder(
            capacity: records.reduce(0) { $0 + $1.key.count + ($1.value?.count ?? 0) + 36 })
        for record in records { builder.append(key: record.key, value: record.value, timestamp: now) }
        var writer = ByteWriter(capacity: builder.sizeBytes)
        do {
            try builder.finish(into: &writer)
        } catch {
            throw LogError(.storage, "cannot build a batch for \(TopicName.consumerOffsets)", cause: error)
        }
        return try writer.withUnsafeMutableBytes { bytes throws(LogError) in
            try partition.append(bytes, durability: durability)
        }
    }

    /// Appends as many batches as it takes; `appended` hears of each with the range of its records and its first
    /// offset. What was appended before an error stays.
    func append(
        _ records: [Record], to index: Int, _ durability: Durability, appended: (Range<Int>, AppendResult) -> Void
    ) throws(LogError) {
        var start = 0
        while start < records.count {
            var end = start
            var bytes = 0
            while end < records.count, end == start || bytes < Self.batchBytes {
                bytes += records[end].key.count + (records[end].value?.count ?? 0)
                end += 1
            }
            appended(start..<end, try append(Array(records[start..<end]), to: index, durability))
            start = end
        }
    }
}
