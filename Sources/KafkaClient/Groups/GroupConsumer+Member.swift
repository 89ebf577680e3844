import KafkaWire
import Synchronization

/// The life of a member: join, sync, read and beat, again and again.
extension GroupConsumer {
    /// What a failure means for the member.
    enum Consequence: Equatable {
        /// Join again with the same id.
        case rejoin
        /// The coordinator does not know the member any more: join as a new one.
        case startOver
        /// Find the coordinator, and try again.
        case retry
        case fail

        init(_ error: KafkaClientError) {
            switch error.brokerCode.map(ErrorCode.init(rawValue:)) {
            // A generation that has passed is no reason for a new id: the old one would stay in the group as a member
            // that nobody is, and hold up its rebalances.
            case .rebalanceInProgress?, .illegalGeneration?: self = .rejoin
            case .unknownMemberId?: self = .startOver
            default: self = error.isRetriable || error.code == .timedOut ? .retry : .fail
            }
        }
    }

    /// Takes part until the task is cancelled, or something fails that will not pass.
    func takePart() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try await takePartOnce { failures = 0 }
            } catch let error as KafkaClientError {
                if Task.isCancelled { return }
                switch Consequence(error) {
                case .rejoin: break
                case .startOver: forgetSeat()
                case .retry:
                    failures += 1
                    let wait = min(1_000, 50 << min(failures, 5))
                    try? await Task.sleep(for: .milliseconds(wait))
                case .fail: return end(.failed(error))
                }
            } catch {
                return
            }
            await giveUpPartitions()
        }
    }

    /// Joins, reads, and beats until the coordinator says otherwise, which is thrown.
    private func takePartOnce(_ succeeded: () -> Void) async throws {
        let node = try await coordination.coordinator(of: state.withLock { $0.seat.group })
        let target = Cluster.Target.node(node)
        let partitions = try await synchronize(try await join(target), target)
        succeeded()
        try await begin(partitions, target)
        var nextCommit = settings.autoCommitMilliseconds.map { Time.monotonicMilliseconds() + $0 }
        while true {
            try await Task.sleep(for: .milliseconds(settings.heartbeatIntervalMilliseconds))
            try await beat(target)
            guard let due = nextCommit, due <= Time.monotonicMilliseconds() else { continue }
            try await commitProcessed()
            nextCommit = settings.autoCommitMilliseconds.map { Time.monotonicMilliseconds() + $0 }
        }
    }

    private func join(_ target: Cluster.Target) async throws(KafkaClientError) -> JoinGroupResponse {
        let deadline = Time.monotonicMilliseconds() + Int64(settings.rebalanceTimeoutMilliseconds) + 10_000
        while true {
            let (seat, settings, topics) = (state.withLock { $0.seat }, settings, topics)
            let response = try await coordination.request(to: target, deadline: deadline) { version in
                JoinGroupRequest(seat, topics, settings, version: version)
            }
            if response.errorCode == .memberIdRequired {
                state.withLock { $0.seat.memberID = response.memberId }
                continue
            }
            guard response.errorCode == .none else {
                throw .refused(response.errorCode, "cannot join group \"\(seat.group)\"")
            }
            state.withLock { state in
                state.seat.memberID = response.memberId
                state.seat.generation = response.generationId
            }
            return response
        }
    }

    private func synchronize(
        _ joined: JoinGroupResponse, _ target: Cluster.Target
    ) async throws(KafkaClientError) -> [TopicPartition] {
        let seat = state.withLock { $0.seat }
        let isLeader = joined.leader == joined.memberId && !joined.skipAssignment
        let shares = isLeader ? try await shareOut(joined) : [:]
        let response = try await coordination.request(to: target) { version in
            SyncGroupRequest(seat, joined, shares, version: version)
        }
        guard response.errorCode == .none else {
            throw .refused(response.errorCode, "cannot get partitions from group \"\(seat.group)\"")
        }
        if response.assignment.isEmpty { return [] }
        do {
            let assignment = try ConsumerProtocolAssignment(decoding: response.assignment)
            return assignment.assignedPartitions.flatMap { topic in
                topic.partitions.map { TopicPartition(topic.topic, $0) }
            }
        } catch {
            throw KafkaClientError(.malformed, "the leader of group \"\(seat.group)\" sent nonsense", cause: error)
        }
    }

    /// What the leader does: every member's share.
    private func shareOut(_ joined: JoinGroupResponse) async throws(KafkaClientError) -> [String: [TopicPartition]] {
        var wishes: [String: Set<String>] = [:]
        for member in joined.members {
            // Whose wishes do not parse gets nothing; the others go on.
            let subscription = try? ConsumerProtocolSubscription(decoding: member.metadata)
            wishes[member.memberId] = Set(subscription?.topics ?? [])
        }
        let wanted = wishes.values.reduce(into: Set()) { $0.formUnion($1) }
        let answer = try await client.metadata(of: wanted.sorted())
        let counts = Dictionary(uniqueKeysWithValues: answer.topics.map { ($0.name, Int32($0.partitions.count)) })
        let assignor = joined.protocolName.flatMap(GroupAssignor.init(rawValue:)) ?? .range
        return assignor.share(wishes, counts)
    }

    private func begin(_ partitions: [TopicPartition], _ target: Cluster.Target) async throws(KafkaClientError) {
        let group = state.withLock { $0.seat.group }
        let committed =
            partitions.isEmpty
            ? [:] : try await coordination.committedOffsets(ofGroup: group, partitions, target)
        let specs = Dictionary(
            uniqueKeysWithValues: partitions.map { partition in
                (partition, committed[partition].map(OffsetSpec.offset) ?? settings.from)
            })
        let round = state.withLock { state in
            state.assigned = Set(partitions)
            state.processed = [:]
            state.rounds += 1
            return state.rounds
        }
        consumer.assign(specs, to: settings.to)
        end(.reading(round: round))
    }

    private func beat(_ target: Cluster.Target) async throws(KafkaClientError) {
        let seat = state.withLock { $0.seat }
        let response = try await coordination.request(to: target) { _ in
            var request = HeartbeatRequest()
            request.groupId = seat.group
            request.generationId = seat.generation
            request.memberId = seat.memberID
            request.groupInstanceId = seat.instanceID
            return request
        }
        guard response.errorCode == .none else {
            throw .refused(response.errorCode, "group \"\(seat.group)\" does not take a heartbeat")
        }
    }

    /// Commits what was processed before others may read on from there, and reads nothing more.
    private func giveUpPartitions() async {
        if settings.autoCommitMilliseconds != nil { try? await commitProcessed() }
        let given = state.withLock { state in
            defer {
                state.assigned = []
                state.processed = [:]
                state.inHand = nil
            }
            if case .reading = state.phase { state.phase = .joining }
            return state.assigned
        }
        for partition in given { consumer.unassign(partition) }
    }

    func commitProcessed() async throws(KafkaClientError) {
        let (offsets, seat) = state.withLock { ($0.processed, $0.seat) }
        guard !offsets.isEmpty else { return }
        let node = try await coordination.coordinator(of: seat.group)
        try await coordination.commit(offsets, seat, .node(node))
        state.withLock { state in
            for (partition, offset) in offsets where state.processed[partition] == offset {
                state.processed[partition] = nil
            }
        }
    }

    /// Tells the group at once, so that the others need not wait for the session to expire. A static member stays.
    func leave() async {
        let seat = state.withLock { $0.seat }
        guard !seat.memberID.isEmpty, seat.instanceID == nil else { return }
        guard let node = try? await coordination.coordinator(of: seat.group) else { return }
        _ = try? await coordination.request(to: .node(node)) { _ in
            var member = LeaveGroupRequest.MemberIdentity()
            member.memberId = seat.memberID
            var request = LeaveGroupRequest()
            request.groupId = seat.group
            request.memberId = seat.memberID
            request.members = [member]
            return request
        }
    }

    private func forgetSeat() {
        state.withLock { state in
            state.seat.memberID = ""
            state.seat.generation = -1
        }
    }
}

extension JoinGroupRequest {
    fileprivate init(_ seat: GroupSeat, _ topics: [String], _ settings: GroupConsumerSettings, version: Int16) {
        self.init()
        groupId = seat.group
        memberId = seat.memberID
        groupInstanceId = version >= 5 ? seat.instanceID : nil
        sessionTimeoutMs = settings.sessionTimeoutMilliseconds
        rebalanceTimeoutMs = settings.rebalanceTimeoutMilliseconds
        protocolType = "consumer"
        var subscription = ConsumerProtocolSubscription()
        subscription.topics = topics
        protocols = GroupAssignor.allCases.map { assignor in
            var entry = JoinGroupRequestProtocol()
            entry.name = assignor.rawValue
            entry.metadata = subscription.encoded(version: 0)
            return entry
        }
    }
}

extension SyncGroupRequest {
    fileprivate init(
        _ seat: GroupSeat, _ joined: JoinGroupResponse, _ shares: [String: [TopicPartition]], version: Int16
    ) {
        self.init()
        groupId = seat.group
        generationId = seat.generation
        memberId = seat.memberID
        groupInstanceId = version >= 3 ? seat.instanceID : nil
        protocolType = joined.protocolType
        protocolName = joined.protocolName
        assignments = shares.sorted { $0.key < $1.key }.map { member, partitions in
            var assignment = ConsumerProtocolAssignment()
            assignment.assignedPartitions = Dictionary(grouping: partitions, by: \.topic)
                .sorted { $0.key < $1.key }
                .map { TopicPartitions(topic: $0.key, partitions: $0.value.map(\.partition)) }
            var entry = SyncGroupRequestAssignment()
            entry.memberId = member
            entry.assignment = assignment.encoded(version: 0)
            return entry
        }
    }
}
