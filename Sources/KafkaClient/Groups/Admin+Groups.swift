import KafkaWire

/// Consumer groups. A group's coordinator is found for each call.
extension Admin {
    /// Every group of the cluster, by id.
    public func listGroups() async throws(KafkaClientError) -> [GroupListing] {
        let cluster = try await describeCluster()
        var found: Set<GroupListing> = []
        for broker in cluster.brokers {
            let answer = try await client.retrying(until: client.operationDeadline) {
                () async throws(KafkaClientError) in
                let response = try await client.request(to: .node(broker.id)) { _ in ListGroupsRequest() }
                guard response.errorCode == .none else {
                    throw .refused(response.errorCode, "broker \(broker.id) does not list its groups")
                }
                return response.groups
            }
            for group in answer {
                found.insert(
                    GroupListing(
                        id: group.groupId, protocolType: group.protocolType,
                        state: group.groupState.isEmpty ? nil : group.groupState))
            }
        }
        return found.sorted { $0.id < $1.id }
    }

    /// One group. Throws with code `.refused` and GROUP_ID_NOT_FOUND (69) if there is none of this id.
    public func describeGroup(_ id: String) async throws(KafkaClientError) -> GroupDetails {
        try await client.onCoordinator(of: id, until: client.operationDeadline) {
            target async throws(KafkaClientError) in
            let response = try await client.request(to: target) { _ in
                var request = DescribeGroupsRequest()
                request.groups = [id]
                return request
            }
            guard let group = response.groups.first else {
                throw KafkaClientError(.malformed, "the answer does not mention group \"\(id)\"")
            }
            let isMissing = group.errorCode == .none && group.groupState == "Dead"
            let code = isMissing ? ErrorCode.groupIdNotFound : group.errorCode
            guard code == .none else { throw .refused(code, "group \"\(id)\"", detail: group.errorMessage) }
            return GroupDetails(group)
        }
    }

    /// What a group has committed, by partition; empty if nothing or if there is no such group.
    public func committedOffsets(ofGroup id: String) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        try await client.onCoordinator(of: id, until: client.operationDeadline) {
            target async throws(KafkaClientError) in
            try await client.committedOffsets(ofGroup: id, nil, target)
        }
    }

    /// Sets what a group has committed. Throws with code `.refused` if the group has members: stop them first.
    public func commitOffsets(
        _ offsets: [TopicPartition: Int64], ofGroup id: String
    ) async throws(KafkaClientError) {
        try await client.onCoordinator(of: id, until: client.operationDeadline) {
            target async throws(KafkaClientError) in
            try await client.commit(offsets, GroupSeat(group: id), target)
        }
    }

    /// Deletes a group with its offsets. Throws with code `.refused` if it has members or does not exist.
    public func deleteGroup(_ id: String) async throws(KafkaClientError) {
        try await client.onCoordinator(of: id, until: client.operationDeadline) {
            target async throws(KafkaClientError) in
            let response = try await client.request(to: target) { _ in
                var request = DeleteGroupsRequest()
                request.groupsNames = [id]
                return request
            }
            let code = response.results.first?.errorCode ?? .none
            guard code == .none else { throw .refused(code, "cannot delete group \"\(id)\"") }
        }
    }
}

/// Who commits: a member of a group's generation, or nobody in particular.
struct GroupSeat: Sendable, Equatable {
    let group: String
    var memberID = ""
    var generation: Int32 = -1
    var instanceID: String?
}

extension KafkaClient {
    /// Topic ids, which later versions take, would need metadata that only adds a way to fail.
    private static let lastVersionWithNames: Int16 = 9

    /// Asks once. `partitions` nil asks for all.
    func committedOffsets(
        ofGroup id: String, _ partitions: [TopicPartition]?, _ target: Cluster.Target
    ) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        let response = try await request(to: target, limit: Self.lastVersionWithNames) { version in
            OffsetFetchRequest(group: id, partitions, version: version)
        }
        let code = response.groups.first?.errorCode ?? response.errorCode
        guard code == .none else { throw .refused(code, "the offsets of group \"\(id)\"") }
        let new = response.groups.flatMap { $0.topics }.flatMap { topic in
            topic.partitions.map { (TopicPartition(topic.name, $0.partitionIndex), $0.committedOffset, $0.errorCode) }
        }
        let old = response.topics.flatMap { topic in
            topic.partitions.map { (TopicPartition(topic.name, $0.partitionIndex), $0.committedOffset, $0.errorCode) }
        }
        var found: [TopicPartition: Int64] = [:]
        for (partition, offset, code) in new + old {
            guard code == .none else { throw .refused(code, "the offset of partition \(partition)") }
            if offset >= 0 { found[partition] = offset }
        }
        return found
    }

    /// Commits once.
    func commit(
        _ offsets: [TopicPartition: Int64], _ seat: GroupSeat, _ target: Cluster.Target
    ) async throws(KafkaClientError) {
        guard !offsets.isEmpty else { return }
        let response = try await request(to: target, limit: Self.lastVersionWithNames) { _ in
            OffsetCommitRequest(offsets, seat)
        }
        for topic in response.topics {
            for answer in topic.partitions where answer.errorCode != .none {
                throw .refused(
                    answer.errorCode,
                    "cannot commit partition \(TopicPartition(topic.name, answer.partitionIndex)) "
                        + "of group \"\(seat.group)\"")
            }
        }
    }
}

extension OffsetFetchRequest {
    fileprivate init(group: String, _ partitions: [TopicPartition]?, version: Int16) {
        self.init()
        let byTopic = partitions.map { Dictionary(grouping: $0, by: \.topic).sorted { $0.key < $1.key } }
        guard version >= 8 else {
            groupId = group
            topics = byTopic?.map { name, partitions in
                var topic = OffsetFetchRequestTopic()
                topic.name = name
                topic.partitionIndexes = partitions.map(\.partition).sorted()
                return topic
            }
            return
        }
        var wanted = OffsetFetchRequestGroup()
        wanted.groupId = group
        wanted.topics = byTopic?.map { name, partitions in
            var topic = OffsetFetchRequestTopics()
            topic.name = name
            topic.partitionIndexes = partitions.map(\.partition).sorted()
            return topic
        }
        groups = [wanted]
    }
}

extension OffsetCommitRequest {
    fileprivate init(_ offsets: [TopicPartition: Int64], _ seat: GroupSeat) {
        self.init()
        groupId = seat.group
        memberId = seat.memberID
        generationIdOrMemberEpoch = seat.generation
        groupInstanceId = seat.instanceID
        topics = Dictionary(grouping: offsets, by: \.key.topic).sorted { $0.key < $1.key }.map { name, entries in
            var topic = OffsetCommitRequestTopic()
            topic.name = name
            topic.partitions = entries.sorted { $0.key < $1.key }.map { partition, offset in
                var entry = OffsetCommitRequestPartition()
                entry.partitionIndex = partition.partition
                entry.committedOffset = offset
                return entry
            }
            return topic
        }
    }
}

extension GroupDetails {
    fileprivate init(_ group: DescribeGroupsResponse.DescribedGroup) {
        id = group.groupId
        state = group.groupState
        assignor = group.protocolData
        members = group.members.map { member in
            // What a member was given is its assignor's business; what does not parse is shown as nothing.
            let assignment = try? ConsumerProtocolAssignment(decoding: member.memberAssignment)
            let partitions = (assignment?.assignedPartitions ?? []).flatMap { topic in
                topic.partitions.map { TopicPartition(topic.topic, $0) }
            }
            return Member(
                id: member.memberId, instanceID: member.groupInstanceId, clientID: member.clientId,
                host: member.clientHost, assignment: partitions.sorted())
        }.sorted { $0.id < $1.id }
    }
}
