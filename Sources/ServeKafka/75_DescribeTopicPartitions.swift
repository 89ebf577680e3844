// DescribeTopicPartitions (75): served 0.
//
// Topics are answered in order of their names, up to `responsePartitionLimit` partitions (at most 2,000, as in Kafka);
// `nextCursor` says where to go on. Deviation from Kafka: one replica, no eligible leader replicas.

import KafkaWire
import Log

extension Broker {
    private static let maximumPartitionsPerAnswer = 2_000

    /// Answers DescribeTopicPartitions.
    func describeTopicPartitions(_ request: DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
        var response = DescribeTopicPartitionsResponse()
        let asked = request.topics.isEmpty ? log.topics().map(\.name) : Set(request.topics.map(\.name)).sorted()
        let names = asked.drop { $0 < request.cursor?.topicName ?? "" }
        var room = min(max(1, Int(request.responsePartitionLimit)), Self.maximumPartitionsPerAnswer)
        for name in names {
            // A cursor that names a topic which is gone continues with the next one from its start.
            let isResumed = name == request.cursor?.topicName
            let first = isResumed ? Int(max(0, request.cursor?.partitionIndex ?? 0)) : 0
            guard room > 0 else {
                response.nextCursor = cursor(name, first)
                return response
            }
            guard let topic = log.topic(named: name) else {
                response.topics.append(refusal(name))
                continue
            }
            let part = topic.partitions.dropFirst(first).prefix(room)
            response.topics.append(describe(topic, part))
            room -= part.count
            if first + part.count < topic.partitions.count {
                response.nextCursor = cursor(name, first + part.count)
                return response
            }
        }
        return response
    }

    private func cursor(_ name: String, _ partition: Int) -> DescribeTopicPartitionsResponse.Cursor {
        var cursor = DescribeTopicPartitionsResponse.Cursor()
        cursor.topicName = name
        cursor.partitionIndex = Int32(partition)
        return cursor
    }

    private func refusal(_ name: String) -> DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic {
        var answer = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic()
        answer.name = name
        answer.errorCode = .unknownTopicOrPartition
        do throws(LogError) {
            try log.validateTopic(name, partitions: 1, configs: [:])
        } catch {
            if error.code == .invalidTopicName { answer.errorCode = error.kafkaCode }
        }
        instruments.countError(.describeTopicPartitions, answer.errorCode.name)
        return answer
    }

    private func describe(
        _ topic: Topic, _ partitions: some Sequence<Partition>
    ) -> DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic {
        var answer = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic()
        answer.name = topic.name
        answer.topicId = topic.id
        answer.isInternal = topic.isInternal
        answer.partitions = partitions.map { partition in
            var part = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition()
            part.partitionIndex = partition.index
            part.leaderId = log.nodeID
            part.leaderEpoch = partition.leaderEpoch
            part.replicaNodes = [log.nodeID]
            part.isrNodes = [log.nodeID]
            return part
        }
        return answer
    }
}
