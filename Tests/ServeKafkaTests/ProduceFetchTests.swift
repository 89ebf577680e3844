import Bytes
import KafkaWire
import Log
import Testing

@testable import ServeKafka

@Suite struct ProduceTests {
    @Test(arguments: ProduceRequest.versions)
    func everyVersionAppends(version: Int16) async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            let request = produceRequest("t", id: topic.id, batch(["a", "b"]))
            try await broker.client { client in
                for offset in [Int64(0), 2] {
                    let response = try await client.call(request, version: version)
                    let part = try #require(response.responses.first?.partitionResponses.first)
                    #expect(part.errorCode == .none && part.baseOffset == offset)
                    #expect(version < 5 || part.logStartOffset == 0)
                    // acks=all: synced before it is answered.
                    #expect(topic.partitions[0].highWatermark == offset + 2)
                }
            }
        }
    }

    /// Advertised for librdkafka's sake; answered in their own form.
    @Test(arguments: Int16(0)...2)
    func versionsBefore3AreRefusedPerPartition(version: Int16) async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                try await client.send(oldProduceFrame(version: version, acks: 1))
                let bytes = try #require(try await client.receive())
                try bytes.withUnsafeBytes { bytes in
                    var reader = ByteReader(bytes)
                    #expect(try reader.int32() == 5)
                    #expect(try reader.int32() == 1)
                    #expect(try reader.string(compact: false) == "t")
                    #expect(try reader.int32() == 1)
                    #expect(try reader.int32() == 9)
                    #expect(try reader.int16() == ErrorCode.unsupportedVersion.rawValue)
                    try reader.skip(8 + (version >= 2 ? 8 : 0) + (version >= 1 ? 4 : 0))
                    #expect(reader.isAtEnd)
                }
                try await client.send(oldProduceFrame(version: version, acks: 0))
                expectEqual(try await client.receive(), nil)
            }
        }
    }

    private func oldProduceFrame(version: Int16, acks: Int16) -> [UInt8] {
        var writer = ByteWriter()
        let frame = writer.beginFrame()
        RequestHeader(apiKey: 0, apiVersion: version, correlationId: 5, clientId: nil)
            .encode(into: &writer, headerVersion: 1)
        writer.write(acks)
        writer.write(Int32(1_000))
        writer.write(Int32(1))
        writer.write("t", compact: false)
        writer.write(Int32(1))
        writer.write(Int32(9))
        writer.write([1, 2, 3], compact: false)
        writer.endFrame(frame)
        return writer.array()
    }

    @Test func refusalsCarryKafkasCodes() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: ["max.message.bytes": "1000"])
            var damaged = batch(["a"])
            damaged[damaged.count - 1] ^= 1
            var oldFormat = batch(["a"])
            oldFormat[16] = 1
            var transactional = produceRequest("t", batch(["a"]))
            transactional.transactionalId = "x"
            let cases: [(ProduceRequest, Int16, ErrorCode)] = [
                (produceRequest("missing", batch(["a"])), 9, .unknownTopicOrPartition),
                (produceRequest("t", partition: 1, batch(["a"])), 9, .unknownTopicOrPartition),
                (produceRequest("t", partition: -1, batch(["a"])), 9, .unknownTopicOrPartition),
                (produceRequest("", id: Uuid(high: 1, low: 1), batch(["a"])), 13, .unknownTopicId),
                (produceRequest("t", damaged), 9, .corruptMessage),
                (produceRequest("t", oldFormat), 9, .unsupportedForMessageFormat),
                (produceRequest("t", batch(bytes: 2_000)), 9, .messageTooLarge),
                (produceRequest("t", batch(["a"]), acks: 2), 9, .invalidRequiredAcks),
                (produceRequest("t", []), 9, .invalidRecord), (transactional, 9, .invalidTxnState),
            ]
            try await broker.client { client in
                for (request, version, code) in cases {
                    let part = try await client.call(request, version: version).responses.first?.partitionResponses
                        .first
                    #expect(part?.errorCode == code)
                    #expect(part?.baseOffset == -1 && part?.errorMessage?.isEmpty == false)
                }
            }
            #expect(topic.partitions[0].logEndOffset == 0)
        }
    }

    @Test func acksZeroHasNoResponse() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                for _ in 0..<3 { try await client.send(produceRequest("t", batch(["a"]), acks: 0), version: 9) }
                // The next response is the one to the request that wants one.
                let response = try await client.call(produceRequest("t", batch(["b"]), acks: 1), version: 9)
                #expect(response.responses.first?.partitionResponses.first?.baseOffset == 3)
            }
            #expect(topic.partitions[0].logEndOffset == 4)
        }
    }

    @Test func acksZeroTellsAnErrorByClosing() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                try await client.send(produceRequest("missing", batch(["a"]), acks: 0), version: 9)
                expectEqual(try await client.receive(), nil)
            }
            #expect(broker.metric(#"millrace_kafka_connections_closed_total{reason="unacknowledged-produce"}"#) == 1)
        }
    }

    /// Nobody flushes here but the test: what waits for a sync must not hold up later appends, and answers in order.
    @Test func requestsThatWaitForASyncArePipelined() async throws {
        try await TestBroker.with(flushes: false) { broker in
            let topic = try broker.log.createTopic("t", partitions: 2, configs: [:])
            try await broker.client { client in
                var sent: [Int32] = []
                for number in 0..<20 {
                    let request = produceRequest("t", partition: Int32(number % 2), batch(["\(number)"]))
                    sent.append(try await client.send(request, version: 9))
                }
                sent.append(try await client.send(produceRequest("t", batch(["last"]), acks: 1), version: 9))
                while topic.partitions[0].logEndOffset < 11 { try await Task.sleep(nanoseconds: 1_000_000) }
                #expect(topic.partitions[0].highWatermark == 0)
                broker.log.flushDirty()
                for (number, correlationID) in sent.enumerated() {
                    let response = try await client.receive(
                        ProduceResponse.self, version: 9, correlationID: correlationID)
                    let part = response.responses.first?.partitionResponses.first
                    #expect(part?.errorCode == ErrorCode.none && part?.baseOffset == Int64(number / 2))
                }
            }
        }
    }

    /// All of it arrives with one read, so it is one group wherever the broker may make one; what breaks the group must
    /// not change the order of offsets or of answers.
    @Test func whatInterruptsAGroupKeepsItsPlace() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 2, configs: [:])
            var bad = batch(["bad"])
            bad[bad.count - 1] ^= 1
            var both = produceRequest("t", batch(["both"]), acks: 1)
            both.topicData += produceRequest("t", partition: 1, batch(["both"])).topicData
            let requests: [(request: ProduceRequest, offset: Int64?)] = [
                (produceRequest("t", batch(["a"]), acks: 1), 0), (produceRequest("t", batch(["b"]), acks: -1), 1),
                (produceRequest("t", bad, acks: 1), -1), (produceRequest("t", batch(["c"]), acks: 0), nil),
                (both, 3), (produceRequest("t", batch(["d", "e"]), acks: -1), 4),
                (produceRequest("t", partition: 1, batch(["other"]), acks: 1), 1),
                (produceRequest("t", batch(["f"]), acks: 1), 6), (produceRequest("t", [], acks: 1), -1),
                (produceRequest("missing", batch(["g"]), acks: -1), -1),
            ]
            try await broker.client { client in
                var bytes = ByteWriter()
                for (number, sent) in requests.enumerated() {
                    sent.request.encodeFrame(into: &bytes, version: 9, correlationId: Int32(number), clientId: "test")
                    guard number % 3 == 2 else { continue }
                    MetadataRequest().encodeFrame(into: &bytes, version: 9, correlationId: 100, clientId: "test")
                }
                try await client.send(bytes.array())
                for (number, sent) in requests.enumerated() {
                    if let offset = sent.offset {
                        let response = try await client.receive(
                            ProduceResponse.self, version: 9, correlationID: Int32(number))
                        let part = try #require(response.responses.first?.partitionResponses.first)
                        #expect(part.baseOffset == offset && (part.errorCode == ErrorCode.none) == (offset >= 0))
                    }
                    guard number % 3 == 2 else { continue }
                    _ = try await client.receive(MetadataResponse.self, version: 9, correlationID: 100)
                }
            }
        }
    }

    /// More than may be in flight, in one read: the rest is taken up when the group has been answered.
    @Test func aGroupMayFillTheRequestsInFlight() async throws {
        try await TestBroker.with(settings: { $0.maximumRequestsInFlight = 7 }) { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                var bytes = ByteWriter()
                for number in 0..<500 as Range<Int32> {
                    produceRequest("t", batch(["\(number)"]), acks: 1)
                        .encodeFrame(into: &bytes, version: 9, correlationId: number, clientId: "test")
                }
                try await client.send(bytes.array())
                for number in 0..<500 as Range<Int32> {
                    let response = try await client.receive(ProduceResponse.self, version: 9, correlationID: number)
                    #expect(response.responses.first?.partitionResponses.first?.baseOffset == Int64(number))
                }
            }
        }
    }

    @Test func aSyncThatTakesTooLongIsTold() async throws {
        try await TestBroker.with(flushes: false) { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            var request = produceRequest("t", batch(["a"]))
            request.timeoutMs = 1
            let impatient = request
            let response = try await broker.client { try await $0.call(impatient, version: 9) }
            #expect(response.responses.first?.partitionResponses.first?.errorCode == .requestTimedOut)
            broker.log.flushDirty()
        }
    }

    @Test func idempotentProducersGetTheFirstOffsetAgain() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                let producer = try await client.call(InitProducerIdRequest(), version: 4)
                #expect(producer.errorCode == .none && producer.producerEpoch == 0)
                var template = RecordBatchHeader()
                template.producerId = producer.producerId
                template.producerEpoch = 0
                template.baseSequence = 0
                let first = produceRequest("t", batch(["a"], template: template))
                for _ in 0..<2 {
                    let part = try await client.call(first, version: 9).responses.first?.partitionResponses.first
                    #expect(part?.errorCode == ErrorCode.none && part?.baseOffset == 0)
                }
                template.baseSequence = 5
                let gap = produceRequest("t", batch(["b"], template: template))
                let part = try await client.call(gap, version: 9).responses.first?.partitionResponses.first
                #expect(part?.errorCode == .outOfOrderSequenceNumber)
            }
        }
    }

    @Test(arguments: InitProducerIdRequest.versions)
    func producerIDsAreNeverGivenTwice(version: Int16) async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                var ids: Set<Int64> = []
                for _ in 0..<5 {
                    ids.insert(try await client.call(InitProducerIdRequest(), version: version).producerId)
                }
                #expect(ids.count == 5)
                var transactional = InitProducerIdRequest()
                transactional.transactionalId = "x"
                expectEqual(try await client.call(transactional, version: version).errorCode, .invalidTxnState)
            }
        }
    }
}

@Suite struct ListOffsetsTests {
    private func request(_ timestamp: Int64, epoch: Int32 = -1, partition: Int32 = 0) -> ListOffsetsRequest {
        var part = ListOffsetsRequest.ListOffsetsPartition()
        part.partitionIndex = partition
        part.timestamp = timestamp
        part.currentLeaderEpoch = epoch
        var topic = ListOffsetsRequest.ListOffsetsTopic()
        topic.name = "t"
        topic.partitions = [part]
        var request = ListOffsetsRequest()
        request.topics = [topic]
        return request
    }

    @Test(arguments: ListOffsetsRequest.versions)
    func everyVersionFindsOffsets(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                for (index, value) in ["a", "b", "c"].enumerated() {
                    let records = batch([value], timestamp: 1_700_000_000_000 + [0, 200, 100][index])
                    _ = try await client.call(produceRequest("t", records), version: 9)
                }
                let cases: [(Int64, Int64, Int64)] = [
                    (-1, 3, -1), (-2, 0, -1), (-3, 1, 1_700_000_000_200), (-4, 0, -1), (-5, -1, -1),
                    (1_700_000_000_000, 0, 1_700_000_000_000), (1_700_000_000_001, 1, 1_700_000_000_200),
                    (1_700_000_000_201, -1, -1),
                ]
                for (asked, offset, timestamp) in cases {
                    let response = try await client.call(request(asked), version: version)
                    let part = try #require(response.topics.first?.partitions.first)
                    #expect(part.errorCode == .none)
                    #expect(part.offset == offset && part.timestamp == timestamp, "asked for \(asked)")
                }
            }
        }
    }

    @Test func epochsAndPartitionsAreChecked() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                for (asked, code) in [
                    (request(-1, epoch: 0), ErrorCode.none), (request(-1, epoch: 1), .unknownLeaderEpoch),
                    (request(-1, partition: 1), .unknownTopicOrPartition),
                ] {
                    let response = try await client.call(asked, version: 5)
                    #expect(response.topics.first?.partitions.first?.errorCode == code)
                }
            }
        }
    }
}
