// SyncGroup (14): served 0 to 5.
//
// From version 5 on a member must say which protocol it takes for the chosen one; without, or with another one:
// INCONSISTENT_GROUP_PROTOCOL. Deviation from Kafka: a leader's assignment beyond the bound is answered with
// MESSAGE_TOO_LARGE, and the group rebalances.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Answered when the leader's assignment is synced.
    func syncGroup(_ request: SyncGroupRequest, _ stamp: RequestStamp, _ ticket: Ticket) -> Outcome {
        let broker = broker
        guard stamp.version < 5 || (request.protocolType != nil && request.protocolName != nil) else {
            broker.instruments.countError(.syncGroup, .inconsistentGroupProtocol)
            var response = SyncGroupResponse()
            response.errorCode = .inconsistentGroupProtocol
            return .answered(.other(response))
        }
        // Of a member that is named twice the last assignment counts, as in Kafka.
        let assignments = Dictionary(request.assignments.map { ($0.memberId, $0.assignment) }) { _, last in last }
        let sync = GroupSync(
            groupID: request.groupId,
            member: GroupMemberIdentity(memberID: request.memberId, instanceID: request.groupInstanceId),
            generation: request.generationId, protocolType: request.protocolType, protocolName: request.protocolName,
            assignments: assignments)
        return answerLater(stamp, ticket) { answer in
            broker.groups.sync(sync) { synced in
                broker.instruments.countError(.syncGroup, synced.error)
                var response = SyncGroupResponse()
                response.errorCode = synced.error
                response.protocolType = synced.protocolType
                response.protocolName = synced.protocolName
                response.assignment = synced.assignment
                answer(response)
            }
        }
    }
}
