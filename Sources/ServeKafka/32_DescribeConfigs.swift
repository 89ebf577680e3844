// DescribeConfigs (32): served 1 to 4.
//
// Deviations from Kafka: topics and brokers only; loggers, groups and client metrics are refused with INVALID_REQUEST.
// Topic configs that have no effect here are told only where a topic sets them. Broker configs are those that mean
// something here (docs/configuration.md). An empty list of keys asks for all, as in Kafka and as null does.

import KafkaWire
import Log

extension Broker {
    /// Answers DescribeConfigs.
    func describeConfigs(_ request: DescribeConfigsRequest) -> DescribeConfigsResponse {
        var response = DescribeConfigsResponse()
        var seen: Set<ResourceName> = []
        // Answering a resource again and again would make a small request ask for any amount of memory.
        for asked in request.resources where seen.insert(ResourceName(asked.resourceType, asked.resourceName)).inserted
        {
            var result = DescribeConfigsResponse.DescribeConfigsResult()
            result.resourceType = asked.resourceType
            result.resourceName = asked.resourceName
            do throws(RequestRefusal) {
                let keys = asked.configurationKeys.flatMap { $0.isEmpty ? nil : Set($0) }
                result.configs = try configs(asked.resourceType, asked.resourceName)
                    .filter { keys?.contains($0.name) ?? true }
                    .map { describe($0, request) }
            } catch {
                result.errorCode = error.code
                result.errorMessage = error.message
                instruments.countError(.describeConfigs, error.code.name)
            }
            response.results.append(result)
        }
        return response
    }

    private func configs(_ type: Int8, _ name: String) throws(RequestRefusal) -> [ConfigDescription] {
        switch type {
        case ConfigResourceType.topic: return log.describeConfigs(of: try topic(administered: name))
        case ConfigResourceType.broker:
            try checkBroker(name)
            // An empty name asks for what was changed for every broker while they run.
            return configuration?.describe(name.isEmpty ? .everyBroker : .thisBroker) ?? []
        default: throw RequestRefusal(.invalidRequest, "resources of type \(type) have no configs here")
        }
    }

    private func describe(
        _ config: ConfigDescription, _ request: DescribeConfigsRequest
    ) -> DescribeConfigsResponse.DescribeConfigsResourceResult {
        var answer = DescribeConfigsResponse.DescribeConfigsResourceResult()
        answer.name = config.name
        answer.value = config.value
        answer.readOnly = config.isReadOnly
        answer.configSource = config.source.kafkaCode
        answer.configType = config.kind.kafkaCode
        if request.includeDocumentation { answer.documentation = config.documentation }
        guard request.includeSynonyms else { return answer }
        answer.synonyms = config.settings.map { setting in
            var synonym = DescribeConfigsResponse.DescribeConfigsSynonym()
            synonym.name = setting.name
            synonym.value = setting.value
            synonym.source = setting.source.kafkaCode
            return synonym
        }
        return answer
    }

    /// The topic whose configs are asked for or changed.
    func topic(administered name: String) throws(RequestRefusal) -> Topic {
        if let topic = log.topic(named: name) { return topic }
        do throws(LogError) {
            try log.validateTopic(name, partitions: 1, configs: [:])
        } catch {
            if error.code == .invalidTopicName { throw RequestRefusal(error) }
        }
        throw RequestRefusal(.unknownTopicOrPartition, "there is no topic \(name)")
    }

    /// The topic that a request changes: none of the broker's own.
    func topic(changed name: String) throws(RequestRefusal) -> Topic {
        let topic = try topic(administered: name)
        guard !topic.isInternal else {
            throw RequestRefusal(.invalidTopicException, "\(name) is an internal topic, which the broker looks after")
        }
        return topic
    }

    /// Refuses other brokers than this one. An empty name stands for all of them.
    func checkBroker(_ name: String) throws(RequestRefusal) {
        guard name.isEmpty || name == "\(log.nodeID)" else {
            throw RequestRefusal(.invalidRequest, "this is broker \(log.nodeID), not \"\(name)\"")
        }
    }
}

/// A resource with configs.
struct ResourceName: Hashable {
    let type: Int8
    let name: String

    init(_ type: Int8, _ name: String) {
        self.type = type
        self.name = name
    }
}
