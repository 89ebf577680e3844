// Heartbeat (12): served 0 to 4. No deviations from Kafka.

import Groups
import KafkaWire
import Log

extension Broker {
    /// Answers Heartbeat.
    func heartbeat(_ request: HeartbeatRequest) -> HeartbeatResponse {
        var response = HeartbeatResponse()
        response.errorCode = groups.heartbeat(
            groupID: request.groupId,
            member: GroupMemberIdentity(memberID: request.memberId, instanceID: request.groupInstanceId),
            generation: request.generationId)
        instruments.countError(.heartbeat, response.errorCode)
        return response
    }
}
