// DescribeGroups (15): served 0 to 6.
//
// A group that does not exist is "Dead": up to version 5 without an error, from 6 on with GROUP_ID_NOT_FOUND. Deviation
// from Kafka: authorized operations are told as "unknown" until there is access control.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Groups may be many and large.
    func describeGroups(_ request: DescribeGroupsRequest, version: Int16) -> Outcome {
        guard request.groups.count <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "the descriptions of \(request.groups.count) groups")
        }
        let broker = broker
        return .offloaded { .other(broker.describeGroups(request, version: version)) }
    }
}

extension Broker {
    fileprivate func describeGroups(_ request: DescribeGroupsRequest, version: Int16) -> DescribeGroupsResponse {
        var response = DescribeGroupsResponse()
        response.groups = request.groups.map { groupID in
            var answer = DescribeGroupsResponse.DescribedGroup()
            answer.groupId = groupID
            answer.errorCode = groups.availability(groupID: groupID)
            if answer.errorCode == .none {
                if let description = groups.describe(groupID: groupID) {
                    answer.fill(description)
                } else {
                    answer.groupState = GroupState.dead.rawValue
                    if version >= 6 {
                        answer.errorCode = .groupIdNotFound
                        answer.errorMessage = "there is no group \"\(groupID)\""
                    }
                }
            }
            instruments.countError(.describeGroups, answer.errorCode)
            return answer
        }
        return response
    }
}

extension DescribeGroupsResponse.DescribedGroup {
    fileprivate mutating func fill(_ description: GroupDescription) {
        groupState = description.state.rawValue
        protocolType = description.protocolType
        protocolData = description.protocolName
        members = description.members.map { member in
            var answer = DescribeGroupsResponse.DescribedGroupMember()
            answer.memberId = member.identity.memberID
            answer.groupInstanceId = member.identity.instanceID
            answer.clientId = member.client.id
            answer.clientHost = member.client.host
            answer.memberMetadata = member.metadata
            answer.memberAssignment = member.assignment
            return answer
        }
    }
}
