// ListGroups (16): served 0 to 5.
//
// Filters are compared without regard to case; one that names no known state or type selects nothing. Every group is of
// the type "classic". No deviations from Kafka.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Groups may be many.
    func listGroups(_ request: ListGroupsRequest) -> Outcome {
        let broker = broker
        return .offloaded { .other(broker.listGroups(request)) }
    }
}

extension Broker {
    private static let groupType = "classic"

    fileprivate func listGroups(_ request: ListGroupsRequest) -> ListGroupsResponse {
        let states = Set(request.statesFilter.map { $0.lowercased() })
        let types = Set(request.typesFilter.map { $0.lowercased() })
        var response = ListGroupsResponse()
        guard types.isEmpty || types.contains(Self.groupType) else { return response }
        for group in groups.groups() where states.isEmpty || states.contains(group.state.rawValue.lowercased()) {
            var answer = ListGroupsResponse.ListedGroup()
            answer.groupId = group.groupID
            answer.protocolType = group.protocolType
            answer.groupState = group.state.rawValue
            answer.groupType = Self.groupType
            response.groups.append(answer)
        }
        return response
    }
}
