import KafkaWire
import Log

/// JoinGroup.
extension ConsumerGroup {
    /// How much of a client's id goes into its member id. Longer than any that people give; a string of the protocol
    /// ends at 32,767 bytes.
    private static let clientIDCharacters = 255

    /// A member wants in, or back in.
    ///
    /// - Parameters:
    ///   - uuid: what makes a new member id unique.
    ///   - token: names the request in the answer, which may come at any later time.
    mutating func join(_ request: GroupJoin, uuid: String, token: UInt64, now: Int64) -> [GroupAction] {
        if let error = refusal(request) {
            act(.answerJoin(token, GroupJoinAnswer(error, memberID: request.member.memberID)))
        } else if !hasRoom(for: request.member) {
            act(.answerJoin(token, GroupJoinAnswer(.groupMaxSizeReached, memberID: "")))
        } else if state == .dead {
            act(.answerJoin(token, GroupJoinAnswer(.coordinatorNotAvailable, memberID: request.member.memberID)))
        } else if !supports(request.protocolType, request.protocols) {
            act(.answerJoin(token, GroupJoinAnswer(.inconsistentGroupProtocol, memberID: request.member.memberID)))
        } else if request.member.memberID.isEmpty {
            joinUnknown(request, uuid: uuid, token: token, now: now)
        } else {
            joinKnown(request, token: token, now: now)
        }
        return takeActions()
    }

    /// What no group would take.
    private func refusal(_ request: GroupJoin) -> ErrorCode? {
        let sessions = settings.minimumSessionMilliseconds...settings.maximumSessionMilliseconds
        guard sessions.contains(request.sessionMilliseconds) else { return .invalidSessionTimeout }
        if let instanceID = request.member.instanceID {
            // Kafka's rule for it is the one for topic names.
            guard (1...TopicName.maximumBytes).contains(instanceID.utf8.count) else { return .invalidRequest }
        }
        let texts = request.client.id.utf8.count + (request.member.instanceID?.utf8.count ?? 0)
        let bytes = request.protocols.reduce(texts) { $0 + $1.name.utf8.count + $1.metadata.count }
        let isTooLarge = bytes > settings.maximumMetadataBytes || request.protocols.count > settings.maximumProtocols
        return isTooLarge ? .messageTooLarge : nil
    }

    /// Who is in may stay. Whoever is new needs a place, an id that was given out takes one too: so nobody is pushed out,
    /// and what is remembered is bounded. A limit that was lowered bites as members leave.
    private func hasRoom(for member: GroupMemberIdentity) -> Bool {
        members[member.memberID] != nil || pendingMembers[member.memberID] != nil
            || member.instanceID.map { staticMembers[$0] != nil } ?? false
            || members.count + pendingMembers.count < settings.maximumMembers
    }

    private mutating func joinUnknown(_ request: GroupJoin, uuid: String, token: UInt64, now: Int64) {
        if let instanceID = request.member.instanceID {
            let newID = instanceID + "-" + uuid
            if let oldID = staticMembers[instanceID] {
                replaceStatic(oldID, newID, request, token: token, now: now)
            } else {
                add(newID, request, token: token, now: now)
            }
            return
        }
        let newID = request.client.id.prefix(Self.clientIDCharacters) + "-" + uuid
        guard request.requiresMemberID else { return add(newID, request, token: token, now: now) }
        let deadline = now + Int64(request.sessionMilliseconds)
        pendingMembers[newID] = deadline
        memberDeadlineFloor = min(memberDeadlineFloor, deadline)
        act(.answerJoin(token, GroupJoinAnswer(.memberIdRequired, memberID: newID)))
    }

    private mutating func joinKnown(_ request: GroupJoin, token: UInt64, now: Int64) {
        let memberID = request.member.memberID
        if pendingMembers[memberID] != nil {
            // An id that was given to a dynamic member is no static member's.
            guard request.member.instanceID == nil else {
                return act(.answerJoin(token, GroupJoinAnswer(.unknownMemberId, memberID: memberID)))
            }
            return add(memberID, request, token: token, now: now)
        }
        if let error = check(request.member) {
            return act(.answerJoin(token, GroupJoinAnswer(error, memberID: memberID)))
        }
        let hasChanged = members[memberID]?.protocols != request.protocols
        switch state {
        case .preparingRebalance: rejoin(memberID, request, token: token, now: now)
        case .completingRebalance where hasChanged: rejoin(memberID, request, token: token, now: now)
        // The leader sees changes that its metadata does not show, such as new partitions.
        case .stable where hasChanged || leaderID == memberID: rejoin(memberID, request, token: token, now: now)
        // Its answer was lost: it gets the generation as it is.
        case .completingRebalance, .stable: act(.answerJoin(token, currentAnswer(memberID)))
        case .empty, .dead: act(.answerJoin(token, GroupJoinAnswer(.unknownMemberId, memberID: memberID)))
        }
    }

    private mutating func add(_ memberID: String, _ request: GroupJoin, token: UInt64, now: Int64) {
        if state == .preparingRebalance, previousState == .empty { isNewMemberAdded = true }
        insert(
            GroupMember(
                id: memberID, instanceID: request.member.instanceID, client: request.client,
                protocolType: request.protocolType, sessionMilliseconds: request.sessionMilliseconds,
                rebalanceMilliseconds: request.rebalanceMilliseconds, protocols: request.protocols, isNew: true,
                joinToken: token, deadline: now + Int64(settings.newMemberJoinMilliseconds)))
        rebalanceOrComplete(now: now)
    }

    private mutating func rejoin(_ memberID: String, _ request: GroupJoin, token: UInt64, now: Int64) {
        update(memberID, request, token: token)
        rebalanceOrComplete(now: now)
    }

    /// Takes over what a member says now. If it waits already (its connection broke, and it came again), the older
    /// request is answered: it is told to join again, which nobody will read.
    mutating func update(_ memberID: String, _ request: GroupJoin, token: UInt64) {
        guard var member = members[memberID] else { return }
        count(member.protocols, -1)
        member.protocols = request.protocols
        count(member.protocols, 1)
        member.rebalanceMilliseconds = request.rebalanceMilliseconds
        member.sessionMilliseconds = request.sessionMilliseconds
        if let older = member.joinToken {
            act(.answerJoin(older, GroupJoinAnswer(.rebalanceInProgress, memberID: memberID)))
        } else {
            awaitingJoinCount += 1
        }
        member.joinToken = token
        members[memberID] = member
    }

    /// The generation as it is.
    func currentAnswer(_ memberID: String) -> GroupJoinAnswer {
        var answer = GroupJoinAnswer(.none, memberID: memberID)
        answer.generation = generation
        answer.protocolType = protocolType
        answer.protocolName = protocolName
        answer.leaderID = leaderID ?? ""
        guard leaderID == memberID else { return answer }
        answer.members = orderedMembers.map {
            GroupJoinAnswer.Member(
                memberID: $0.id, instanceID: $0.instanceID, metadata: $0.metadata(protocolName))
        }
        return answer
    }

    mutating func answerJoin(_ memberID: String, _ answer: GroupJoinAnswer) {
        guard let token = members[memberID]?.joinToken else { return }
        members[memberID]?.joinToken = nil
        awaitingJoinCount -= 1
        act(.answerJoin(token, answer))
    }
}
