// JoinGroup (11): served 0 to 9.
//
// Version 0 has no rebalance time-out: the session's holds. From version 4 on a new dynamic member gets its id first
// (MEMBER_ID_REQUIRED, KIP-394). From version 9 on a leader may be told not to assign anew (KIP-814).
//
// Deviations from Kafka: bounds that Kafka does not have, on what a member brings (MESSAGE_TOO_LARGE) and on the number
// of groups (POLICY_VIOLATION). Before FindCoordinator was asked for the first time: NOT_COORDINATOR.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Answered when the rebalance is over.
    func joinGroup(
        _ request: JoinGroupRequest, clientID: String?, _ stamp: RequestStamp, _ ticket: Ticket
    ) -> Outcome {
        let (broker, version) = (broker, stamp.version)
        guard broker.groups.isReady else {
            broker.instruments.countError(.joinGroup, .notCoordinator)
            var response = JoinGroupResponse()
            response.errorCode = .notCoordinator
            response.memberId = request.memberId
            return .answered(.other(response))
        }
        let join = GroupJoin(
            request, version: version, client: GroupClient(id: clientID ?? "", host: addresses.clientHost))
        return answerLater(stamp, ticket) { answer in
            broker.groups.join(join) { joined in
                broker.instruments.countError(.joinGroup, joined.error)
                answer(JoinGroupResponse(joined, version: version))
            }
        }
    }
}

extension GroupJoin {
    fileprivate init(_ request: JoinGroupRequest, version: Int16, client: GroupClient) {
        self.init(
            groupID: request.groupId,
            member: GroupMemberIdentity(memberID: request.memberId, instanceID: request.groupInstanceId),
            client: client, sessionMilliseconds: request.sessionTimeoutMs,
            rebalanceMilliseconds: version == 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
            protocolType: request.protocolType,
            protocols: request.protocols.map { GroupProtocol(name: $0.name, metadata: $0.metadata) },
            requiresMemberID: version >= 4, supportsSkippingAssignment: version >= 9)
    }
}

extension JoinGroupResponse {
    fileprivate init(_ joined: GroupJoinAnswer, version: Int16) {
        self.init()
        errorCode = joined.error
        generationId = joined.generation
        protocolType = joined.protocolType
        // Null since version 7 only.
        protocolName = joined.protocolName ?? (version >= 7 ? nil : "")
        leader = joined.leaderID
        skipAssignment = joined.skipsAssignment
        memberId = joined.memberID
        members = joined.members.map { member in
            var answer = JoinGroupResponseMember()
            answer.memberId = member.memberID
            answer.groupInstanceId = member.instanceID
            answer.metadata = member.metadata
            return answer
        }
    }
}
