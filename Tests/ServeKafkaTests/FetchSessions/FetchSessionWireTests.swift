import KafkaWire
import Log
import Testing

@testable import ServeKafka

/// Fetch sessions as clients meet them.
@Suite struct FetchSessionWireTests {
    /// A client with a session.
    private struct Reader {
        var id: Int32 = 0
        var epoch: Int32 = 0
        var version: Int16 = 12

        /// A request of the session; without partitions it names nothing.
        func request(_ request: FetchRequest = FetchRequest(), maxWait: Int32 = 0) -> FetchRequest {
            var request = request
            request.minBytes = 1
            request.maxWaitMs = maxWait
            request.sessionId = id
            request.sessionEpoch = epoch
            return request
        }

        mutating func call(
            _ client: inout WireClient, _ request: FetchRequest = FetchRequest()
        ) async throws -> FetchResponse {
            let response = try await client.call(self.request(request), version: version)
            id = response.sessionId
            epoch += 1
            return response
        }
    }

    private func append(_ broker: TestBroker, _ value: String, to topic: String = "t", partition: Int32 = 0) throws {
        var bytes = batch([value])
        let target = try #require(broker.log.topic(named: topic)?.partition(partition))
        _ = try bytes.withUnsafeMutableBytes { try target.append($0, durability: .none) }
        broker.log.flushDirty()
    }

    private func told(_ response: FetchResponse) -> [Int32] {
        response.responses.flatMap { $0.partitions.map(\.partitionIndex) }
    }

    @Test(arguments: [7, 12, 13, 18] as [Int16])
    func incrementalResponsesHoldOnlyNews(version: Int16) async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 100, configs: [:])
            try await broker.client { client in
                var reader = Reader(version: version)
                let all = fetchRequest("t", id: topic.id, offsets: Array(repeating: 0, count: 100))
                let first = try await reader.call(&client, all)
                #expect(first.sessionId != 0 && told(first) == Array(0..<100))
                expectEqual(told(try await reader.call(&client)), [])
                try append(broker, "a", partition: 42)
                let second = try await reader.call(&client)
                #expect(told(second) == [42] && second.sessionId == first.sessionId)
                #expect(second.responses.first?.partitions.first?.records.byteCount ?? 0 > 0)
                var moved = fetchRequest("t", id: topic.id, offsets: [1])
                moved.topics[0].partitions[0].partition = 42
                expectEqual(told(try await reader.call(&client, moved)), [])
            }
            #expect(broker.metric("millrace_fetch_sessions") == 1)
            #expect(broker.metric("millrace_fetch_session_partitions") == 100)
            #expect(broker.metric("millrace_fetch_incremental_total") == 3)
        }
    }

    @Test func aSessionWaitsForAnyOfItsPartitions() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 20, configs: [:])
            try await broker.client { client in
                var reader = Reader()
                _ = try await reader.call(&client, fetchRequest("t", offsets: Array(repeating: 0, count: 20)))
                let asked = try await client.send(reader.request(maxWait: 30_000), version: 12)
                let isWaiting = try await broker.waits(for: "millrace_kafka_waiting_fetches", toBe: 1)
                #expect(isWaiting)
                try append(broker, "a", partition: 17)
                let response = try await client.receive(FetchResponse.self, version: 12, correlationID: asked)
                #expect(told(response) == [17])
            }
        }
    }

    @Test func whatDoesNotFitTheSessionIsRefused() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                var reader = Reader()
                _ = try await reader.call(&client, fetchRequest("t"))
                let id = reader.id
                let cases: [(id: Int32, epoch: Int32, version: Int16, code: ErrorCode)] = [
                    (id ^ 1, 1, 12, .fetchSessionIdNotFound), (0, 1, 12, .fetchSessionIdNotFound),
                    (-1, 1, 12, .fetchSessionIdNotFound), (0, -7, 12, .fetchSessionIdNotFound),
                    (id, 2, 12, .invalidFetchSessionEpoch), (id, -2, 12, .invalidFetchSessionEpoch),
                    (id, .max, 12, .invalidFetchSessionEpoch), (id, 1, 13, .fetchSessionTopicIdError),
                ]
                for (id, epoch, version, code) in cases {
                    let request = Reader(id: id, epoch: epoch).request(fetchRequest("t", id: topic.id))
                    let response = try await client.call(request, version: version)
                    #expect(response.errorCode == code && response.sessionId == 0 && response.responses.isEmpty)
                }
                // None of them has hurt it.
                expectEqual(try await reader.call(&client).errorCode, .none)
            }
            #expect(broker.metric("millrace_fetch_sessions") == 1)
        }
    }

    @Test func aSessionIsClosedByTheLastEpochAndByANewOne() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                var reader = Reader()
                _ = try await reader.call(&client, fetchRequest("t"))
                let first = reader.id
                reader.epoch = 0
                _ = try await reader.call(&client, fetchRequest("t"))
                #expect(reader.id != first && broker.metric("millrace_fetch_sessions") == 1)
                let last = try await client.call(Reader(id: reader.id, epoch: -1).request(), version: 12)
                #expect(last.errorCode == .none && last.sessionId == 0)
                #expect(broker.metric("millrace_fetch_sessions") == 0)
                let gone = try await client.call(Reader(id: reader.id, epoch: 1).request(), version: 12)
                #expect(gone.errorCode == .fetchSessionIdNotFound)
            }
        }
    }

    @Test func aSessionThatIsEmptiedEnds() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                var reader = Reader()
                _ = try await reader.call(&client, fetchRequest("t"))
                var forgetting = FetchRequest()
                forgetting.forgottenTopicsData = [.init()]
                forgetting.forgottenTopicsData[0].topic = "t"
                forgetting.forgottenTopicsData[0].partitions = [0, 5]
                let response = try await reader.call(&client, forgetting)
                #expect(response.errorCode == .none && response.sessionId == 0 && response.responses.isEmpty)
            }
            #expect(broker.metric("millrace_fetch_sessions") == 0)
        }
    }

    /// A session belongs to no connection; two that use it at once get in each other's way, and nobody else's.
    @Test func twoConnectionsShareASession() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 2, configs: [:])
            try await broker.client { one in
                var reader = Reader()
                _ = try await reader.call(&one, fetchRequest("t", offsets: [0, 0]))
                let waiting = try await one.send(reader.request(maxWait: 30_000), version: 12)
                _ = try await broker.waits(for: "millrace_kafka_waiting_fetches", toBe: 1)
                try await broker.client { two in
                    let same = try await two.call(reader.request(), version: 12)
                    #expect(same.errorCode == .invalidFetchSessionEpoch)
                    reader.epoch += 1
                    expectEqual(try await reader.call(&two).errorCode, .none)
                    try append(broker, "a", partition: 1)
                    let overtaken = try await one.receive(FetchResponse.self, version: 12, correlationID: waiting)
                    #expect(overtaken.errorCode == .invalidFetchSessionEpoch && overtaken.sessionId == reader.id)
                    #expect(told(overtaken) == [])
                    expectEqual(told(try await reader.call(&two)), [1])
                }
            }
        }
    }

    @Test func aTopicThatIsDeletedAndMadeAgainIsTold() async throws {
        try await TestBroker.with { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                var (byName, byID) = (Reader(), Reader(version: 13))
                for _ in 0..<2 {
                    _ = try await byName.call(&client, byName.id == 0 ? fetchRequest("t") : FetchRequest())
                    let first = fetchRequest("t", id: topic.id)
                    _ = try await byID.call(&client, byID.id == 0 ? first : FetchRequest())
                }
                func code(_ reader: inout Reader, _ client: inout WireClient) async throws -> ErrorCode? {
                    try await reader.call(&client).responses.first?.partitions.first?.errorCode
                }
                try broker.log.deleteTopic(topic.id)
                expectEqual(try await code(&byName, &client), .unknownTopicOrPartition)
                expectEqual(try await code(&byID, &client), .unknownTopicOrPartition)
                let again = try broker.log.createTopic("t", partitions: 1, configs: [:])
                expectEqual(try await code(&byName, &client), ErrorCode.none)
                expectEqual(try await code(&byID, &client), .inconsistentTopicId)
                var both = fetchRequest("t", id: again.id)
                both.forgottenTopicsData = [.init()]
                both.forgottenTopicsData[0].topicId = topic.id
                both.forgottenTopicsData[0].partitions = [0]
                let answer = try await byID.call(&client, both)
                #expect(answer.responses.map(\.topicId) == [again.id])
                #expect(answer.responses.first?.partitions.map(\.errorCode) == [ErrorCode.none])
                var unknown = Reader(version: 13)
                _ = try await unknown.call(&client, fetchRequest("", id: Uuid(high: 1, low: 1)))
                expectEqual(try await code(&unknown, &client), .unknownTopicId)
            }
        }
    }

    @Test func beyondTheBoundsClientsAreServedWithoutASession() async throws {
        try await TestBroker.with(settings: { ($0.maximumFetchSessions, $0.maximumFetchSessionPartitions) = (3, 10) }) {
            broker in
            _ = try broker.log.createTopic("t", partitions: 20, configs: [:])
            try append(broker, "a")
            try await broker.client { client in
                var readers: [Reader] = []
                for number in 0..<6 {
                    var reader = Reader()
                    let response = try await reader.call(&client, fetchRequest("t", offsets: [0, 0]))
                    #expect((response.sessionId == 0) == (number >= 3) && told(response) == [0, 1])
                    readers.append(reader)
                }
                #expect(broker.metric("millrace_fetch_sessions_refused_total") == 3)
                // One that grows beyond the bound is closed, and its client begins anew without a session.
                let more = fetchRequest("t", offsets: Array(repeating: 0, count: 7))
                expectEqual(try await readers[0].call(&client, more).errorCode, .fetchSessionIdNotFound)
                #expect(broker.metric("millrace_fetch_sessions") == 2)
                #expect(broker.metric("millrace_fetch_session_partitions") == 4)
                expectEqual(try await readers[1].call(&client).errorCode, .none)
                var long = Reader()
                let name = String(repeating: "n", count: 250)
                expectEqual(try await long.call(&client, fetchRequest(name)).sessionId, 0)
                expectEqual(try await readers[1].call(&client, fetchRequest(name)).errorCode, .fetchSessionIdNotFound)
            }
        }
    }
}
