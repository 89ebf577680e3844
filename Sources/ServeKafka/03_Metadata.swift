// Metadata (3): served 0 to 13.
//
// Deviations from Kafka: one broker, which is the controller and leads and holds every partition. The address told is
// the one that the client connected to, unless one is configured. A missing topic is created at once, and answered as
// it then is; Kafka answers LEADER_NOT_AVAILABLE first. Authorized operations are told as "unknown" until there is
// access control.

import KafkaWire
import Log
import Logging

extension KafkaConnection {
    /// Answers here, unless topics may have to be created or all of them are asked for.
    func metadata(_ request: MetadataRequest, version: Int16) -> Outcome {
        let (broker, addresses) = (broker, addresses)
        let asked = broker.namedTopics(request, version: version)
        let mayCreate = broker.mayCreate(request, version: version)
        let isMissingOne = asked?.contains { $0.name.map { broker.log.topic(named: $0) == nil } ?? false } ?? false
        guard asked == nil || (mayCreate && isMissingOne) else {
            return .answered(.other(broker.metadata(request, version: version, addresses)))
        }
        return .offloaded { .other(broker.metadata(request, version: version, addresses)) }
    }
}

extension Broker {
    /// The topics asked for; nil for all of them. Version 0 says "all" with an empty array.
    func namedTopics(
        _ request: MetadataRequest, version: Int16
    ) -> [MetadataRequest.MetadataRequestTopic]? {
        version == 0 && request.topics?.isEmpty == true ? nil : request.topics
    }

    /// Whether missing topics are created. Clients before version 4 cannot say, and expect it.
    func mayCreate(_ request: MetadataRequest, version: Int16) -> Bool {
        live.autoCreateTopics && (version < 4 || request.allowAutoTopicCreation)
    }

    /// Answers Metadata. Creates topics, which waits for the disk.
    func metadata(_ request: MetadataRequest, version: Int16, _ addresses: ConnectionAddresses) -> MetadataResponse {
        var response = MetadataResponse()
        let endpoint = endpoint(for: addresses)
        var node = MetadataResponse.MetadataResponseBroker()
        node.nodeId = log.nodeID
        node.host = endpoint.host
        node.port = Int32(endpoint.port)
        response.brokers = [node]
        response.clusterId = log.clusterID
        response.controllerId = log.nodeID
        let mayCreate = mayCreate(request, version: version)
        response.topics =
            namedTopics(request, version: version)?.map { describe($0, mayCreate: mayCreate) }
            ?? log.topics().map(describe)
        return response
    }

    private func describe(
        _ asked: MetadataRequest.MetadataRequestTopic, mayCreate: Bool
    ) -> MetadataResponse.MetadataResponseTopic {
        do throws(LogError) {
            if let name = asked.name {
                if let topic = log.topic(named: name) { return describe(topic) }
                return describe(try create(name, mayCreate: mayCreate))
            }
            if let topic = log.topic(id: asked.topicId) { return describe(topic) }
            return refusal(asked, .unknownTopicId)
        } catch {
            return refusal(asked, error.kafkaCode)
        }
    }

    private func create(_ name: String, mayCreate: Bool) throws(LogError) -> Topic {
        do throws(LogError) {
            guard mayCreate, !TopicName.isInternal(name) else {
                try log.validateTopic(name, partitions: 1, configs: [:])
                throw LogError(.unknownTopic, "no such topic")
            }
            let partitions = live.defaultPartitions
            let topic = try log.createTopic(name, partitions: partitions, configs: [:])
            logger.info("topic created", metadata: ["topic": "\(name)", "partitions": "\(partitions)"])
            return topic
        } catch {
            // Another connection may have been faster.
            if error.code == .topicExists, let topic = log.topic(named: name) { return topic }
            throw error
        }
    }

    private func refusal(
        _ asked: MetadataRequest.MetadataRequestTopic, _ code: ErrorCode
    ) -> MetadataResponse.MetadataResponseTopic {
        instruments.countError(.metadata, code.name)
        var answer = MetadataResponse.MetadataResponseTopic()
        answer.errorCode = code
        answer.name = asked.name
        answer.topicId = asked.topicId
        return answer
    }

    private func describe(_ topic: Topic) -> MetadataResponse.MetadataResponseTopic {
        var answer = MetadataResponse.MetadataResponseTopic()
        answer.name = topic.name
        answer.topicId = topic.id
        answer.isInternal = topic.isInternal
        answer.partitions = topic.partitions.map { partition in
            var part = MetadataResponse.MetadataResponsePartition()
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
