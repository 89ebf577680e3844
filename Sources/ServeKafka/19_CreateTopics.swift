// CreateTopics (19): served 2 to 7.
//
// Deviations from Kafka: one broker, so the replication factor is 1 and an assignment may name this broker only. A
// count of -1 takes the broker's default in every version. From version 5 on the configs are always told, never null:
// null crashes Java's admin client. The time-out is not looked at: creation is one commit.

import KafkaWire
import Log
import Logging

extension KafkaConnection {
    /// Creation waits for the disk.
    func createTopics(_ request: CreateTopicsRequest) -> Outcome {
        let broker = broker
        return .offloaded { .other(broker.createTopics(request)) }
    }
}

extension Broker {
    /// Answers CreateTopics. Waits for the disk.
    func createTopics(_ request: CreateTopicsRequest) -> CreateTopicsResponse {
        var occurrences: [String: Int] = [:]
        for topic in request.topics { occurrences[topic.name, default: 0] += 1 }
        var response = CreateTopicsResponse()
        response.topics = request.topics.map { asked in
            var answer = CreateTopicsResponse.CreatableTopicResult()
            answer.name = asked.name
            do throws(RequestRefusal) {
                guard occurrences[asked.name] == 1 else {
                    throw RequestRefusal(.invalidRequest, "the request names topic \(asked.name) more than once")
                }
                try create(asked, validateOnly: request.validateOnly, &answer)
            } catch {
                answer.errorCode = error.code
                answer.errorMessage = error.message
                instruments.countError(.createTopics, error.code.name)
            }
            return answer
        }
        return response
    }

    private func create(
        _ asked: CreateTopicsRequest.CreatableTopic, validateOnly: Bool,
        _ answer: inout CreateTopicsResponse.CreatableTopicResult
    ) throws(RequestRefusal) {
        guard !TopicName.isInternal(asked.name) else {
            throw RequestRefusal(.invalidRequest, "\(asked.name) is an internal topic, which the broker creates")
        }
        let partitions = try partitionCount(asked)
        let configs = try configs(asked)
        do throws(LogError) {
            if validateOnly {
                try log.validateTopic(asked.name, partitions: partitions, configs: configs)
            } else {
                let topic = try log.createTopic(asked.name, partitions: partitions, configs: configs)
                answer.topicId = topic.id
                logger.info("topic created", metadata: ["topic": "\(asked.name)", "partitions": "\(partitions)"])
            }
        } catch {
            throw RequestRefusal(error)
        }
        answer.numPartitions = partitions
        answer.replicationFactor = 1
        answer.configs = log.settings.describeConfigs(settingOnTopic: configs).map { described in
            var config = CreateTopicsResponse.CreatableTopicConfigs()
            config.name = described.name
            config.value = described.value
            config.readOnly = described.isReadOnly
            config.configSource = described.source.kafkaCode
            return config
        }
    }

    private func partitionCount(
        _ asked: CreateTopicsRequest.CreatableTopic
    ) throws(RequestRefusal) -> Int32 {
        guard asked.assignments.isEmpty else { return try assignedPartitionCount(asked) }
        guard asked.replicationFactor == -1 || asked.replicationFactor == 1 else {
            throw RequestRefusal(
                .invalidReplicationFactor,
                "the replication factor is \(asked.replicationFactor), but there is 1 broker: use 1 or -1")
        }
        return asked.numPartitions == -1 ? live.defaultPartitions : asked.numPartitions
    }

    private func assignedPartitionCount(
        _ asked: CreateTopicsRequest.CreatableTopic
    ) throws(RequestRefusal) -> Int32 {
        guard asked.numPartitions == -1, asked.replicationFactor == -1 else {
            throw RequestRefusal(
                .invalidRequest, "with assignments, the partition count and the replication factor must be -1")
        }
        let indices = asked.assignments.map(\.partitionIndex).sorted()
        guard indices == Array(0..<Int32(indices.count)) else {
            throw RequestRefusal(
                .invalidReplicationAssignment, "the assigned partitions must be 0 to \(indices.count - 1), each once")
        }
        guard asked.assignments.allSatisfy({ $0.brokerIds == [log.nodeID] }) else {
            throw RequestRefusal(
                .invalidReplicationAssignment, "a partition can be assigned to broker \(log.nodeID) only")
        }
        return Int32(indices.count)
    }

    private func configs(_ asked: CreateTopicsRequest.CreatableTopic) throws(RequestRefusal) -> [String: String] {
        var configs: [String: String] = [:]
        for config in asked.configs {
            guard let value = config.value else {
                throw RequestRefusal(.invalidConfig, "config \(config.name) has no value")
            }
            guard configs.updateValue(value, forKey: config.name) == nil else {
                throw RequestRefusal(.invalidRequest, "config \(config.name) is given twice")
            }
        }
        return configs
    }
}
