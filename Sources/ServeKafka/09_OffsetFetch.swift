// OffsetFetch (9): served 1 to 10.
//
// A group or a partition without an offset is answered with -1, and is no error. Version 1 tells a group's error with
// each partition, 2 to 7 once, later ones per group.
//
// Deviations from Kafka: every offset that is told is synced, and without transactions every one is stable. What cannot
// be read now is answered with NOT_COORDINATOR rather than COORDINATOR_NOT_AVAILABLE: older Java consumers give up at
// the latter here.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Answers here, unless all offsets of a group are asked for.
    func offsetFetch(_ request: OffsetFetchRequest, version: Int16) -> Outcome {
        let partitions = request.groups.reduce(request.topics?.reduce(0) { $0 + $1.partitionIndexes.count } ?? 0) {
            $0 + 1 + ($1.topics?.reduce(0) { $0 + $1.partitionIndexes.count } ?? 0)
        }
        guard partitions <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "an offset fetch for \(partitions) groups and partitions")
        }
        let broker = broker
        let wantsAll = version >= 8 ? request.groups.contains { $0.topics == nil } : request.topics == nil
        guard wantsAll else { return .answered(.other(broker.offsetFetch(request, version: version))) }
        return .offloaded { .other(broker.offsetFetch(request, version: version)) }
    }
}

extension Broker {
    /// Answers OffsetFetch.
    func offsetFetch(_ request: OffsetFetchRequest, version: Int16) -> OffsetFetchResponse {
        var response = OffsetFetchResponse()
        guard version >= 8 else {
            let asked = request.topics?.map { AskedOffsets(name: $0.name, partitions: $0.partitionIndexes) }
            let error = fetchError(request.groupId)
            let topics = version == 1 || error == .none ? found(request.groupId, asked, error, isByID: false) : []
            response.errorCode = error
            response.topics = topics.map(OffsetFetchResponse.OffsetFetchResponseTopic.init)
            return response
        }
        response.groups = request.groups.map { group in
            let isByID = version >= 10
            let asked = group.topics?.map {
                AskedOffsets(name: $0.name, id: $0.topicId, partitions: $0.partitionIndexes)
            }
            var answer = OffsetFetchResponse.OffsetFetchResponseGroup()
            answer.groupId = group.groupId
            answer.errorCode = fetchError(group.groupId)
            guard answer.errorCode == .none else { return answer }
            answer.topics = found(group.groupId, asked, .none, isByID: isByID)
                .map(OffsetFetchResponse.OffsetFetchResponseTopics.init)
            return answer
        }
        return response
    }

    private func fetchError(_ groupID: String) -> ErrorCode {
        let error = groups.availability(groupID: groupID)
        instruments.countError(.offsetFetch, error)
        return error == .coordinatorNotAvailable ? .notCoordinator : error
    }

    /// What is committed, of the topics asked for or of all.
    private func found(
        _ groupID: String, _ asked: [AskedOffsets]?, _ error: ErrorCode, isByID: Bool
    ) -> [FoundOffsets] {
        guard let asked else { return error == .none ? allOffsets(groupID, isByID: isByID) : [] }
        return asked.map { topic in
            let name = isByID ? log.topic(id: topic.id)?.name : topic.name
            let partitions = topic.partitions.map { index in
                guard let name else { return FoundOffsets.Partition(index: index, error: .unknownTopicId) }
                guard error == .none else { return FoundOffsets.Partition(index: index, error: error) }
                let place = GroupTopicPartition(topic: name, partition: index)
                let offset = groups.committedOffset(groupID: groupID, place)
                return FoundOffsets.Partition(index: index, offset: offset)
            }
            return FoundOffsets(name: topic.name, id: topic.id, partitions: partitions)
        }
    }

    /// Where topics are told by id, those that are gone are left out.
    private func allOffsets(_ groupID: String, isByID: Bool) -> [FoundOffsets] {
        groups.committedOffsets(groupID: groupID).sorted { $0.key < $1.key }.compactMap { name, offsets in
            let id = log.topic(named: name)?.id
            guard id != nil || !isByID else { return nil }
            let partitions = offsets.sorted { $0.key < $1.key }.map {
                FoundOffsets.Partition(index: $0.key, offset: $0.value)
            }
            return FoundOffsets(name: name, id: id ?? .zero, partitions: partitions)
        }
    }
}

/// What a request asks for in one topic.
private struct AskedOffsets {
    var name: String
    var id = Uuid.zero
    var partitions: [Int32]
}

/// What there is in one topic; the two shapes of the response are made from it.
private struct FoundOffsets {
    struct Partition {
        let index: Int32
        var offset: CommittedOffset?
        var error = ErrorCode.none
    }

    let name: String
    let id: Uuid
    let partitions: [Partition]
}

extension OffsetFetchResponse.OffsetFetchResponseTopic {
    fileprivate init(_ found: FoundOffsets) {
        self.init()
        name = found.name
        partitions = found.partitions.map { partition in
            var answer = OffsetFetchResponse.OffsetFetchResponsePartition()
            answer.partitionIndex = partition.index
            answer.committedOffset = partition.offset?.offset ?? -1
            answer.committedLeaderEpoch = partition.offset?.leaderEpoch ?? -1
            answer.metadata = partition.offset?.metadata ?? ""
            answer.errorCode = partition.error
            return answer
        }
    }
}

extension OffsetFetchResponse.OffsetFetchResponseTopics {
    fileprivate init(_ found: FoundOffsets) {
        self.init()
        name = found.name
        topicId = found.id
        partitions = found.partitions.map { partition in
            var answer = OffsetFetchResponse.OffsetFetchResponsePartitions()
            answer.partitionIndex = partition.index
            answer.committedOffset = partition.offset?.offset ?? -1
            answer.committedLeaderEpoch = partition.offset?.leaderEpoch ?? -1
            answer.metadata = partition.offset?.metadata ?? ""
            answer.errorCode = partition.error
            return answer
        }
    }
}
