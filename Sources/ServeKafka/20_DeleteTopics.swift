// DeleteTopics (20): served 1 to 6.
//
// Deviations from Kafka: the time-out is not looked at; the answer comes when the deletion is durable. Internal topics
// are refused with INVALID_TOPIC_EXCEPTION. Groups forget their offsets of a deleted topic.

import Groups
import Instruments
import KafkaWire
import Log
import Logging

extension KafkaConnection {
    /// Deletion waits for the disk.
    func deleteTopics(_ request: DeleteTopicsRequest, version: Int16) -> Outcome {
        let broker = broker
        return .offloaded { .other(broker.deleteTopics(request, version: version)) }
    }
}

extension Broker {
    /// Answers DeleteTopics. Waits for the disk.
    func deleteTopics(_ request: DeleteTopicsRequest, version: Int16) -> DeleteTopicsResponse {
        var response = DeleteTopicsResponse()
        if version >= 6 {
            response.responses = request.topics.map { delete(name: $0.name, id: $0.topicId) }
        } else {
            response.responses = request.topicNames.map { delete(name: $0, id: .zero) }
        }
        return response
    }

    private func delete(name: String?, id: Uuid) -> DeleteTopicsResponse.DeletableTopicResult {
        var answer = DeleteTopicsResponse.DeletableTopicResult()
        answer.name = name
        answer.topicId = id
        do throws(LogError) {
            guard (name == nil) != (id == .zero) else {
                answer.errorCode = .invalidRequest
                answer.errorMessage = "a topic to delete is given by its name or by its id, one of them"
                return answer
            }
            guard let topic = name.map(log.topic(named:)) ?? log.topic(id: id) else {
                throw LogError(.unknownTopic, "no such topic")
            }
            answer.name = topic.name
            answer.topicId = topic.id
            guard !topic.isInternal else {
                throw LogError(.invalidTopicName, "\(topic.name) is an internal topic, which cannot be deleted")
            }
            try log.deleteTopic(topic.id)
            groups.forgetTopic(topic.name)
            instruments.forgetTopic(topic.name)
            logger.info("topic deleted", metadata: ["topic": "\(topic.name)", "id": "\(topic.id)"])
        } catch {
            let isUnknownID = name == nil && error.code == .unknownTopic
            answer.errorCode = isUnknownID ? .unknownTopicId : error.kafkaCode
            answer.errorMessage = error.message
            instruments.countError(.deleteTopics, answer.errorCode.name)
        }
        return answer
    }
}
