// IncrementalAlterConfigs (44): served 0 to 1.
//
// Deviations from Kafka: as with AlterConfigs (33). Setting a config to null returns it to its default;
// Kafka refuses it. A change is durable when it is answered.

import KafkaWire
import Log

extension Broker {
    /// Answers IncrementalAlterConfigs. Waits for the disk.
    func incrementalAlterConfigs(_ request: IncrementalAlterConfigsRequest) -> IncrementalAlterConfigsResponse {
        var response = IncrementalAlterConfigsResponse()
        let names = Occurrences(request.resources.map { ResourceName($0.resourceType, $0.resourceName) })
        response.responses = request.resources.map { asked in
            var answer = IncrementalAlterConfigsResponse.AlterConfigsResourceResponse()
            answer.resourceType = asked.resourceType
            answer.resourceName = asked.resourceName
            do throws(RequestRefusal) {
                var changes: [(name: String, change: ConfigChange)] = []
                for config in asked.configs { changes.append((config.name, try change(config))) }
                try alter(
                    ResourceName(asked.resourceType, asked.resourceName), names, ConfigChanges(changes),
                    isWhole: false, validateOnly: request.validateOnly)
            } catch {
                answer.errorCode = error.code
                answer.errorMessage = error.message
                instruments.countError(.incrementalAlterConfigs, error.code.name)
            }
            return answer
        }
        return response
    }

    private func change(
        _ config: IncrementalAlterConfigsRequest.AlterableConfig
    ) throws(RequestRefusal) -> ConfigChange {
        switch (config.configOperation, config.value) {
        case (0, let value?): return .set(value)
        case (0, nil), (1, _): return .reset
        case (2, let value?): return .append(value)
        case (3, let value?): return .subtract(value)
        case (2, nil), (3, nil): throw RequestRefusal(.invalidRequest, "config \(config.name) has no value")
        default:
            throw RequestRefusal(
                .invalidRequest, "operation \(config.configOperation) on config \(config.name) is unknown")
        }
    }
}
