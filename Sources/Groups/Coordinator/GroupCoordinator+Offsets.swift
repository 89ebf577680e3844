import Instruments
public import KafkaWire
import Log
import Synchronization

/// OffsetCommit.
public struct GroupCommit: Sendable, Equatable {
    /// An offset to be remembered.
    public struct Offset: Sendable, Equatable {
        /// The partition.
        public var place: GroupTopicPartition
        /// The next offset to be read.
        public var offset: Int64
        /// The leader epoch of the last record that was read; -1 if unknown.
        public var leaderEpoch: Int32
        /// Whatever the client wants to remember with it; empty for none.
        public var metadata: String

        /// Assembles it.
        public init(place: GroupTopicPartition, offset: Int64, leaderEpoch: Int32 = -1, metadata: String = "") {
            self.place = place
            self.offset = offset
            self.leaderEpoch = leaderEpoch
            self.metadata = metadata
        }
    }

    /// The group. May be empty.
    public var groupID: String
    /// Who commits; without ids if it is no member.
    public var member: GroupMemberIdentity
    /// The generation; -1 if it is no member.
    public var generation: Int32
    /// How long the offsets are to be kept, in milliseconds; nil or negative: as the settings say (versions 2 to 4).
    public var retentionMilliseconds: Int64?
    /// The offsets. That the topics and partitions exist is the caller's to check.
    public var offsets: [Offset]

    /// Assembles it.
    public init(
        groupID: String, member: GroupMemberIdentity = GroupMemberIdentity(memberID: ""), generation: Int32 = -1,
        retentionMilliseconds: Int64? = nil, offsets: [Offset]
    ) {
        self.groupID = groupID
        self.member = member
        self.generation = generation
        self.retentionMilliseconds = retentionMilliseconds
        self.offsets = offsets
    }
}

/// Committed offsets.
extension GroupCoordinator {
    private struct Accepted: Sendable {
        let place: GroupTopicPartition
        let value: CommittedOffset
        var at: Int64 = -1
    }

    /// What became of a commit before anything is synced.
    private enum Outcome: Sendable {
        case refused(ErrorCode)
        case appended(errors: [ErrorCode], accepted: [Accepted], endOffset: Int64)
    }

    /// OffsetCommit. Answered when the offsets are synced, with one code per offset, in order. From then on nobody sees
    /// older ones.
    public func commit(_ request: GroupCommit, answer: @escaping @Sendable ([ErrorCode]) -> Void) {
        let all = { (error: ErrorCode) in answer(Array(repeating: error, count: request.offsets.count)) }
        if let error = refusal(request.groupID, allowsEmpty: true) { return all(error) }
        while true {
            // Who says it is a member of a group that does not exist was one before this coordinator's time.
            switch lookup(request.groupID, creates: request.generation < 0, missing: .illegalGeneration) {
            case .refused(let error): return all(error)
            case .handle(let handle):
                guard let outcome = change(handle, { cell, _, now in append(request, handle, &cell, now) }) else {
                    continue
                }
                switch outcome {
                case .refused(let error): return all(error)
                case .appended(let errors, let accepted, let endOffset):
                    guard !accepted.isEmpty else { return answer(errors) }
                    return whenSynced(handle, endOffset) { [self] error in
                        finish(accepted, handle, error)
                        answer(errors.map { $0 == .none && error != nil ? .coordinatorNotAvailable : $0 })
                    }
                }
            }
        }
    }

    private func append(
        _ request: GroupCommit, _ handle: GroupHandle, _ cell: inout GroupCell, _ now: Int64
    ) -> Outcome {
        let welcome = cell.group.admitCommit(request.member, generation: request.generation, now: now)
        guard welcome == .none else { return .refused(welcome) }
        let wall = wallNow()
        let expires = request.retentionMilliseconds.flatMap { $0 < 0 ? nil : wall.addingReportingOverflow($0) }
        var count = cell.offsets.count + cell.offsets.pending.count
        var accepted: [Accepted] = []
        let errors = request.offsets.map { offset in
            let error = refusal(offset, cell.offsets, &count)
            guard error == .none else { return error }
            let value = CommittedOffset(
                offset: offset.offset, leaderEpoch: offset.leaderEpoch, metadata: offset.metadata,
                commitMilliseconds: wall, expireMilliseconds: expires.map { $0.overflow ? .max : $0.partialValue })
            accepted.append(Accepted(place: offset.place, value: value))
            return error
        }
        guard !accepted.isEmpty else { return .appended(errors: errors, accepted: [], endOffset: 0) }
        return append(accepted, errors, handle, &cell)
    }

    private func append(
        _ offsets: [Accepted], _ errors: [ErrorCode], _ handle: GroupHandle, _ cell: inout GroupCell
    ) -> Outcome {
        let records = offsets.map { offset in
            OffsetsTopic.Record(
                key: GroupRecord.offsetKey(handle.id, offset.place), value: GroupRecord.offsetValue(offset.value))
        }
        do {
            let result = try topic.append(records, to: handle.partition, .now)
            var accepted = offsets
            for index in accepted.indices {
                accepted[index].at = result.baseOffset + Int64(index)
                cell.offsets.append(accepted[index].place, accepted[index].value, at: accepted[index].at)
            }
            return .appended(errors: errors, accepted: accepted, endOffset: result.endOffset)
        } catch {
            return .refused(Self.code(error))
        }
    }

    private func refusal(_ offset: GroupCommit.Offset, _ known: GroupOffsets, _ count: inout Int) -> ErrorCode {
        guard (1...TopicName.maximumBytes).contains(offset.place.topic.utf8.count), offset.place.partition >= 0 else {
            return .unknownTopicOrPartition
        }
        guard offset.metadata.utf8.count <= settings.maximumOffsetMetadataBytes else { return .offsetMetadataTooLarge }
        if known.contains(offset.place) { return .none }
        guard count < settings.maximumOffsetsPerGroup else { return .policyViolation }
        count += 1
        return .none
    }

    private func finish(_ accepted: [Accepted], _ handle: GroupHandle, _ error: LogError?) {
        let done: Void? = change(handle) { cell, _, _ in
            for offset in accepted {
                if error == nil {
                    cell.offsets.confirm(offset.place, offset.value, at: offset.at)
                } else {
                    cell.offsets.abandon(offset.place, at: offset.at)
                }
            }
        }
        // Otherwise the group was deleted after the commit.
        if done != nil, error == nil { commits.add(UInt64(accepted.count)) }
    }

    /// The committed offset of one partition (OffsetFetch); nil if there is none, or no such group.
    public func committedOffset(groupID: String, _ place: GroupTopicPartition) -> CommittedOffset? {
        registry.find(groupID)?.cell.withLock { $0.offsets.offset(place) }
    }

    /// The committed offsets of several partitions as of one moment, in order.
    public func committedOffsets(groupID: String, _ places: [GroupTopicPartition]) -> [CommittedOffset?] {
        registry.find(groupID)?.cell.withLock { cell in places.map(cell.offsets.offset) }
            ?? Array(repeating: nil, count: places.count)
    }

    /// All committed offsets of a group by topic and partition; empty if there is no such group.
    public func committedOffsets(groupID: String) -> [String: [Int32: CommittedOffset]] {
        registry.find(groupID)?.cell.withLock { cell in
            cell.offsets.committed.mapValues { $0.mapValues(\.value) }
        } ?? [:]
    }
}
