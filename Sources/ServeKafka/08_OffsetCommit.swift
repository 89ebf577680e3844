// OffsetCommit (8): served 2 to 10.
//
// Deviations from Kafka: answered when the offsets are synced. A commit that would make one offset or one group more
// than allowed is answered with POLICY_VIOLATION. The group protocol of KIP-848 is not served: a member's epoch is
// taken for its generation.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Appends here, and answers when that is synced.
    func offsetCommit(_ request: OffsetCommitRequest, _ stamp: RequestStamp, _ ticket: Ticket) -> Outcome {
        let partitions = request.topics.reduce(0) { $0 + $1.partitions.count }
        guard partitions <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "an offset commit for \(partitions) partitions")
        }
        let (broker, groups) = (broker, broker.groups)
        var (response, offsets, positions) = broker.checkedOffsets(request, version: stamp.version)
        guard groups.isReady else {
            for position in positions { response[position].errorCode = .notCoordinator }
            return .answered(.other(broker.counted(response)))
        }
        guard !offsets.isEmpty else { return .answered(.other(broker.counted(response))) }
        let commit = GroupCommit(
            groupID: request.groupId,
            member: GroupMemberIdentity(memberID: request.memberId, instanceID: request.groupInstanceId),
            generation: request.generationIdOrMemberEpoch, retentionMilliseconds: request.retentionTimeMs,
            offsets: offsets)
        return answerLater(stamp, ticket) { [response, positions] answer in
            groups.commit(commit) { errors in
                var response = response
                for (position, error) in zip(positions, errors) { response[position].errorCode = error }
                answer(broker.counted(response))
            }
        }
    }
}

extension Broker {
    /// The offsets of partitions that exist, where their results go, and the response with the errors of the others.
    fileprivate func checkedOffsets(
        _ request: OffsetCommitRequest, version: Int16
    ) -> (response: OffsetCommitResponse, offsets: [GroupCommit.Offset], positions: [PartitionPosition]) {
        var response = OffsetCommitResponse()
        var offsets: [GroupCommit.Offset] = []
        var positions: [PartitionPosition] = []
        for (topicPosition, asked) in request.topics.enumerated() {
            let isByID = version >= 10
            let topic = isByID ? log.topic(id: asked.topicId) : log.topic(named: asked.name)
            var answer = OffsetCommitResponse.OffsetCommitResponseTopic()
            answer.name = asked.name
            answer.topicId = asked.topicId
            for (position, part) in asked.partitions.enumerated() {
                var result = OffsetCommitResponse.OffsetCommitResponsePartition()
                result.partitionIndex = part.partitionIndex
                if let topic, topic.partition(part.partitionIndex) != nil {
                    let place = GroupTopicPartition(topic: topic.name, partition: part.partitionIndex)
                    offsets.append(
                        GroupCommit.Offset(
                            place: place, offset: part.committedOffset, leaderEpoch: part.committedLeaderEpoch,
                            metadata: part.committedMetadata ?? ""))
                    positions.append(PartitionPosition(topic: topicPosition, partition: position))
                } else {
                    result.errorCode = isByID && topic == nil ? .unknownTopicId : .unknownTopicOrPartition
                }
                answer.partitions.append(result)
            }
            response.topics.append(answer)
        }
        return (response, offsets, positions)
    }

    fileprivate func counted(_ response: OffsetCommitResponse) -> OffsetCommitResponse {
        for topic in response.topics {
            for partition in topic.partitions { instruments.countError(.offsetCommit, partition.errorCode) }
        }
        return response
    }
}

extension OffsetCommitResponse {
    fileprivate subscript(_ position: PartitionPosition) -> OffsetCommitResponsePartition {
        get { topics[position.topic].partitions[position.partition] }
        set { topics[position.topic].partitions[position.partition] = newValue }
    }
}
