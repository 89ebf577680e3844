import KafkaWire

@testable import ServeKafka

extension ClosedRange<Int16> {
    /// The version nearest to this one.
    func clamping(_ version: Int16) -> Int16 { Swift.min(Swift.max(version, lowerBound), upperBound) }
}

/// A member of a group, one request at a time.
struct WireMember {
    var group = "g"
    var memberID = ""
    var instanceID: String?
    var generation: Int32 = -1
    var leader = ""
    var members: [JoinGroupResponse.JoinGroupResponseMember] = []
    var sessionMilliseconds: Int32 = 10_000
    var protocols = ["range"]

    var isLeader: Bool { !memberID.isEmpty && leader == memberID }

    func joinRequest() -> JoinGroupRequest {
        var request = JoinGroupRequest()
        request.groupId = group
        request.sessionTimeoutMs = sessionMilliseconds
        request.rebalanceTimeoutMs = 10_000
        request.memberId = memberID
        request.groupInstanceId = instanceID
        request.protocolType = "test"
        request.protocols = protocols.map { name in
            var offered = JoinGroupRequest.JoinGroupRequestProtocol()
            offered.name = name
            offered.metadata = [1, 2, 3]
            return offered
        }
        return request
    }

    mutating func take(_ joined: JoinGroupResponse) {
        memberID = joined.memberId
        generation = joined.generationId
        leader = joined.leader
        members = joined.members
    }

    /// Joins; comes again with its id if that is asked for.
    @discardableResult
    mutating func join(_ client: inout WireClient, version: Int16 = 9) async throws -> JoinGroupResponse {
        var response = try await client.call(joinRequest(), version: version)
        if response.errorCode == .memberIdRequired {
            memberID = response.memberId
            response = try await client.call(joinRequest(), version: version)
        }
        if response.errorCode == .none { take(response) }
        return response
    }

    func syncRequest(_ assignments: [String: [UInt8]] = [:]) -> SyncGroupRequest {
        var request = SyncGroupRequest()
        request.groupId = group
        request.generationId = generation
        request.memberId = memberID
        request.groupInstanceId = instanceID
        request.protocolType = "test"
        request.protocolName = protocols.first
        request.assignments = assignments.map { id, bytes in
            var assignment = SyncGroupRequest.SyncGroupRequestAssignment()
            assignment.memberId = id
            assignment.assignment = bytes
            return assignment
        }
        return request
    }

    func heartbeatRequest() -> HeartbeatRequest {
        var request = HeartbeatRequest()
        request.groupId = group
        request.generationId = generation
        request.memberId = memberID
        request.groupInstanceId = instanceID
        return request
    }

    func leaveRequest() -> LeaveGroupRequest {
        var request = LeaveGroupRequest()
        request.groupId = group
        request.memberId = memberID
        var identity = LeaveGroupRequest.MemberIdentity()
        identity.memberId = memberID
        identity.groupInstanceId = instanceID
        request.members = [identity]
        return request
    }

    func commitRequest(
        _ topic: String, id: Uuid = .zero, _ offsets: [Int32: Int64], metadata: String? = "note"
    ) -> OffsetCommitRequest {
        var asked = OffsetCommitRequest.OffsetCommitRequestTopic()
        asked.name = topic
        asked.topicId = id
        asked.partitions = offsets.sorted { $0.key < $1.key }.map { index, offset in
            var part = OffsetCommitRequest.OffsetCommitRequestPartition()
            part.partitionIndex = index
            part.committedOffset = offset
            part.committedMetadata = metadata
            return part
        }
        var request = OffsetCommitRequest()
        request.groupId = group
        request.generationIdOrMemberEpoch = generation
        request.memberId = memberID
        request.groupInstanceId = instanceID
        request.topics = [asked]
        return request
    }
}

/// Asks who coordinates, which makes the broker ready for groups.
func findCoordinator(_ client: inout WireClient) async throws {
    var request = FindCoordinatorRequest()
    request.coordinatorKeys = ["g"]
    _ = try await client.call(request, version: 4)
}

/// An offset fetch in the shape of its version; nil asks for all.
func offsetFetchRequest(
    _ group: String, _ topic: String?, id: Uuid = .zero, partitions: [Int32] = [0], version: Int16
) -> OffsetFetchRequest {
    var request = OffsetFetchRequest()
    if version <= 7 {
        request.groupId = group
        request.topics = topic.map { name in
            var asked = OffsetFetchRequest.OffsetFetchRequestTopic()
            asked.name = name
            asked.partitionIndexes = partitions
            return [asked]
        }
    } else {
        var asked = OffsetFetchRequest.OffsetFetchRequestGroup()
        asked.groupId = group
        asked.topics = topic.map { name in
            var wanted = OffsetFetchRequest.OffsetFetchRequestTopics()
            wanted.name = name
            wanted.topicId = id
            wanted.partitionIndexes = partitions
            return [wanted]
        }
        request.groups = [asked]
    }
    return request
}

/// What an offset fetch found, whatever the shape of its response.
struct FetchedOffsets: Equatable {
    var error = ErrorCode.none
    /// By partition of the only topic.
    var offsets: [Int32: Int64] = [:]
    var metadata: [Int32: String] = [:]
    var errors: [Int32: ErrorCode] = [:]

    init(_ response: OffsetFetchResponse, version: Int16) {
        if version <= 7 {
            error = response.errorCode
            for part in response.topics.flatMap(\.partitions) {
                offsets[part.partitionIndex] = part.committedOffset
                metadata[part.partitionIndex] = part.metadata
                errors[part.partitionIndex] = part.errorCode
            }
        } else {
            error = response.groups.first?.errorCode ?? .none
            for part in response.groups.flatMap(\.topics).flatMap(\.partitions) {
                offsets[part.partitionIndex] = part.committedOffset
                metadata[part.partitionIndex] = part.metadata
                errors[part.partitionIndex] = part.errorCode
            }
        }
    }
}
