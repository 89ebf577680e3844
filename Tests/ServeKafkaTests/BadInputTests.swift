import Bytes
import KafkaWire
import Log
import Testing

@testable import ServeKafka

/// What hostile or broken clients send: they are answered or closed with a reason, and nobody else notices.
@Suite struct BadInputTests {
    private func closed(_ broker: TestBroker, _ reason: KafkaInstruments.CloseReason) -> Int? {
        broker.metric("millrace_kafka_connections_closed_total{reason=\"\(reason.rawValue)\"}")
    }

    private func frame(
        key: Int16, version: Int16, flexible: Bool = false, _ body: [UInt8], announcing size: Int32? = nil
    ) -> [UInt8] {
        var writer = ByteWriter()
        let start = writer.beginFrame()
        RequestHeader(apiKey: key, apiVersion: version, correlationId: 1, clientId: "x")
            .encode(into: &writer, headerVersion: flexible ? 2 : 1)
        writer.write(contentsOf: body)
        writer.endFrame(start)
        if let size { writer.patch(size, at: 0) }
        return writer.array()
    }

    /// Sends bytes, expects the connection to be closed, and that another connection is served.
    private func expectClosed(
        _ broker: TestBroker, _ reason: KafkaInstruments.CloseReason, _ bytes: [UInt8]
    ) async throws {
        let before = closed(broker, reason) ?? 0
        try await broker.client { client in
            try await client.send(bytes)
            let answer = try await client.receive()
            #expect(answer == nil)
        }
        #expect(closed(broker, reason) == before + 1)
        let cluster = try await broker.client { try await $0.call(DescribeClusterRequest(), version: 0) }
        #expect(cluster.errorCode == .none)
    }

    @Test func framesOfImpossibleSizeAreRefused() async throws {
        try await TestBroker.with(settings: { $0.maximumFrameBytes = 1_000 }) { broker in
            for size in [Int32(-1), 0, 7, 1_001, .max, .min] {
                try await expectClosed(broker, .frameSize, frame(key: 3, version: 1, [], announcing: size))
            }
            // Another protocol's first bytes announce a size, too.
            try await expectClosed(broker, .frameSize, Array("GET / HTTP/1.1\r\n\r\n".utf8))
            try await expectClosed(broker, .frameSize, [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03])
        }
    }

    @Test func unknownKeysAndVersionsClose() async throws {
        try await TestBroker.with { broker in
            try await expectClosed(broker, .unknownAPI, frame(key: 24, version: 0, []))
            try await expectClosed(broker, .unknownAPI, frame(key: -1, version: 0, []))
            try await expectClosed(broker, .unknownAPI, frame(key: 999, version: 0, []))
            try await expectClosed(broker, .unknownVersion, frame(key: 1, version: 3, []))
            try await expectClosed(broker, .unknownVersion, frame(key: 3, version: 14, []))
            try await expectClosed(broker, .unknownVersion, frame(key: 0, version: -1, []))
        }
    }

    /// Every prefix of a sound request, in a frame that says so.
    @Test func truncatedRequestsClose() async throws {
        try await TestBroker.with { broker in
            var writer = ByteWriter()
            fetchRequest("topic").encode(into: &writer, version: 12)
            let body = writer.array()
            for count in 0..<body.count {
                try await expectClosed(
                    broker, .malformed, frame(key: 1, version: 12, flexible: true, Array(body[..<count])))
            }
        }
    }

    @Test func countsThatLieClose() async throws {
        try await TestBroker.with { broker in
            // Metadata 1: an array of 2^31 - 1 names, of -2, and a name of 32,767 bytes that is not there.
            try await expectClosed(broker, .malformed, frame(key: 3, version: 1, [0x7f, 0xff, 0xff, 0xff]))
            try await expectClosed(broker, .malformed, frame(key: 3, version: 1, [0xff, 0xff, 0xff, 0xfe]))
            try await expectClosed(broker, .malformed, frame(key: 3, version: 1, [0, 0, 0, 1, 0x7f, 0xff, 1]))
            // Metadata 12: a compact array whose varint does not end, and one of 2^32 - 2.
            let endless = [UInt8](repeating: 0xff, count: 12)
            try await expectClosed(broker, .malformed, frame(key: 3, version: 12, flexible: true, endless))
            let huge: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]
            try await expectClosed(broker, .malformed, frame(key: 3, version: 12, flexible: true, huge))
        }
    }

    @Test func requestsForTooManyPartitionsClose() async throws {
        try await TestBroker.with(settings: { $0.maximumPartitionsPerRequest = 10 }) { broker in
            func bytes<Request: KafkaRequest>(_ request: Request, _ version: Int16) -> [UInt8] {
                var writer = ByteWriter()
                request.encodeFrame(into: &writer, version: version, correlationId: 1, clientId: nil)
                return writer.array()
            }
            let fetch = fetchRequest("t", offsets: Array(repeating: 0, count: 11))
            try await expectClosed(broker, .tooManyPartitions, bytes(fetch, 12))
            var produce = produceRequest("t", batch(["a"]))
            produce.topicData[0].partitionData = Array(repeating: produce.topicData[0].partitionData[0], count: 11)
            try await expectClosed(broker, .tooManyPartitions, bytes(produce, 9))
            var offsets = ListOffsetsRequest()
            offsets.topics = [ListOffsetsRequest.ListOffsetsTopic()]
            offsets.topics[0].partitions = Array(repeating: .init(), count: 11)
            try await expectClosed(broker, .tooManyPartitions, bytes(offsets, 5))
        }
    }

    @Test func garbageNeverHarmsOthers() async throws {
        try await TestBroker.with(settings: { $0.maximumFrameBytes = 4_096 }) { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            var state: UInt64 = 0x9E37_79B9_7F4A_7C15
            func random() -> UInt8 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return UInt8(truncatingIfNeeded: state >> 32)
            }
            for round in 0..<200 {
                try await broker.client { client in
                    let body = (0..<Int(random())).map { _ in random() }
                    let api = ServedAPI.allCases[round % ServedAPI.allCases.count]
                    let version = Int16(random()) % (api.versions.upperBound + 1)
                    try await client.send(frame(key: api.rawValue, version: version, flexible: round % 2 == 0, body))
                    client.finishSending()
                    while try await client.receive() != nil {}
                }
            }
            let response = try await broker.client { try await $0.call(produceRequest("t", batch(["a"])), version: 9) }
            #expect(response.responses.first?.partitionResponses.first?.errorCode == ErrorCode.none)
            let isQuiet = try await broker.waits(for: "millrace_kafka_connections", toBe: 0)
            #expect(isQuiet)
        }
    }

    /// A client that goes away in every phase leaves nothing behind.
    @Test func vanishingClientsLeaveNothing() async throws {
        try await TestBroker.with(flushes: false) { broker in
            let topic = try broker.log.createTopic("t", partitions: 1, configs: [:])
            let sound = produceRequest("t", batch(bytes: 100_000))
            var writer = ByteWriter()
            sound.encodeFrame(into: &writer, version: 9, correlationId: 1, clientId: nil)
            let bytes = writer.array()
            // After connecting, inside the size, inside a large request, while it waits for a sync, while it waits for data.
            for count in [0, 2, 50_000, bytes.count] {
                try await broker.client { client in try await client.send(Array(bytes[..<count])) }
            }
            try await broker.client { client in
                try await client.send(fetchRequest("t", maxWait: 60_000), version: 12)
                _ = try await broker.waits(for: "millrace_kafka_waiting_fetches", toBe: 1)
            }
            for gauge in ["connections", "waiting_fetches", "gathered_bytes"] {
                let isZero = try await broker.waits(for: "millrace_kafka_\(gauge)", toBe: 0)
                #expect(isZero, "millrace_kafka_\(gauge)")
            }
            broker.log.flushDirty()
            #expect(topic.partitions[0].highWatermark == 1)
        }
    }
}
