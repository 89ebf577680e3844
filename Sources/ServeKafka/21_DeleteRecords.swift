// DeleteRecords (21): served 0 to 2.
//
// Deviations from Kafka: the time-out is not looked at; the answer comes when the deletion is durable. Segments without
// any record left are removed before the answer, the growing one included. An offset beyond what the topic's view has
// written is answered with POLICY_VIOLATION: clients would send a retriable error's request again in silence.

import KafkaWire
import Log
import Logging

extension Broker {
    /// Answers DeleteRecords. Waits for the disk.
    func deleteRecords(_ request: DeleteRecordsRequest) -> DeleteRecordsResponse {
        var response = DeleteRecordsResponse()
        var deletions: [(partition: Partition, offset: Int64)] = []
        // Where in the response the outcome of each deletion belongs.
        var places: [(topic: Int, partition: Int)] = []
        response.topics = request.topics.enumerated().map { topicIndex, asked in
            let topic = log.topic(named: asked.name)
            var answer = DeleteRecordsResponse.DeleteRecordsTopicResult()
            answer.name = asked.name
            answer.partitions = asked.partitions.enumerated().map { index, asked in
                var part = DeleteRecordsResponse.DeleteRecordsPartitionResult()
                part.partitionIndex = asked.partitionIndex
                part.lowWatermark = -1
                part.errorCode = .unknownTopicOrPartition
                if topic?.isInternal == true {
                    part.errorCode = .invalidTopicException
                } else if let partition = topic?.partition(asked.partitionIndex) {
                    deletions.append((partition, asked.offset))
                    places.append((topicIndex, index))
                }
                return part
            }
            return answer
        }
        for (place, result) in zip(places, log.deleteRecords(deletions)) {
            set(&response.topics[place.topic].partitions[place.partition], result)
        }
        note(response)
        return response
    }

    private func set(
        _ answer: inout DeleteRecordsResponse.DeleteRecordsPartitionResult, _ result: Result<Int64, LogError>
    ) {
        switch result {
        case .success(let start):
            answer.lowWatermark = start
            answer.errorCode = .none
        case .failure(let error): answer.errorCode = error.code == .viewBehind ? .policyViolation : error.kafkaCode
        }
    }

    /// Logs a line per topic, and counts errors.
    private func note(_ response: DeleteRecordsResponse) {
        for topic in response.topics {
            let cut = topic.partitions.filter { $0.errorCode == .none }
            if let first = cut.first {
                logger.info(
                    "records deleted",
                    metadata: [
                        "topic": "\(topic.name)", "partitions": "\(cut.count)", "partition": "\(first.partitionIndex)",
                        "start": "\(first.lowWatermark)",
                    ])
            }
            for partition in topic.partitions where partition.errorCode != .none {
                instruments.countError(.deleteRecords, partition.errorCode.name)
            }
        }
    }
}
