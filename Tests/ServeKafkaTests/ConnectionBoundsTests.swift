import Bytes
import KafkaWire
import Log
import Testing

@testable import ServeKafka

/// Each bound of `KafkaServerSettings`, over real connections.
@Suite struct ConnectionBoundsTests {
    private func closed(_ reason: KafkaInstruments.CloseReason) -> String {
        "millrace_kafka_connections_closed_total{reason=\"\(reason.rawValue)\"}"
    }

    private func paused(_ reason: ConnectionGauges.Pause) -> String {
        "millrace_kafka_connections_paused{bound=\"\(reason.rawValue)\"}"
    }

    private func pausedSeconds(_ reason: ConnectionGauges.Pause) -> String {
        "millrace_kafka_reading_paused_seconds_total{bound=\"\(reason.rawValue)\"}"
    }

    private func frame(_ request: some KafkaRequest, version: Int16) -> [UInt8] {
        var writer = ByteWriter()
        request.encodeFrame(into: &writer, version: version, correlationId: 1, clientId: nil)
        return writer.array()
    }

    @Test func oneConnectionTooManyIsClosed() async throws {
        try await TestBroker.with(settings: { $0.maximumConnections = 2 }) { broker in
            try await broker.client { first in
                _ = try await first.call(DescribeClusterRequest(), version: 0)
                try await broker.client { second in
                    _ = try await second.call(DescribeClusterRequest(), version: 0)
                    try await broker.client { third in
                        expectEqual(try await third.receive(), nil)
                    }
                    #expect(broker.metric(closed(.tooManyConnections)) == 1)
                }
                // The first is still served, and there is room again.
                _ = try await first.call(DescribeClusterRequest(), version: 0)
            }
            _ = try await broker.waits(for: "millrace_kafka_connections", toBe: 0)
            _ = try await broker.client { try await $0.call(DescribeClusterRequest(), version: 0) }
        }
    }

    /// Beyond the requests in flight the connection is not read; when one is answered it is.
    @Test func requestsInFlightAreBounded() async throws {
        try await TestBroker.with(settings: { $0.maximumRequestsInFlight = 3 }, flushes: false) { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                for _ in 0..<8 { try await client.send(produceRequest("t", batch(["a"])), version: 9) }
                for expected in [Int64(3), 6, 8] {
                    while topic.partitions[0].logEndOffset < expected { try await Task.sleep(nanoseconds: 1_000_000) }
                    try await Task.sleep(nanoseconds: 50_000_000)
                    #expect(topic.partitions[0].logEndOffset == expected)
                    #expect(broker.metric("millrace_kafka_requests_in_flight") == (expected < 8 ? 3 : 2))
                    #expect(broker.metric("millrace_kafka_waiting_produces") == (expected < 8 ? 3 : 2))
                    #expect(broker.metric(paused(.requestsInFlight)) == (expected < 8 ? 1 : 0))
                    broker.log.flushDirty()
                }
                for _ in 0..<8 { _ = try await client.receive() }
                // The last answer may be here before the loop has counted it.
                _ = try await broker.waits(for: "millrace_kafka_requests_in_flight", toBe: 0)
            }
            let seconds = try #require(broker.number(pausedSeconds(.requestsInFlight)))
            #expect((0.09..<5).contains(seconds))
        }
    }

    @Test func aFrameThatTricklesIsGivenUp() async throws {
        try await TestBroker.with(settings: { $0.frameTimeoutMilliseconds = 500 }) { broker in
            let bytes = frame(DescribeClusterRequest(), version: 0)
            try await broker.client { client in
                for byte in bytes.dropLast() {
                    try? await client.send([byte])
                    try await Task.sleep(nanoseconds: 100_000_000)
                }
                expectEqual(try await client.receive(), nil)
            }
            #expect(broker.metric(closed(.frameTimeout)) == 1)
        }
    }

    @Test func silenceIsGivenUpButNotAWaitingFetch() async throws {
        try await TestBroker.with(settings: { $0.idleTimeoutMilliseconds = 500 }) { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                let id = try await client.send(fetchRequest("t", maxWait: 2_500), version: 12)
                _ = try await client.receive(FetchResponse.self, version: 12, correlationID: id)
                expectEqual(try await client.receive(), nil)
            }
            #expect(broker.metric(closed(.idle)) == 1)
        }
    }

    /// Large requests wait, unread, while others hold the memory; each gets its turn.
    @Test func memoryForLargeRequestsIsBounded() async throws {
        try await TestBroker.with(settings: { $0.maximumGatheredBytes = 500_000 }) { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            let large = frame(produceRequest("t", batch(bytes: 400_000), acks: 1), version: 9)
            try await broker.client { holder in
                try await holder.send(Array(large[..<100_000]))
                _ = try await broker.waits(for: "millrace_kafka_gathered_bytes", toBe: large.count - 4)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            try await broker.client { client in
                                try await client.send(large)
                                let answer = try await client.receive()
                                #expect(answer != nil)
                            }
                        }
                    }
                    let areFourPaused = try await broker.waits(for: paused(.requestMemory), toBe: 4)
                    #expect(areFourPaused)
                    #expect(topic.partitions[0].logEndOffset == 0, "four wait for the memory that the first holds")
                    #expect(broker.metric("millrace_kafka_gathered_bytes") == large.count - 4)
                    try await holder.send(Array(large[100_000...]))
                    _ = try await holder.receive()
                    try await group.waitForAll()
                }
            }
            #expect(topic.partitions[0].logEndOffset == 5)
            #expect(broker.metric(paused(.requestMemory)) == 0)
            let isFree = try await broker.waits(for: "millrace_kafka_gathered_bytes", toBe: 0)
            #expect(isFree)
        }
    }

    /// A client that sends and never reads: the broker stops reading it, then gives it up.
    @Test func aClientThatDoesNotReadIsNotServed() async throws {
        try await TestBroker.with(settings: { $0.idleTimeoutMilliseconds = 1_000 }) { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: ["max.message.bytes": "10000000"])
            let records = batch(bytes: 5_000_000)
            _ = try await broker.client { try await $0.call(produceRequest("t", records), version: 9) }
            try await broker.client { client in
                let request = fetchRequest("t", maxBytes: 50 << 20, partitionMaxBytes: 50 << 20)
                for _ in 0..<50 { try await client.send(request, version: 12) }
                let isPaused = try await broker.waits(for: paused(.unreadResponses), toBe: 1)
                #expect(isPaused && broker.metric("millrace_kafka_unsent_bytes") ?? 0 > 1_000_000)
                let isGivenUp = try await broker.waits(for: closed(.idle), toBe: 1)
                #expect(isGivenUp)
                let requests = try #require(broker.metric(#"millrace_kafka_requests_total{api="Fetch"}"#))
                // Counted while it lasted: the connection was given up once it had lasted a second.
                #expect(broker.number(pausedSeconds(.unreadResponses)) ?? 0 > 0.9)
                for line in [paused(.unreadResponses), "millrace_kafka_unsent_bytes"] {
                    let isOver = try await broker.waits(for: line, toBe: 0)
                    #expect(isOver, "\(line)")
                }
                #expect(broker.metric("millrace_kafka_requests_in_flight") == 0)
                #expect(requests < 10, "\(requests) of 50 fetches were worked on although no answer was read")
            }
        }
    }

    /// Requests that were taken are answered, what waits for data is answered empty, and nothing new is accepted.
    @Test func stoppingAnswersWhatWasTaken() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                let waiting = try await client.send(fetchRequest("t", maxWait: 60_000), version: 12)
                _ = try await broker.waits(for: "millrace_kafka_waiting_fetches", toBe: 1)
                let stopping = Task { await broker.server.stop(within: 10_000) }
                _ = try await client.receive(FetchResponse.self, version: 12, correlationID: waiting)
                expectEqual(try await client.receive(), nil)
                await stopping.value
            }
            await #expect(throws: (any Error).self) {
                try await broker.client { try await $0.call(DescribeClusterRequest(), version: 0) }
            }
        }
    }

    /// What does not drain in time is closed: here a sync that never comes.
    @Test func stoppingIsBounded() async throws {
        try await TestBroker.with(flushes: false) { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            try await broker.client { client in
                try await client.send(produceRequest("t", batch(["a"])), version: 9)
                while topic.partitions[0].logEndOffset < 1 { try await Task.sleep(nanoseconds: 1_000_000) }
                await broker.server.stop(within: 100)
                expectEqual(try await client.receive(), nil)
            }
            #expect(broker.metric(closed(.stopping)) == 1)
        }
    }
}
