// ListOffsets (2): served 1 to 11.
//
// Deviations from Kafka: there is no tiered storage, so the earliest local offset is the earliest offset, and the
// latest tiered and the earliest pending upload are answered with "none" (-1). Versions before 1 are not served.

import KafkaWire
import Log

extension KafkaConnection {
    /// Answers here if the offsets are at hand; finding one by time reads the log.
    func listOffsets(_ request: ListOffsetsRequest) -> Outcome {
        let partitions = request.topics.reduce(0) { $0 + $1.partitions.count }
        guard partitions <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "a ListOffsets request for \(partitions) partitions")
        }
        let broker = broker
        let readsLog = request.topics.contains {
            $0.partitions.contains { SpecialTimestamp(rawValue: $0.timestamp)?.isAtHand != true }
        }
        guard readsLog else { return .answered(.other(broker.listOffsets(request))) }
        return .offloaded { .other(broker.listOffsets(request)) }
    }
}

/// The timestamps that ask for something else than a time.
enum SpecialTimestamp: Int64 {
    case latest = -1
    case earliest = -2
    /// KIP-734: of the record with the largest timestamp.
    case maximum = -3
    /// KIP-405: the first one on the broker's own disk.
    case earliestLocal = -4
    /// KIP-1005: the last one in tiered storage.
    case latestTiered = -5
    /// KIP-1023: the first one that is not in tiered storage yet.
    case earliestPendingUpload = -6

    /// Whether it is answered without reading the log.
    var isAtHand: Bool { self != .maximum }
}

extension Broker {
    /// Answers ListOffsets. May read the log.
    func listOffsets(_ request: ListOffsetsRequest) -> ListOffsetsResponse {
        var response = ListOffsetsResponse()
        response.topics = request.topics.map { asked in
            let topic = log.topic(named: asked.name)
            var answer = ListOffsetsResponse.ListOffsetsTopicResponse()
            answer.name = asked.name
            answer.partitions = asked.partitions.map { listOffset($0, topic) }
            return answer
        }
        return response
    }

    private func listOffset(
        _ asked: ListOffsetsRequest.ListOffsetsPartition, _ topic: Topic?
    ) -> ListOffsetsResponse.ListOffsetsPartitionResponse {
        var answer = ListOffsetsResponse.ListOffsetsPartitionResponse()
        answer.partitionIndex = asked.partitionIndex
        do throws(LogError) {
            guard let partition = topic?.partition(asked.partitionIndex) else {
                throw LogError(.unknownTopic, "no such topic or partition")
            }
            try checkEpoch(asked.currentLeaderEpoch, partition)
            guard let found = try offset(at: asked.timestamp, in: partition) else { return answer }
            answer.offset = found.offset
            answer.timestamp = found.timestamp
            answer.leaderEpoch = found.leaderEpoch
        } catch {
            answer.errorCode = error.kafkaCode
            instruments.countError(.listOffsets, answer.errorCode.name)
        }
        return answer
    }

    private func offset(
        at timestamp: Int64, in partition: Partition
    ) throws(LogError) -> (offset: Int64, timestamp: Int64, leaderEpoch: Int32)? {
        switch SpecialTimestamp(rawValue: timestamp) {
        case .latest: return (try partition.latestOffset(), -1, partition.leaderEpoch)
        case .earliest, .earliestLocal:
            let start = partition.logStartOffset
            return (start, -1, partition.leaderEpoch(ofOffset: start))
        case .latestTiered, .earliestPendingUpload: return nil
        case .maximum: return try partition.offsetOfMaximumTimestamp().map { ($0.offset, $0.timestamp, $0.leaderEpoch) }
        case nil:
            return try partition.offset(forTimestamp: timestamp).map { ($0.offset, $0.timestamp, $0.leaderEpoch) }
        }
    }
}
