public import KafkaWire
import Log
import Synchronization

/// A group as ListGroups shows it.
public struct GroupListing: Sendable, Equatable {
    /// The group.
    public var groupID: String
    /// What kind of group it is; empty for one that only stores offsets.
    public var protocolType: String
    /// Its state.
    public var state: GroupState
}

/// What operators ask for.
extension GroupCoordinator {
    /// DescribeGroups; nil if there is no such group (Kafka: state Dead; from version 6 on GROUP_ID_NOT_FOUND).
    public func describe(groupID: String) -> GroupDescription? {
        registry.find(groupID)?.cell.withLock { $0.isRemoved ? nil : $0.group.description }
    }

    /// ListGroups: all of them, sorted by id.
    public func groups() -> [GroupListing] {
        registry.all.map { handle in
            handle.cell.withLock {
                GroupListing(
                    groupID: handle.id, protocolType: $0.group.protocolType ?? "", state: $0.group.state)
            }
        }
    }

    /// DeleteGroups: a group without members, with its offsets. Answered when that is synced.
    ///
    /// The answer is NONE, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, or COORDINATOR_NOT_AVAILABLE.
    public func deleteGroup(_ groupID: String, answer: @escaping @Sendable (ErrorCode) -> Void) {
        if let error = refusal(groupID, allowsEmpty: true) { return answer(error) }
        guard let handle = registry.find(groupID) else { return answer(.groupIdNotFound) }
        let outcome = change(handle) { cell, effects, now -> Result<Int64, GroupRefusal> in
            guard cell.group.state == .empty else { return .failure(GroupRefusal(code: .nonEmptyGroup)) }
            let result = removeOffsets(Array(cell.offsets.places), handle, &cell, withGroup: true)
            if case .success = result {
                perform(cell.group.die(.coordinatorNotAvailable), handle, &cell, &effects, now)
                forget(handle, &cell)
            }
            return result
        }
        finish(outcome ?? .failure(GroupRefusal(code: .groupIdNotFound)), handle, answer)
    }

    /// OffsetDelete. Answered when that is synced, with one code per place, in order.
    ///
    /// A group that is no consumer group must be empty (NON_EMPTY_GROUP for all); a consumer group must not read the
    /// topic (GROUP_SUBSCRIBED_TO_TOPIC). Without such a group: GROUP_ID_NOT_FOUND for all.
    public func deleteOffsets(
        groupID: String, _ places: [GroupTopicPartition],
        answer: @escaping @Sendable (_ all: ErrorCode, _ each: [ErrorCode]) -> Void
    ) {
        if let error = refusal(groupID, allowsEmpty: true) { return answer(error, []) }
        guard let handle = registry.find(groupID) else { return answer(.groupIdNotFound, []) }
        let outcome = change(handle) { cell, _, _ -> ([ErrorCode], Result<Int64, GroupRefusal>) in
            guard cell.group.state == .empty || cell.group.usesConsumerProtocol else {
                return ([], .failure(GroupRefusal(code: .nonEmptyGroup)))
            }
            let each = places.map { cell.group.isSubscribed(to: $0.topic) ? ErrorCode.groupSubscribedToTopic : .none }
            let removed = zip(places, each).filter { $1 == .none && cell.offsets.contains($0) }.map(\.0)
            return (each, removeOffsets(removed, handle, &cell, withGroup: false))
        }
        guard let (each, result) = outcome else { return answer(.groupIdNotFound, []) }
        finish(result, handle) { answer($0, $0 == .none ? each : []) }
    }

    /// Forgets the offsets of a topic that is deleted, in every group, so that a later topic of that name begins anew.
    public func forgetTopic(_ name: String) {
        for handle in registry.all {
            _ = change(handle) { cell, _, _ in
                let places = cell.offsets.places.filter { $0.topic == name }
                if case .failure = removeOffsets(Array(places), handle, &cell, withGroup: false) {
                    report(.warning, "group \"\(handle.id)\" keeps its offsets of the deleted topic \(name)")
                }
            }
        }
    }

    /// Forgets the offsets of topics that are not there. The last process died between the deletion of a topic and
    /// `forgetTopic`, or the data is a backup's that left out a topic.
    public func forgetUnknownTopics() {
        var names: Set<String> = []
        for handle in registry.all { names.formUnion(handle.cell.withLock { $0.offsets.places.map(\.topic) }) }
        for name in names.sorted() where log.topic(named: name) == nil {
            report(.notice, "there is no topic \(name): groups forget their offsets of it")
            forgetTopic(name)
        }
    }

    private func finish(
        _ outcome: Result<Int64, GroupRefusal>, _ handle: GroupHandle, _ answer: @escaping @Sendable (ErrorCode) -> Void
    ) {
        switch outcome {
        case .failure(let refusal): answer(refusal.code)
        case .success(0): answer(.none)
        case .success(let endOffset):
            whenSynced(handle, endOffset) { error in answer(error.map(Self.code) ?? .none) }
        }
    }

    /// Appends tombstones, and forgets.
    ///
    /// - Returns: the offset behind the last of them; 0 if there was nothing to do.
    func removeOffsets(
        _ places: [GroupTopicPartition], _ handle: GroupHandle, _ cell: inout GroupCell, withGroup: Bool
    ) -> Result<Int64, GroupRefusal> {
        let sorted = places.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
        var records = sorted.map { OffsetsTopic.Record(key: GroupRecord.offsetKey(handle.id, $0), value: nil) }
        if withGroup, cell.storedValue != nil {
            records.append(OffsetsTopic.Record(key: GroupRecord.groupKey(handle.id), value: nil))
        }
        var endOffset: Int64 = 0
        do {
            try topic.append(records, to: handle.partition, .now) { range, result in
                for index in range where index < sorted.count {
                    cell.offsets.remove(sorted[index], at: result.baseOffset + Int64(index - range.lowerBound))
                }
                if range.upperBound > sorted.count { cell.storedValue = nil }
                endOffset = result.endOffset
            }
            return .success(endOffset)
        } catch {
            return .failure(GroupRefusal(code: Self.code(error)))
        }
    }

    /// A group of which there is nothing, in memory or in the log, is none: a join or commit that was refused leaves none
    /// behind, nor does a member that never came back with its id.
    func forgetIfNothing(_ handle: GroupHandle, _ cell: inout GroupCell) {
        if cell.isForgettable, cell.storedValue == nil, !cell.isRemoved { forget(handle, &cell) }
    }

    /// Takes a group out of everything.
    func forget(_ handle: GroupHandle, _ cell: inout GroupCell) {
        cell.isRemoved = true
        registry.remove(handle)
        unschedule(handle)
    }
}

/// Why something was not done.
struct GroupRefusal: Error, Sendable {
    let code: ErrorCode
}
