import KafkaWire
import Log
import Testing

@testable import ServeKafka

@Suite struct FetchTests {
    /// Fetches with one request and returns the parts of its one topic, each with its records.
    private func fetch(
        _ client: inout WireClient, _ request: FetchRequest, version: Int16 = 12
    ) async throws -> [(part: FetchResponse.PartitionData, records: [UInt8])] {
        let correlationID = try await client.send(request, version: version)
        guard let frame = try await client.receive() else { return [] }
        let (correlation, response) = try decode(frame, FetchResponse.self, version)
        #expect(correlation == correlationID && response.sessionId == 0)
        return (response.responses.first?.partitions ?? []).map { ($0, records($0.records, in: frame)) }
    }

    private func append(_ broker: TestBroker, _ values: [String], partition: Int = 0) throws {
        var bytes = batch(values)
        let target = try #require(broker.log.topic(named: "t")?.partition(Int32(partition)))
        _ = try bytes.withUnsafeMutableBytes { try target.append($0, durability: .none) }
        broker.log.flushDirty()
    }

    @Test(arguments: FetchRequest.versions)
    func everyVersionReturnsWhatWasAppended(version: Int16) async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try append(broker, ["a", "b"])
            try append(broker, ["c"])
            try await broker.client { client in
                let found = try await fetch(&client, fetchRequest("t", id: topic.id), version: version)
                let (part, bytes) = try #require(found.first)
                #expect(part.errorCode == ErrorCode.none && part.highWatermark == 3 && part.lastStableOffset == 3)
                #expect(try values(bytes).map(\.value) == ["a", "b", "c"])
                #expect(try values(bytes).map(\.offset) == [0, 1, 2])
            }
        }
    }

    @Test func anOffsetInsideABatchReturnsTheWholeBatch() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try append(broker, ["a", "b", "c"])
            try await broker.client { client in
                let found = try await fetch(&client, fetchRequest("t", offsets: [1]))
                #expect(try values(found.first?.records ?? []).map(\.offset) == [0, 1, 2])
            }
        }
    }

    /// KIP-74: however small the limits, the first batch comes whole; later partitions keep to what is left.
    @Test func limitsBindAllButTheFirstBatch() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 3, configs: [:])
            for partition in 0..<3 {
                for _ in 0..<3 { try append(broker, [String(repeating: "x", count: 1_000)], partition: partition) }
            }
            try await broker.client { client in
                let tiny = fetchRequest("t", offsets: [0, 0, 0], maxBytes: 1, partitionMaxBytes: 1)
                expectEqual(try await fetch(&client, tiny).map { try values($0.records).count }, [1, 0, 0])
                let perPartition = fetchRequest("t", offsets: [0, 0, 0], partitionMaxBytes: 2_500)
                expectEqual(try await fetch(&client, perPartition).map { try values($0.records).count }, [2, 2, 2])
                let total = fetchRequest("t", offsets: [0, 0, 0], maxBytes: 5_000)
                expectEqual(try await fetch(&client, total).map { try values($0.records).count }, [3, 1, 0])
                let atEndFirst = fetchRequest("t", offsets: [3, 0, 0], maxBytes: 1, partitionMaxBytes: 1)
                expectEqual(try await fetch(&client, atEndFirst).map { try values($0.records).count }, [0, 1, 0])
            }
        }
    }

    @Test func theBrokersOwnLimitBinds() async throws {
        try await TestBroker.with(settings: { $0.maximumFetchBytes = 2_500 }) { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            for _ in 0..<5 { try append(broker, [String(repeating: "x", count: 1_000)]) }
            try await broker.client { client in
                let found = try await fetch(&client, fetchRequest("t"))
                #expect(try values(found.first?.records ?? []).count == 2)
            }
        }
    }

    @Test func refusalsCarryKafkasCodes() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try append(broker, ["a"])
            var older = fetchRequest("t")
            older.topics[0].partitions[0].currentLeaderEpoch = 7
            let cases: [(FetchRequest, Int16, ErrorCode)] = [
                (fetchRequest("missing"), 12, .unknownTopicOrPartition),
                (fetchRequest("", id: Uuid(high: 1, low: 1)), 13, .unknownTopicId),
                (fetchRequest("t", offsets: [2]), 12, .offsetOutOfRange),
                (fetchRequest("t", offsets: [-1]), 12, .offsetOutOfRange), (older, 12, .unknownLeaderEpoch),
                (fetchRequest("", id: topic.id, offsets: [1]), 13, .none),
            ]
            try await broker.client { client in
                for (request, version, code) in cases {
                    let part = try await fetch(&client, request, version: version).first?.part
                    #expect(part?.errorCode == code)
                }
                let beyond = try await fetch(&client, fetchRequest("t", offsets: [0, 0]))
                #expect(beyond.map(\.part.errorCode) == [.none, .unknownTopicOrPartition])
            }
        }
    }

    @Test func waitsForDataAndAnswersWhenItIsSynced() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 2, configs: [:])
            try await broker.client { client in
                let correlationID = try await client.send(
                    fetchRequest("t", offsets: [0, 0], maxWait: 30_000), version: 12)
                let isWaiting = try await broker.waits(for: "millrace_kafka_waiting_fetches", toBe: 1)
                #expect(isWaiting)
                try append(broker, ["a"], partition: 1)
                let frame = try #require(try await client.receive())
                let (correlation, response) = try decode(frame, FetchResponse.self, 12)
                #expect(correlation == correlationID)
                #expect(response.responses.first?.partitions.map(\.highWatermark) == [0, 1])
            }
            #expect(broker.metric("millrace_kafka_waiting_fetches") == 0)
        }
    }

    @Test func minimumBytesAreWaitedFor() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try append(broker, ["0"])
            try await broker.client { client in
                try await client.send(fetchRequest("t", minBytes: 500, maxWait: 30_000), version: 12)
                for number in 1..<20 { try append(broker, ["\(number)"]) }
                let frame = try #require(try await client.receive())
                let part = try #require(
                    try decode(frame, FetchResponse.self, 12).response.responses.first?.partitions.first)
                #expect(part.records.byteCount >= 500)
            }
        }
    }

    @Test func theWaitEndsWithWhatThereIs() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try append(broker, ["a"])
            try await broker.client { client in
                let clock = SuspendingClock()
                let start = clock.now
                let found = try await fetch(&client, fetchRequest("t", minBytes: 100_000, maxWait: 200))
                #expect(try values(found.first?.records ?? []).count == 1)
                #expect(clock.now - start >= .milliseconds(200))
                let empty = try await fetch(&client, fetchRequest("t", offsets: [1], maxWait: 100))
                #expect(empty.first?.part.highWatermark == 1 && empty.first?.records.isEmpty == true)
            }
        }
    }

    /// Later requests are worked on while a fetch waits; their answers keep the order.
    @Test func aWaitingFetchHoldsUpAnswersButNotWork() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                let waiting = try await client.send(fetchRequest("t", maxWait: 30_000), version: 12)
                let produced = try await client.send(produceRequest("t", batch(["a"])), version: 9)
                let frame = try #require(try await client.receive())
                #expect(try decode(frame, FetchResponse.self, 12).correlationID == waiting)
                _ = try await client.receive(ProduceResponse.self, version: 9, correlationID: produced)
            }
        }
    }

    @Test func aTopicThatIsDeletedEndsTheWait() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                try await client.send(fetchRequest("t", maxWait: 30_000), version: 12)
                _ = try await broker.waits(for: "millrace_kafka_waiting_fetches", toBe: 1)
                try broker.log.deleteTopic(topic.id)
                let frame = try #require(try await client.receive())
                let part = try decode(frame, FetchResponse.self, 12).response.responses.first?.partitions.first
                #expect(part?.errorCode == .unknownTopicOrPartition)
            }
        }
    }

    /// Responses of several megabytes go through a socket that cannot take them at once.
    @Test func largeResponsesAreByteExact() async throws {
        try await TestBroker.with(settings: { _ in }) { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: ["max.message.bytes": "10000000"])
            let letters = (0..<8).map { String(repeating: Character(UnicodeScalar(UInt8(97 + $0))), count: 900_000) }
            for letter in letters { try append(broker, [letter]) }
            try await broker.client { client in
                let request = fetchRequest("t", maxBytes: 50 << 20, partitionMaxBytes: 50 << 20)
                for _ in 0..<4 { try await client.send(request, version: 12) }
                for _ in 0..<4 {
                    let frame = try #require(try await client.receive())
                    let response = try decode(frame, FetchResponse.self, 12).response
                    let field = try #require(response.responses.first?.partitions.first?.records)
                    #expect(try values(records(field, in: frame)).map(\.value) == letters)
                }
            }
        }
    }

    /// A reader that now and then pauses: the socket fills up and drains in the middle of a run of requests.
    @Test func pipelinedFetchesOfASlowReaderStayInOrder() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            for number in 0..<8 { try append(broker, ["\(number)" + String(repeating: "x", count: 200_000)]) }
            try await broker.client { client in
                var sent: [Int32] = []
                for number in 0..<200 {
                    let request = fetchRequest("t", offsets: [Int64(number % 8)], partitionMaxBytes: 1)
                    sent.append(try await client.send(request, version: 12))
                }
                for (number, correlationID) in sent.enumerated() {
                    if number % 20 == 0 { try await Task.sleep(nanoseconds: 20_000_000) }
                    let frame = try #require(try await client.receive())
                    let (correlation, response) = try decode(frame, FetchResponse.self, 12)
                    #expect(correlation == correlationID)
                    let field = try #require(response.responses.first?.partitions.first?.records)
                    let value = try #require(try values(records(field, in: frame)).first?.value)
                    #expect(value.hasPrefix("\(number % 8)x") && value.utf8.count == 200_001)
                }
            }
        }
    }
}
