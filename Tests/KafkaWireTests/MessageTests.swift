import Bytes
import KafkaWire
import Testing

/// The error with which decoding fails, or nil.
private func failure<Message: RandomMessage>(_ type: Message.Type, _ bytes: [UInt8], _ version: Int16) -> WireError? {
    do {
        try decode(type, bytes, version, leavingBytes: true)
        return nil
    } catch { return error as? WireError }
}

/// Bytes written by hand from the definitions.
struct HandWrittenMessageTests {
    @Test func fetchRequestVersion4() throws {
        let bytes = hex(
            """
            ffffffff 000001f4 00000001 00100000 00 00000001 0003 6c6f67 00000001
            00000002 000000000000000a 00010000
            """)
        var request = FetchRequest()
        request.maxWaitMs = 500
        request.minBytes = 1
        request.maxBytes = 1 << 20
        var topic = FetchRequest.FetchTopic()
        topic.topic = "log"
        var partition = FetchRequest.FetchPartition()
        partition.partition = 2
        partition.fetchOffset = 10
        partition.partitionMaxBytes = 1 << 16
        topic.partitions = [partition]
        request.topics = [topic]
        #expect(encode(request, 4) == bytes)
        #expect(try decode(FetchRequest.self, bytes, 4) == request)
    }

    @Test func fetchRequestVersion17CarriesTaggedFields() throws {
        var request = FetchRequest()
        request.clusterId = "c"
        request.replicaState.replicaId = 3
        request.maxBytes = 7
        let bytes = hex(
            """
            00000000 00000000 00000007 00 00000000 ffffffff 01 01 01
            02 00 02 02 63 01 0d 00000003 ffffffffffffffff 00
            """)
        #expect(encode(request, 17) == bytes)
        #expect(try decode(FetchRequest.self, bytes, 17) == request)
    }

    @Test func apiVersionsResponseVersions0And3() throws {
        var response = ApiVersionsResponse()
        var produce = ApiVersionsResponse.ApiVersion()
        produce.maxVersion = 13
        response.apiKeys = [produce]
        response.finalizedFeaturesEpoch = 5
        #expect(encode(response, 0) == hex("0000 00000001 0000 0000 000d"))
        #expect(encode(response, 3) == hex("0000 02 0000 0000 000d 00 00000000 01 01 08 0000000000000005"))
    }

    @Test func describeTopicPartitionsWithAndWithoutACursor() throws {
        var request = DescribeTopicPartitionsRequest()
        #expect(encode(request, 0) == hex("01 000007d0 ff 00"))
        request.cursor = .init()
        request.cursor?.topicName = "t"
        request.cursor?.partitionIndex = 1
        #expect(encode(request, 0) == hex("01 000007d0 01 02 74 00000001 00 00"))
    }

    @Test func metadataRequestForAllTopicsDiffersByVersion() {
        var request = MetadataRequest()
        request.topics = nil
        #expect(encode(request, 0) == hex("00000000"))
        #expect(encode(request, 1) == hex("ffffffff"))
        #expect(encode(request, 12) == hex("00 01 00 00"))
    }

    @Test func anOptionalNameIsEmptyWhereTheVersionHasNoNull() {
        var response = MetadataResponse()
        var topic = MetadataResponse.MetadataResponseTopic()
        topic.name = nil
        response.topics = [topic]
        #expect(encode(response, 0) == hex("00000000 00000001 0000 0000 00000000"))
    }
}

/// Where the versions of group messages differ in meaning.
struct GroupMessageTests {
    @Test func committedOffsetsOfEveryTopicAreAskedForWithNull() throws {
        var request = OffsetFetchRequest()
        request.groupId = "g"
        request.topics = nil
        #expect(encode(request, 2) == hex("0001 67 ffffffff"))
        #expect(encode(request, 1) == hex("0001 67 00000000"), "version 1 cannot: it asks for none")
        #expect(encode(request, 7) == hex("02 67 00 00 00"))
        var group = OffsetFetchRequest.OffsetFetchRequestGroup()
        group.groupId = "g"
        request.groups = [group]
        #expect(encode(request, 8) == hex("02 02 67 00 00 00 00"))
        #expect(encode(request, 9) == hex("02 02 67 00 ffffffff 00 00 00 00"))
        #expect(try decode(OffsetFetchRequest.self, hex("0001 67 ffffffff"), 2).topics == nil)
    }

    @Test func anOffsetFetchOfVersion1HasNoErrorForTheGroup() {
        var response = OffsetFetchResponse()
        response.errorCode = .notCoordinator
        #expect(encode(response, 1) == hex("00000000"))
        #expect(encode(response, 2) == hex("00000000 0010"))
    }

    @Test func aRefusedJoinHasNoProtocolName() {
        var response = JoinGroupResponse()
        response.errorCode = .memberIdRequired
        response.protocolName = nil
        response.memberId = "m"
        #expect(encode(response, 0) == hex("004f ffffffff 0000 0000 0001 6d 00000000"))
        #expect(encode(response, 6) == hex("00000000 004f ffffffff 01 01 02 6d 01 00"))
        #expect(encode(response, 7) == hex("00000000 004f ffffffff 00 00 01 02 6d 01 00"))
        #expect(encode(response, 9) == hex("00000000 004f ffffffff 00 00 01 00 02 6d 01 00"))
    }

    @Test func aJoinOfVersion0HasNoRebalanceTimeout() throws {
        let request = try decode(JoinGroupRequest.self, hex("0001 67 00002710 0000 0001 63 00000000"), 0)
        #expect(request.sessionTimeoutMs == 10_000)
        #expect(request.rebalanceTimeoutMs == -1)
    }

    @Test func oneMemberLeavesUpToVersion2AndManyFromVersion3On() {
        var request = LeaveGroupRequest()
        request.groupId = "g"
        request.memberId = "m"
        var member = LeaveGroupRequest.MemberIdentity()
        member.groupInstanceId = "i"
        request.members = [member]
        #expect(encode(request, 2) == hex("0001 67 0001 6d"))
        #expect(encode(request, 3) == hex("0001 67 00000001 0000 0001 69"))
        #expect(encode(request, 5) == hex("02 67 02 01 02 69 00 00 00"))
    }

    @Test func topicsOfOffsetsHaveIdsFromVersion10On() {
        var response = OffsetCommitResponse()
        var topic = OffsetCommitResponse.OffsetCommitResponseTopic()
        topic.name = "t"
        topic.topicId = Uuid(high: 1, low: 2)
        response.topics = [topic]
        #expect(encode(response, 9) == hex("00000000 02 02 74 01 00 00"))
        #expect(encode(response, 10) == hex("00000000 02 0000000000000001 0000000000000002 01 00 00"))
    }
}

/// Where the versions of administrators' messages differ in meaning.
struct AdministrationMessageTests {
    @Test func allKeysAreAskedForWithNullAndNoneWithAnEmptyArray() throws {
        var request = DescribeConfigsRequest()
        var resource = DescribeConfigsRequest.DescribeConfigsResource()
        resource.resourceType = 2
        resource.resourceName = "t"
        request.resources = [resource]
        request.includeDocumentation = true
        #expect(encode(request, 1) == hex("00000001 02 0001 74 ffffffff 00"))
        #expect(encode(request, 4) == hex("02 02 02 74 00 00 00 01 00"))
        request.resources[0].configurationKeys = []
        #expect(encode(request, 3) == hex("00000001 02 0001 74 00000000 00 01"))
    }

    @Test func aValueThatIsDeletedIsNull() throws {
        let bytes = hex("02 02 02 74 02 02 6b 01 00 00 00 00 00")
        let request = try decode(IncrementalAlterConfigsRequest.self, bytes, 1)
        #expect(request.resources.first?.configs.first?.name == "k")
        #expect(request.resources.first?.configs.first?.configOperation == 1)
        #expect(request.resources.first?.configs.first?.value == nil)
        #expect(encode(request, 1) == bytes)
    }

    @Test func directoriesTellTheirVolumeFromVersion4On() {
        var response = DescribeLogDirsResponse()
        response.errorCode = .clusterAuthorizationFailed
        var directory = DescribeLogDirsResponse.DescribeLogDirsResult()
        directory.logDir = "/d"
        response.results = [directory]
        #expect(encode(response, 1) == hex("00000000 00000001 0000 0002 2f64 00000000"))
        #expect(encode(response, 3) == hex("00000000 001f 02 0000 03 2f64 01 00 00"))
        let volume = "ffffffffffffffff ffffffffffffffff"
        #expect(encode(response, 4) == hex("00000000 001f 02 0000 03 2f64 01 \(volume) 00 00"))
        #expect(encode(response, 5) == hex("00000000 001f 02 0000 03 2f64 01 \(volume) 00 00 00"))
    }

    @Test func whoAsksForTheEndOfAnEpochIsNamedFromVersion3On() throws {
        var request = OffsetForLeaderEpochRequest()
        request.replicaId = -1
        #expect(encode(request, 2) == hex("00000000"))
        #expect(encode(request, 3) == hex("ffffffff 00000000"))
        #expect(try decode(OffsetForLeaderEpochRequest.self, hex("00000000"), 2).replicaId == -2)
    }

    @Test func newPartitionsArePlacedByTheBrokerWithNull() {
        var request = CreatePartitionsRequest()
        var topic = CreatePartitionsRequest.CreatePartitionsTopic()
        topic.name = "t"
        topic.count = 3
        request.topics = [topic]
        #expect(encode(request, 1) == hex("00000001 0001 74 00000003 ffffffff 00000000 00"))
        #expect(encode(request, 2) == hex("02 02 74 00000003 00 00 00000000 00 00"))
    }
}

struct HostileMessageTests {
    @Test func aBillionPartitionsAreRefusedBeforeMemoryIsTaken() {
        // Version 3: no transaction, acks 1, one topic "t" and a billion partitions.
        let produce = hex("ffff 0001 00000000 00000001 0001 74 3b9aca00 00000000")
        #expect(failure(ProduceRequest.self, produce, 3)?.code == .malformedMessage)
        // Version 9, compact: 2^32 - 2 topics.
        #expect(failure(ProduceRequest.self, hex("00 0001 00000000 ffffffff0f 00"), 9)?.code == .malformedMessage)
    }

    @Test func moreElementsThanAllowedAreRefused() throws {
        var request = DeleteTopicsRequest()
        request.topicNames = [String](repeating: "", count: 1001)
        let bytes = encode(request, 4)
        let error = #expect(throws: WireError.self) {
            try bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes, elementLimit: 1000)
                _ = try DeleteTopicsRequest(decoding: &reader, version: 4)
            }
        }
        #expect(error?.code == .limitExceeded)
        #expect(try decode(DeleteTopicsRequest.self, bytes, 4).topicNames.count == 1001)
    }

    @Test func nullsThatAreNotAllowedAreRefused() {
        #expect(failure(DeleteTopicsRequest.self, hex("ffffffff 00000000"), 1)?.code == .malformedMessage)
        #expect(failure(DeleteTopicsRequest.self, hex("00000001 ffff 00000000"), 1)?.code == .malformedMessage)
        #expect(failure(DeleteTopicsRequest.self, hex("fffffffe 00000000"), 1)?.code == .malformedMessage)
    }

    @Test func stringsThatAreNotTextAreRefused() {
        #expect(failure(DeleteTopicsRequest.self, hex("00000001 0001 ff 00000000"), 1)?.code == .malformedMessage)
    }

    @Test func unknownTaggedFieldsAreSkippedAndWrongSizesRefused() throws {
        // DescribeCluster request, version 0: a bool, then tagged fields.
        let decoded = try decode(DescribeClusterRequest.self, hex("01 02 05 03 aabbcc 09 00"), 0)
        #expect(decoded.includeClusterAuthorizedOperations)
        #expect(failure(DescribeClusterRequest.self, hex("01 01 05 7f aa"), 0)?.code == .malformedMessage)
        #expect(failure(DescribeClusterRequest.self, hex("01 ffffffff0f 05 00"), 0)?.code == .malformedMessage)
        // FinalizedFeaturesEpoch (tag 1) of 8 bytes, announced as 9 and as 7.
        let known = "0000 01 00000000 01 01"
        #expect(failure(ApiVersionsResponse.self, hex(known + "08 0000000000000005"), 3) == nil)
        #expect(failure(ApiVersionsResponse.self, hex(known + "09 000000000000000500"), 3)?.code == .malformedMessage)
        #expect(failure(ApiVersionsResponse.self, hex(known + "07 0000000000000005"), 3)?.code == .malformedMessage)
    }

    @Test func unknownVersionsAreRefused() {
        #expect(failure(FetchRequest.self, [], 3)?.code == .unsupportedVersion)
        #expect(failure(FetchRequest.self, [], 19)?.code == .unsupportedVersion)
    }
}

struct MessageHeaderTests {
    private func header(_ bytes: [UInt8]) throws -> (RequestHeader, rest: Int) {
        try bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            return (try RequestHeader(decoding: &reader), reader.remaining)
        }
    }

    @Test func requestHeadersOfBothVersions() throws {
        // Fetch 11 has header version 1, Fetch 12 version 2 with a tagged field that is skipped.
        let old = try header(hex("0001 000b 00000007 0002 6d65 aa"))
        #expect(old.0 == RequestHeader(apiKey: 1, apiVersion: 11, correlationId: 7, clientId: "me"))
        #expect(old.rest == 1)
        let flexible = try header(hex("0001 000c 00000007 ffff 01 05 01 bb aa"))
        #expect(flexible.0 == RequestHeader(apiKey: 1, apiVersion: 12, correlationId: 7, clientId: nil))
        #expect(flexible.rest == 1)
    }

    @Test func headersOfUnknownApisAndVersionsTellWhatIsNeededForAnAnswer() throws {
        let unknownVersion = try header(hex("0012 0063 00000009 0001 78 00 aa")).0
        #expect(unknownVersion == RequestHeader(apiKey: 18, apiVersion: 99, correlationId: 9, clientId: "x"))
        let unknownKey = try header(hex("7fff 0001 00000009 ffff")).0
        #expect(unknownKey.correlationId == 9)
        #expect(throws: WireError.self) { try header(hex("0012 0003 000000")) }
    }

    @Test func framesCountTheirBytes() throws {
        var writer = ByteWriter()
        ApiVersionsRequest().encodeFrame(into: &writer, version: 0, correlationId: 1, clientId: "a")
        ApiVersionsResponse().encodeFrame(into: &writer, version: 3, correlationId: 2)
        let request = "0000000b 0012 0000 00000001 0001 61"
        // Header version 0 although version 3 is flexible.
        let response = "0000000c 00000002 0000 01 00000000 00"
        #expect(writer.array() == hex(request + response))
    }

    @Test func gapsCountIntoTheFrame() throws {
        var response = FetchResponse()
        var topic = FetchResponse.FetchableTopicResponse()
        var partition = FetchResponse.PartitionData()
        partition.records = .external(byteCount: 1000)
        topic.partitions = [partition, partition]
        response.responses = [topic]
        var writer = ByteWriter()
        writer.write(Int32(-1))
        response.encodeFrame(into: &writer, version: 12, correlationId: 2)
        let bytes = writer.array()
        let gaps = writer.gaps
        #expect(gaps.map(\.byteCount) == [1000, 1000])
        // Behind the second gap: the tagged fields of partition, topic and response.
        #expect(gaps[1].position == bytes.count - 3)
        // The size of the records stands before the gap: a compact 1001.
        #expect(Array(bytes[gaps[0].position - 2..<gaps[0].position]) == hex("e907"))
        #expect(writer.messageCount == bytes.count + 2000)
        #expect(
            Array(bytes[4..<8]) == hex("0000") + [UInt8((bytes.count + 1992) >> 8), UInt8((bytes.count + 1992) & 255)])
    }

    @Test func keysKnowTheirMessages() {
        let keys = ApiKey.allCases.map(\.rawValue)
        #expect(keys == keys.sorted())
        #expect(Set(keys).isSuperset(of: [0, 1, 2, 3, 18, 19, 20, 22, 60, 75]))
        for api in ApiKey.allCases {
            #expect(api.request.apiKey == api.rawValue)
            #expect(api.response.apiKey == api.rawValue)
            #expect(api.request.versions == api.versions)
        }
        #expect(ApiKey.fetch.requestHeaderVersion(11) == 1)
        #expect(ApiKey.fetch.requestHeaderVersion(12) == 2)
        #expect(ApiVersionsResponse.headerVersion(4) == 0)
        #expect(FetchResponse.headerVersion(12) == 1)
    }

    @Test func errorCodesHaveKafkasNames() {
        #expect(ErrorCode.unknownTopicOrPartition.rawValue == 3)
        #expect(ErrorCode.unknownTopicOrPartition.isRetriable)
        #expect(ErrorCode.messageTooLarge.name == "MESSAGE_TOO_LARGE")
        #expect(!ErrorCode.messageTooLarge.isRetriable)
        #expect(ErrorCode.unknownServerError.name == "UNKNOWN_SERVER_ERROR")
        #expect(ErrorCode(rawValue: 133).name == "SHARE_SESSION_LIMIT_REACHED")
        #expect(ErrorCode(rawValue: 134).name == "UNKNOWN_134")
        #expect(ErrorCode(rawValue: .min).name == "UNKNOWN_-32768")
        #expect(ErrorCode(rawValue: .max).isRetriable == false)
    }
}
