import KafkaWire
import Log

/// What others see of a group, and what a restart finds.
extension ConsumerGroup {
    /// For DescribeGroups. Metadata and assignments only when stable: before, they do not belong together.
    var description: GroupDescription {
        let isStable = state == .stable
        return GroupDescription(
            groupID: id, state: state, protocolType: protocolType ?? "",
            protocolName: isStable ? protocolName ?? "" : "", generation: generation,
            members: orderedMembers.map {
                GroupDescription.Member(
                    identity: $0.identity, client: $0.client, metadata: isStable ? $0.metadata(protocolName) : [],
                    assignment: isStable ? $0.assignment : [])
            })
    }

    /// Whether offsets of this topic are in use. A consumer group whose subscriptions are not known may use any.
    func isSubscribed(to topic: String) -> Bool {
        subscribedTopics?.contains(topic) ?? usesConsumerProtocol
    }

    func computeSubscribedTopics() -> Set<String>? {
        guard usesConsumerProtocol, let protocolName else { return nil }
        var topics: Set<String> = []
        for member in members.values {
            let metadata = member.metadata(protocolName)
            guard let subscription = try? ConsumerProtocolSubscription(decoding: metadata) else { return nil }
            topics.formUnion(subscription.topics)
        }
        return topics
    }

    /// What is to be stored, with the assignments that members have.
    func snapshot() -> GroupSnapshot {
        snapshot(assignments: members.mapValues(\.assignment))
    }

    /// What is to be stored, with new assignments.
    func snapshot(assignments: [String: [UInt8]]) -> GroupSnapshot {
        GroupSnapshot(
            protocolType: protocolType, generation: generation, protocolName: protocolName, leaderID: leaderID,
            members: orderedMembers.map {
                GroupSnapshot.Member(
                    identity: $0.identity, client: $0.client, rebalanceMilliseconds: $0.rebalanceMilliseconds,
                    sessionMilliseconds: $0.sessionMilliseconds, subscription: $0.metadata(protocolName),
                    assignment: assignments[$0.id] ?? [])
            })
    }

    /// A group as a restart finds it: stable if it has members, whose sessions count from now.
    init(id: String, settings: GroupSettings, restoring snapshot: GroupSnapshot, now: Int64) {
        self.init(id: id, settings: settings)
        generation = snapshot.generation
        for member in snapshot.members {
            insert(
                GroupMember(
                    id: member.identity.memberID, instanceID: member.identity.instanceID, client: member.client,
                    protocolType: snapshot.protocolType ?? "", sessionMilliseconds: member.sessionMilliseconds,
                    rebalanceMilliseconds: member.rebalanceMilliseconds,
                    protocols: [GroupProtocol(name: snapshot.protocolName ?? "", metadata: member.subscription)],
                    assignment: member.assignment, deadline: now + Int64(member.sessionMilliseconds)))
        }
        protocolType = snapshot.protocolType
        protocolName = snapshot.protocolName
        if let leader = snapshot.leaderID, members[leader] != nil { leaderID = leader }
        state = members.isEmpty ? .empty : .stable
        previousState = state
        subscribedTopics = members.isEmpty ? (usesConsumerProtocol ? [] : nil) : computeSubscribedTopics()
    }
}
