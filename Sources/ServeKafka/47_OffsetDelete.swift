// OffsetDelete (47): served 0.
//
// A group that is no consumer group must be empty (NON_EMPTY_GROUP), a consumer group must not read the topic
// (GROUP_SUBSCRIBED_TO_TOPIC). Deviation from Kafka: answered when the deletions are synced.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Appends here, and answers when that is synced.
    func offsetDelete(_ request: OffsetDeleteRequest, _ stamp: RequestStamp, _ ticket: Ticket) -> Outcome {
        let partitions = request.topics.reduce(0) { $0 + $1.partitions.count }
        guard partitions <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "the deletion of \(partitions) offsets")
        }
        let broker = broker
        let (response, places, positions) = broker.checkedPlaces(request)
        return answerLater(stamp, ticket) { answer in
            broker.groups.deleteOffsets(groupID: request.groupId, places) { all, each in
                var response = response
                response.errorCode = all
                if all != .none { response.topics = [] }
                for (position, code) in zip(positions, each) {
                    response.topics[position.topic].partitions[position.partition].errorCode = code
                }
                broker.count(response)
                answer(response)
            }
        }
    }
}

extension Broker {
    /// The partitions that exist, where their results go, and the response with the errors of the others.
    fileprivate func checkedPlaces(
        _ request: OffsetDeleteRequest
    ) -> (response: OffsetDeleteResponse, places: [GroupTopicPartition], positions: [PartitionPosition]) {
        var response = OffsetDeleteResponse()
        var places: [GroupTopicPartition] = []
        var positions: [PartitionPosition] = []
        for (topicPosition, asked) in request.topics.enumerated() {
            let topic = log.topic(named: asked.name)
            var answer = OffsetDeleteResponse.OffsetDeleteResponseTopic()
            answer.name = asked.name
            for (position, part) in asked.partitions.enumerated() {
                var result = OffsetDeleteResponse.OffsetDeleteResponsePartition()
                result.partitionIndex = part.partitionIndex
                if topic?.partition(part.partitionIndex) == nil {
                    result.errorCode = .unknownTopicOrPartition
                } else {
                    places.append(GroupTopicPartition(topic: asked.name, partition: part.partitionIndex))
                    positions.append(PartitionPosition(topic: topicPosition, partition: position))
                }
                answer.partitions.append(result)
            }
            response.topics.append(answer)
        }
        return (response, places, positions)
    }

    fileprivate func count(_ response: OffsetDeleteResponse) {
        instruments.countError(.offsetDelete, response.errorCode)
        for topic in response.topics {
            for partition in topic.partitions { instruments.countError(.offsetDelete, partition.errorCode) }
        }
    }
}
