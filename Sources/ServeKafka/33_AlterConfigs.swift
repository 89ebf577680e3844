// AlterConfigs (33): served 0 to 2.
//
// Deviations from Kafka: topics and brokers only. Unknown configs of brokers are refused; Kafka stores them. A null value returns a config to its default, as leaving it out does; Kafka
// refuses it. A change is durable when it is answered.

import KafkaWire
import Log
import Logging

extension Broker {
    /// Answers AlterConfigs. Waits for the disk.
    func alterConfigs(_ request: AlterConfigsRequest) -> AlterConfigsResponse {
        var response = AlterConfigsResponse()
        let names = Occurrences(request.resources.map { ResourceName($0.resourceType, $0.resourceName) })
        response.responses = request.resources.map { asked in
            var answer = AlterConfigsResponse.AlterConfigsResourceResponse()
            answer.resourceType = asked.resourceType
            answer.resourceName = asked.resourceName
            do throws(RequestRefusal) {
                let changes = try ConfigChanges(
                    asked.configs.map { ($0.name, $0.value.map(ConfigChange.set) ?? .reset) })
                try alter(
                    ResourceName(asked.resourceType, asked.resourceName), names, changes, isWhole: true,
                    validateOnly: request.validateOnly)
            } catch {
                answer.errorCode = error.code
                answer.errorMessage = error.message
                instruments.countError(.alterConfigs, error.code.name)
            }
            return answer
        }
        return response
    }

    /// Changes the configs of a resource.
    func alter(
        _ resource: ResourceName, _ names: Occurrences<ResourceName>, _ changes: ConfigChanges, isWhole: Bool,
        validateOnly: Bool
    ) throws(RequestRefusal) {
        guard names.isOnly(resource) else {
            throw RequestRefusal(.invalidRequest, "the request names resource \(resource.name) more than once")
        }
        switch resource.type {
        case ConfigResourceType.topic:
            _ = try topic(changed: resource.name)
            do throws(LogError) {
                try log.alterConfigs(
                    of: resource.name, changes.byName, isWhole: isWhole, validateOnly: validateOnly)
            } catch {
                throw RequestRefusal(error)
            }
            if !validateOnly { logger.info("configs changed", metadata: ["topic": "\(resource.name)"]) }
        case ConfigResourceType.broker:
            try checkBroker(resource.name)
            try alterBroker(
                resource.name.isEmpty ? .everyBroker : .thisBroker, changes, isWhole: isWhole,
                validateOnly: validateOnly)
        default: throw RequestRefusal(.invalidRequest, "resources of type \(resource.type) have no configs here")
        }
    }

    private func alterBroker(
        _ scope: BrokerConfigStore.Scope, _ changes: ConfigChanges, isWhole: Bool, validateOnly: Bool
    ) throws(RequestRefusal) {
        guard let configuration else {
            throw RequestRefusal(.invalidRequest, "the configs of this broker cannot be changed")
        }
        do throws(LogError) {
            try configuration.alter(scope, changes.byName, isWhole: isWhole, validateOnly: validateOnly)
        } catch {
            // What Kafka says of a broker's configs, whatever is wrong with them.
            throw error.code == .invalidConfig ? RequestRefusal(.invalidRequest, error.message) : RequestRefusal(error)
        }
        guard !validateOnly else { return }
        logger.info(
            "broker configs changed",
            metadata: [
                "broker": "\(scope == .everyBroker ? "every" : "this")",
                "configs": "\(changes.byName.keys.sorted().joined(separator: ","))",
            ])
    }
}

/// The changes of a request to one resource.
struct ConfigChanges {
    let byName: [String: ConfigChange]

    init(_ changes: [(name: String, change: ConfigChange)]) throws(RequestRefusal) {
        var byName: [String: ConfigChange] = [:]
        for (name, change) in changes where byName.updateValue(change, forKey: name) != nil {
            throw RequestRefusal(.invalidRequest, "config \(name) is named twice")
        }
        self.byName = byName
    }
}

/// How often the items of a request are named: each may be named once.
struct Occurrences<Item: Hashable> {
    private let counts: [Item: Int]

    init(_ items: [Item]) {
        counts = items.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    func isOnly(_ item: Item) -> Bool { counts[item] == 1 }
}
