// OffsetForLeaderEpoch (23): served 2 to 4.
//
// Deviations from Kafka: the current epoch ends at the high watermark for everybody; there are no followers, so the
// replica id is not looked at. Epochs go up by one with every unclean start of the broker, and only the last 256 that
// have records are known.

import KafkaWire
import Log

extension Broker {
    /// Answers OffsetForLeaderEpoch. May open the partitions' files.
    func offsetForLeaderEpoch(_ request: OffsetForLeaderEpochRequest) -> OffsetForLeaderEpochResponse {
        var response = OffsetForLeaderEpochResponse()
        response.topics = request.topics.map { asked in
            let topic = log.topic(named: asked.topic)
            var answer = OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult()
            answer.topic = asked.topic
            answer.partitions = asked.partitions.map { epochEnd($0, topic) }
            return answer
        }
        return response
    }

    private func epochEnd(
        _ asked: OffsetForLeaderEpochRequest.OffsetForLeaderPartition, _ topic: Topic?
    ) -> OffsetForLeaderEpochResponse.EpochEndOffset {
        var answer = OffsetForLeaderEpochResponse.EpochEndOffset()
        answer.partition = asked.partition
        do throws(LogError) {
            guard let partition = topic?.partition(asked.partition) else {
                throw LogError(.unknownTopic, "no such topic or partition")
            }
            try checkEpoch(asked.currentLeaderEpoch, partition)
            guard let end = try partition.endOffset(ofLeaderEpoch: asked.leaderEpoch) else { return answer }
            answer.leaderEpoch = end.epoch
            answer.endOffset = end.endOffset
        } catch {
            answer.errorCode = error.kafkaCode
            instruments.countError(.offsetForLeaderEpoch, answer.errorCode.name)
        }
        return answer
    }
}
