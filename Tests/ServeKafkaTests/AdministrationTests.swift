import KafkaWire
import Log
import NIOCore
import Testing

@testable import ServeKafka

@Suite struct CreatePartitionsTests {
    private func request(_ name: String, _ count: Int32, assignments: [[Int32]]? = nil) -> CreatePartitionsRequest {
        var topic = CreatePartitionsRequest.CreatePartitionsTopic()
        topic.name = name
        topic.count = count
        topic.assignments = assignments.map { lists in
            lists.map { brokers in
                var assignment = CreatePartitionsRequest.CreatePartitionsAssignment()
                assignment.brokerIds = brokers
                return assignment
            }
        }
        var request = CreatePartitionsRequest()
        request.topics = [topic]
        return request
    }

    @Test(arguments: CreatePartitionsRequest.versions)
    func everyVersionAddsPartitionsThatMetadataShows(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                let answer = try await client.call(request("t", 3), version: version).results
                #expect(answer.map(\.errorCode) == [.none] && answer[0].name == "t")
                var metadata = MetadataRequest()
                metadata.topics = nil
                let topic = try await client.call(metadata, version: 9).topics.first
                #expect(topic?.partitions.map(\.partitionIndex) == [0, 1, 2])
                let produced = try await client.call(
                    produceRequest("t", partition: 2, batch(["x"])), version: 9)
                #expect(produced.responses.first?.partitionResponses.first?.errorCode == ErrorCode.none)
            }
        }
    }

    @Test func whatCannotBeIsRefusedWithAReason() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 2, configs: [:])
            try await broker.client { client in
                func code(_ request: CreatePartitionsRequest) async throws -> ErrorCode? {
                    let answer = try await client.call(request, version: 3).results[0]
                    #expect((answer.errorMessage != nil) == (answer.errorCode != .none))
                    return answer.errorCode
                }
                expectEqual(try await code(request("t", 2)), .invalidPartitions)
                expectEqual(try await code(request("t", -1)), .invalidPartitions)
                expectEqual(try await code(request("t", .max)), .policyViolation)
                expectEqual(try await code(request("gone", 2)), .unknownTopicOrPartition)
                expectEqual(try await code(request("../t", 2)), .invalidTopicException)
                expectEqual(try await code(request("t", 4, assignments: [[1]])), .invalidReplicationAssignment)
                expectEqual(try await code(request("t", 3, assignments: [[7]])), .invalidReplicationAssignment)
                var twice = request("t", 3)
                twice.topics.append(twice.topics[0])
                expectEqual(try await code(twice), .invalidRequest)
                var checked = request("t", 3)
                checked.validateOnly = true
                expectEqual(try await code(checked), ErrorCode.none)
                #expect(broker.log.topic(named: "t")?.partitions.count == 2)
                expectEqual(try await code(request("t", 3, assignments: [[1]])), ErrorCode.none)
                #expect(broker.log.topic(named: "t")?.partitions.count == 3)
            }
        }
    }
}

@Suite struct DeleteRecordsTests {
    private func request(_ offsets: [Int64], topic: String = "t") -> DeleteRecordsRequest {
        var asked = DeleteRecordsRequest.DeleteRecordsTopic()
        asked.name = topic
        asked.partitions = offsets.enumerated().map { index, offset in
            var part = DeleteRecordsRequest.DeleteRecordsPartition()
            part.partitionIndex = Int32(index)
            part.offset = offset
            return part
        }
        var request = DeleteRecordsRequest()
        request.topics = [asked]
        return request
    }

    @Test(arguments: DeleteRecordsRequest.versions)
    func everyVersionMovesTheStart(version: Int16) async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 2, configs: [:])
            try await broker.client { client in
                for partition in Int32(0)...1 {
                    for value in ["a", "b", "c"] {
                        _ = try await client.call(
                            produceRequest("t", partition: partition, batch([value])), version: 9)
                    }
                }
                let answer = try await client.call(request([2, -1, 0]), version: version).topics[0].partitions
                #expect(answer.map(\.errorCode) == [.none, .none, .unknownTopicOrPartition])
                #expect(answer.map(\.lowWatermark) == [2, 3, -1])
                let (below, _) = try await fetch(&client, from: 1)
                #expect(below == .offsetOutOfRange)
                let (found, records) = try await fetch(&client, from: 2)
                #expect(found == .none)
                #expect(records == ["c"])
                #expect(topic.partitions.map(\.logStartOffset) == [2, 3])
                let beyond = try await client.call(request([4]), version: version).topics[0].partitions[0]
                #expect(beyond.errorCode == .offsetOutOfRange && beyond.lowWatermark == -1)
                let gone = try await client.call(request([0], topic: "gone"), version: version).topics[0]
                #expect(gone.partitions[0].errorCode == .unknownTopicOrPartition)
            }
        }
    }

    private func fetch(_ client: inout WireClient, from offset: Int64) async throws -> (ErrorCode, [String]) {
        let id = try await client.send(fetchRequest("t", offsets: [offset]), version: 12)
        guard let frame = try await client.receive() else { return (.unknownServerError, []) }
        let (correlation, response) = try decode(frame, FetchResponse.self, 12)
        #expect(correlation == id)
        let part = response.responses[0].partitions[0]
        return (part.errorCode, try values(records(part.records, in: frame)).map(\.value))
    }
}

@Suite struct PartitionDescriptionTests {
    @Test(arguments: DescribeLogDirsRequest.versions)
    func everyVersionTellsSizes(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 2, configs: [:])
            _ = try broker.log.createTopic("u", partitions: 1, configs: [:])
            try await broker.client { client in
                let bytes = batch(["a", "b"])
                _ = try await client.call(produceRequest("t", bytes), version: 9)
                var request = DescribeLogDirsRequest()
                request.topics = nil
                let all = try await client.call(request, version: version)
                #expect(all.errorCode == .none && all.results.count == 1)
                let result = all.results[0]
                #expect(result.errorCode == .none && result.logDir.hasPrefix("/"))
                #expect(result.topics.map(\.name) == ["t", "u"])
                #expect(result.topics[0].partitions.map(\.partitionSize) == [Int64(bytes.count), 0])
                if version >= 4 {
                    #expect(result.totalBytes >= result.usableBytes && result.usableBytes > 0)
                }
                var asked = DescribeLogDirsRequest.DescribableLogDirTopic()
                asked.topic = "t"
                asked.partitions = [1, 1, 9]
                var gone = asked
                gone.topic = "gone"
                request.topics = [asked, gone]
                let some = try await client.call(request, version: version).results[0]
                #expect(some.topics.map(\.name) == ["t"])
                #expect(some.topics[0].partitions.map(\.partitionIndex) == [1])
            }
        }
    }

    @Test(arguments: OffsetForLeaderEpochRequest.versions)
    func everyVersionTellsWhereAnEpochEnds(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                _ = try await client.call(produceRequest("t", batch(["a", "b"])), version: 9)
                func ask(
                    _ epoch: Int32, current: Int32 = -1, partition: Int32 = 0
                ) async throws
                    -> OffsetForLeaderEpochResponse.EpochEndOffset
                {
                    var part = OffsetForLeaderEpochRequest.OffsetForLeaderPartition()
                    part.partition = partition
                    part.leaderEpoch = epoch
                    part.currentLeaderEpoch = current
                    var topic = OffsetForLeaderEpochRequest.OffsetForLeaderTopic()
                    topic.topic = "t"
                    topic.partitions = [part]
                    var request = OffsetForLeaderEpochRequest()
                    request.topics = [topic]
                    return try await client.call(request, version: version).topics[0].partitions[0]
                }
                let end = try await ask(0, current: 0)
                #expect(end.errorCode == .none && end.leaderEpoch == 0 && end.endOffset == 2)
                let later = try await ask(5)
                #expect(later.errorCode == .none && later.leaderEpoch == -1 && later.endOffset == -1)
                expectEqual(try await ask(0, current: 1).errorCode, .unknownLeaderEpoch)
                expectEqual(try await ask(0, partition: 1).errorCode, .unknownTopicOrPartition)
            }
        }
    }

    @Test(arguments: DescribeProducersRequest.versions)
    func everyVersionTellsOfProducers(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                var header = RecordBatchHeader()
                header.producerId = 77
                header.producerEpoch = 3
                header.baseSequence = 0
                _ = try await client.call(
                    produceRequest("t", batch(["a", "b"], template: header)), version: 9)
                var topic = DescribeProducersRequest.TopicRequest()
                topic.name = "t"
                topic.partitionIndexes = [0, 0, 1]
                var request = DescribeProducersRequest()
                request.topics = [topic]
                let answer = try await client.call(request, version: version).topics[0].partitions
                #expect(answer.map(\.errorCode) == [.none, .unknownTopicOrPartition])
                let producer = try #require(answer[0].activeProducers.first)
                #expect(producer.producerId == 77 && producer.producerEpoch == 3 && producer.lastSequence == 1)
                #expect(producer.lastTimestamp == 1_700_000_000_000)
                #expect(producer.coordinatorEpoch == -1 && producer.currentTxnStartOffset == -1)
            }
        }
    }

    @Test func aRequestThatNamesTooMuchIsClosed() async throws {
        try await TestBroker.with(settings: { $0.maximumPartitionsPerRequest = 3 }) { broker in
            try await broker.client { client in
                var topic = DescribeProducersRequest.TopicRequest()
                topic.partitionIndexes = [0, 1, 2]
                var request = DescribeProducersRequest()
                request.topics = [topic]
                try await client.send(request, version: 0)
                expectEqual(try await client.receive() == nil, true)
            }
            #expect(broker.metric(#"millrace_kafka_connections_closed_total{reason="too-many-partitions"}"#) == 1)
        }
    }
}
