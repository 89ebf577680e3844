// LeaveGroup (13): served 0 to 5.
//
// Up to version 2 one member leaves, and its error is the answer's. From version 3 on several may, each with its own
// error, static ones by their instance id alone. No deviations from Kafka.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Answers LeaveGroup.
    func leaveGroup(_ request: LeaveGroupRequest, version: Int16) -> Outcome {
        guard request.members.count <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "\(request.members.count) members that leave")
        }
        return .answered(.other(broker.leaveGroup(request, version: version)))
    }
}

extension Broker {
    fileprivate func leaveGroup(_ request: LeaveGroupRequest, version: Int16) -> LeaveGroupResponse {
        let members =
            version <= 2
            ? [GroupMemberIdentity(memberID: request.memberId)]
            : request.members.map { GroupMemberIdentity(memberID: $0.memberId, instanceID: $0.groupInstanceId) }
        let left = groups.leave(groupID: request.groupId, members: members)
        var response = LeaveGroupResponse()
        response.errorCode = left.error
        if version <= 2 {
            if left.error == .none, let only = left.members.first { response.errorCode = only.error }
        } else {
            response.members = left.members.map { member in
                var answer = LeaveGroupResponse.MemberResponse()
                answer.memberId = member.identity.memberID
                answer.groupInstanceId = member.identity.instanceID
                answer.errorCode = member.error
                instruments.countError(.leaveGroup, member.error)
                return answer
            }
        }
        instruments.countError(.leaveGroup, response.errorCode)
        return response
    }
}
