import KafkaClient
import NIOCore
import NIOPosix
import Testing

/// What the client does when the network or the other side does not behave.
@Suite struct FaultTests {
    /// Every record once and in order, although connections are cut in the middle of requests and answers.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func anIdempotentProducerSurvivesAFlakyNetwork(seed: UInt64) async throws {
        let proxy = try await FlakyProxy.start(seed: seed)
        try await ServerUnderTest.run(advertisedPort: proxy.port, partitions: 3) { server in
            proxy.forward(to: server.port)
            try await server.withClient(through: "127.0.0.1:\(proxy.port)") { client in
                try await client.admin.createTopic(NewTopic("flaky", partitions: 3))
                proxy.cut(true)
                var settings = ProducerSettings()
                settings.lingerMilliseconds = 0
                settings.batchBytes = 2_000
                settings.deliveryTimeoutMilliseconds = 60_000
                let producer = try client.producer(settings)
                for chunk in 0..<100 {
                    let records = (0..<100).map { Record(key: "\($0 % 7)", "\(chunk * 100 + $0)") }
                    _ = try await producer.enqueue(records, to: "flaky")
                }
                try await producer.flush()
                #expect(proxy.cuts > 5, "the network was too good to prove anything")
                proxy.cut(false)
            }
            try await server.withClient { client in
                var byKey: [[UInt8]: [Int]] = [:]
                let consumer = try client.consumer()
                try await consumer.assign("flaky", from: .earliest, to: .latest)
                for try await record in consumer.records {
                    let value = try #require(Int(String(decoding: record.value ?? [], as: UTF8.self)))
                    byKey[record.key ?? [], default: []].append(value)
                }
                #expect(byKey.values.map(\.count).reduce(0, +) == 10_000)
                for values in byKey.values { #expect(values == values.sorted(), "order within a key") }
                #expect(Set(byKey.values.joined()).count == 10_000)
            }
        }
        await proxy.stop()
    }

    @Test func aConsumerSurvivesAFlakyNetwork() async throws {
        let proxy = try await FlakyProxy.start(seed: 11)
        try await ServerUnderTest.run(advertisedPort: proxy.port) { server in
            proxy.forward(to: server.port)
            try await server.withClient(through: "127.0.0.1:\(proxy.port)") { client in
                let producer = try client.producer()
                for _ in 0..<20 {
                    try await producer.send(
                        (0..<100).map { _ in Record(value: Array(repeating: 7, count: 50)) }, to: "flaky")
                }
            }
            proxy.cut(true)
            try await server.withClient(through: "127.0.0.1:\(proxy.port)") { client in
                var settings = ConsumerSettings()
                settings.maximumFetchBytes = 10_000
                let consumer = try client.consumer(settings)
                try await consumer.assign("flaky", from: .earliest, to: .latest)
                var offsets: [Int64] = []
                for try await record in consumer.records { offsets.append(record.offset) }
                #expect(offsets == Array(0..<2_000))
                #expect(proxy.cuts > 1)
            }
        }
        await proxy.stop()
    }

    /// A batch that the broker refuses for good leaves a gap in the sequence numbers; what follows is written all the
    /// same, under the next epoch.
    @Test func aRefusedBatchDoesNotStopThoseBehindIt() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                var settings = ProducerSettings()
                settings.lingerMilliseconds = 0
                settings.maximumRequestBytes = 4 << 20
                let producer = try client.producer(settings)
                _ = try await producer.send(Record("before"), to: "gap")
                let tooLarge = try await producer.enqueue(
                    [Record(value: Array(repeating: 0, count: 2 << 20))], to: "gap")
                let after = try await producer.enqueue([Record("after")], to: "gap")
                let refusal = await code { () async throws(KafkaClientError) in _ = try await tooLarge.metadata() }
                #expect(refusal == .refused)
                #expect(try await after.metadata().map(\.offset) == [1])
                #expect(try await producer.send(Record("more"), to: "gap").offset == 2)
            }
        }
    }

    @Test func nobodyListening() async throws {
        let failure = try await withUnreachable { client in
            await code { () async throws(KafkaClientError) in _ = try await client.admin.listTopics() }
        }
        #expect(failure == .connection)
    }

    @Test func aProducerThatReachesNobodyGivesUp() async throws {
        try await withUnreachable { client in
            var settings = ProducerSettings()
            settings.deliveryTimeoutMilliseconds = 300
            let producer = try client.producer(settings)
            let failure = await code { () async throws(KafkaClientError) in
                _ = try await producer.send(Record("x"), to: "t")
            }
            #expect(failure == .connection)
        }
    }

    /// A port on which somebody listens who does not speak Kafka.
    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\u{1}x", "\u{7f}\u{7f}\u{7f}\u{7f}"])
    func somethingElseListens(answer: String) async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var settings = ClientSettings(bootstrap: ["127.0.0.1:\(listener.localAddress?.port ?? 0)"])
        settings.operationTimeoutMilliseconds = 300
        let client = try KafkaClient(settings, logger: quietLogger)
        let failure = await code { () async throws(KafkaClientError) in _ = try await client.admin.listTopics() }
        #expect(failure == .connection)
        await client.close()
        try await listener.close().get()
    }

    @Test func afterCloseEverythingFails() async throws {
        try await ServerUnderTest.run { server in
            let client = try KafkaClient(ClientSettings(bootstrap: [server.address]), logger: quietLogger)
            let producer = try client.producer()
            _ = try await producer.send(Record("x"), to: "t")
            await producer.close()
            let refused = await code { () async throws(KafkaClientError) in
                _ = try await producer.send(Record("y"), to: "t")
            }
            #expect(refused == .closed)
            let consumer = try client.consumer()
            consumer.assign([TopicPartition("t", 0): .offset(1)])
            let reader = Task { await code { () async throws(KafkaClientError) in _ = try await consumer.nextBatch() } }
            try await Task.sleep(for: .milliseconds(20))
            await client.close()
            #expect(await reader.value == .closed, "not nil: that would mean that all was read")
            #expect(try await consumer.nextBatch() == nil)
            let closed = await code { () async throws(KafkaClientError) in _ = try await client.admin.listTopics() }
            #expect(closed == .closed)
        }
    }

    private func withUnreachable<Value>(_ body: (KafkaClient) async throws -> Value) async throws -> Value {
        var settings = ClientSettings(bootstrap: ["127.0.0.1:1"])
        settings.operationTimeoutMilliseconds = 300
        let client = try KafkaClient(settings, logger: quietLogger)
        let value = try await body(client)
        await client.close()
        return value
    }
}

/// Answers whatever comes with the same bytes.
private final class Answering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: String

    init(_ answer: String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }
}
