import Instruments
import KafkaClient
import Testing

/// Producer, consumer and admin against a real server in this process.
@Suite struct RoundTripTests {
    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test func whatIsSentIsRead() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let producer = try client.producer()
                let header = Record.Header("h", [0, 255])
                let sent = Record(
                    key: Array("k".utf8), value: Array("v".utf8), headers: [header, .init("empty", nil)],
                    timestampMilliseconds: 1_700_000_000_000)
                let written = try await producer.send(sent, to: "fresh")
                #expect(written.topic == "fresh" && written.partition == 0 && written.offset == 0)
                #expect(written.timestampMilliseconds == 1_700_000_000_000)
                _ = try await producer.send(Record(value: nil), to: "fresh")
                await producer.close()

                let consumer = try client.consumer()
                try await consumer.assign("fresh", from: .earliest, to: .latest)
                var read: [ConsumedRecord] = []
                for try await record in consumer.records { read.append(record) }
                try #require(read.count == 2)
                #expect(read[0].key == sent.key && read[0].value == sent.value && read[0].headers == sent.headers)
                #expect(read[0].timestampMilliseconds == 1_700_000_000_000 && read[0].offset == 0)
                #expect(read[1].key == nil && read[1].value == nil && read[1].offset == 1)
                #expect(consumer.progress(of: TopicPartition("fresh", 0))?.lag == 0)
            }
        }
    }

    @Test(arguments: CompressionCodec.allCases)
    func everyCodecComesBack(codec: CompressionCodec) async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                var settings = ProducerSettings()
                settings.compression = codec
                let producer = try client.producer(settings)
                let records = (0..<1_000).map { Record(key: "key", "value \($0) \(String(repeating: "x", count: 50))") }
                try await producer.send(records, to: "codecs")
                let consumer = try client.consumer()
                try await consumer.assign("codecs", from: .earliest, to: .latest)
                var values: [String?] = []
                while let batch = try await consumer.nextBatch() {
                    #expect(batch.compression == codec.rawValue)
                    values += try batch.records().map { text($0.value) }
                }
                #expect(values == records.map { text($0.value) })
            }
        }
    }

    /// One that reads many partitions to the end, and waits for more, names few of them.
    @Test func aConsumerOfManyPartitionsNamesWhatChanged() async throws {
        try await ServerUnderTest.run(partitions: 20) { server in
            try await server.withClient { client in
                let producer = try client.producer()
                let consumer = try client.consumer()
                _ = try await producer.send(Record(value: nil), to: "many")
                try await consumer.assign("many", from: .earliest)
                var read: [String] = []
                for round in 0..<5 {
                    let keys = (0..<40).map { "\(round)-\($0)" }
                    for key in keys { _ = try await producer.send(Record(key: key, "v"), to: "many") }
                    while read.count < (round + 1) * 40, let batch = try await consumer.nextBatch() {
                        read += try batch.records().compactMap { text($0.key) }
                    }
                    #expect(Set(read.suffix(40)) == Set(keys) && read.count == (round + 1) * 40)
                }
                let page = server.instruments.render()
                #expect(page.contains("millrace_fetch_sessions 1\n"))
                #expect(!page.contains("millrace_fetch_incremental_total 0\n"))
                #expect(!page.contains("millrace_kafka_errors_total{api=\"Fetch\""))
                consumer.close()
                for _ in 0..<500 where !server.instruments.render().contains("millrace_fetch_sessions 0\n") {
                    try await Task.sleep(nanoseconds: 10_000_000)
                }
                #expect(server.instruments.render().contains("millrace_fetch_sessions 0\n"))
            }
        }
    }

    @Test(arguments: [Acknowledgement.none, .leader, .all])
    func everyAcknowledgementDelivers(acknowledgement: Acknowledgement) async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                var settings = ProducerSettings()
                settings.acknowledgement = acknowledgement
                settings.isIdempotent = acknowledgement == .all
                let producer = try client.producer(settings)
                let written = try await producer.send((0..<10).map { Record("\($0)") }, to: "acks")
                #expect(written.map(\.offset) == (0..<10).map { acknowledgement == .none ? nil : Int64($0) })
                let consumer = try client.consumer()
                try await consumer.assign("acks", from: .earliest)
                var count = 0
                for try await _ in consumer.records {
                    count += 1
                    if count == 10 { break }
                }
                #expect(count == 10)
            }
        }
    }

    @Test func keysKeepTheirPartitionAndOrder() async throws {
        try await ServerUnderTest.run(partitions: 4) { server in
            try await server.withClient { client in
                let producer = try client.producer()
                let records = (0..<2_000).map { Record(key: "key \($0 % 17)", "\($0)") }
                let written = try await producer.send(records, to: "keyed")
                let byKey = Dictionary(grouping: zip(records, written), by: { text($0.0.key) })
                for (_, group) in byKey {
                    #expect(Set(group.map(\.1.partition)).count == 1)
                    let offsets = group.compactMap(\.1.offset)
                    #expect(offsets == offsets.sorted())
                }
                #expect(Set(written.map(\.partition)).count == 4)
                let explicit = try await producer.send(Record(value: [1], partition: 3), to: "keyed")
                #expect(explicit.partition == 3)
                #expect(
                    await code { () async throws(KafkaClientError) in
                        _ = try await producer.send(Record(value: [1], partition: 4), to: "keyed")
                    } == .unknownTopic)
            }
        }
    }

    @Test func readingBeginsAndEndsWhereAsked() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let producer = try client.producer()
                let base: Int64 = 1_700_000_000_000
                for index in 0..<10 {
                    let record = Record(value: [UInt8(index)], timestampMilliseconds: base + Int64(index) * 1_000)
                    _ = try await producer.send(record, to: "range")
                }
                func read(_ from: OffsetSpec, _ to: OffsetSpec) async throws -> [Int64] {
                    let consumer = try client.consumer()
                    try await consumer.assign("range", from: from, to: to)
                    var offsets: [Int64] = []
                    for try await record in consumer.records { offsets.append(record.offset) }
                    return offsets
                }
                #expect(try await read(.earliest, .latest) == Array(0..<10))
                #expect(try await read(.offset(3), .offset(5)) == [3, 4])
                #expect(try await read(.beforeEnd(2), .latest) == [8, 9])
                #expect(try await read(.beforeEnd(99), .offset(1)) == [0])
                #expect(try await read(.time(milliseconds: base + 4_001), .latest) == [5, 6, 7, 8, 9])
                #expect(try await read(.earliest, .time(milliseconds: base + 2_000)) == [0, 1])
                #expect(try await read(.time(milliseconds: base + 99_000), .latest) == [])
                #expect(try await read(.latest, .latest) == [])
            }
        }
    }

    @Test func aSeekGoesOnElsewhere() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                let producer = try client.producer()
                for index in 0..<20 { _ = try await producer.send(Record("\(index)"), to: "seek") }
                let consumer = try client.consumer()
                try await consumer.assign("seek", from: .earliest)
                var iterator = consumer.records.makeAsyncIterator()
                #expect(try await iterator.next()?.offset == 0)
                try consumer.seek(TopicPartition("seek", 0), to: .offset(15))
                var again = consumer.records.makeAsyncIterator()
                #expect(try await again.next()?.offset == 15)
                #expect(consumer.assignment == [TopicPartition("seek", 0)])
                consumer.close()
                while try await again.next() != nil {}
            }
        }
    }

    @Test func anOffsetThatDoesNotExistFollowsThePolicy() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                _ = try await client.producer().send(Record("only"), to: "short")
                let partition = TopicPartition("short", 0)
                let lenient = try client.consumer()
                lenient.assign([partition: .offset(99)])
                #expect(try await lenient.nextBatch()?.baseOffset == 0)
                var settings = ConsumerSettings()
                settings.outOfRangePolicy = .fail
                let strict = try client.consumer(settings)
                strict.assign([partition: .offset(99)])
                let failure = await code { () async throws(KafkaClientError) in _ = try await strict.nextBatch() }
                #expect(failure == .offsetOutOfRange)
            }
        }
    }

    @Test func aWaitingReaderCanBeCancelled() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                try await client.admin.createTopic(NewTopic("quiet", partitions: 1))
                let consumer = try client.consumer()
                try await consumer.assign("quiet", from: .latest)
                let reader = Task {
                    await code { () async throws(KafkaClientError) in _ = try await consumer.nextBatch() }
                }
                try await Task.sleep(for: .milliseconds(50))
                reader.cancel()
                #expect(await reader.value == .cancelled)
            }
        }
    }

    @Test func aReaderSeesWhatComesLater() async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                try await client.admin.createTopic(NewTopic("live", partitions: 2))
                let consumer = try client.consumer()
                try await consumer.assign("live", from: .latest)
                let reader = Task {
                    var values: [String] = []
                    for try await record in consumer.records {
                        values.append(String(decoding: record.value ?? [], as: UTF8.self))
                        if values.count == 4 { break }
                    }
                    return values.sorted()
                }
                while consumer.assignment.contains(where: { consumer.progress(of: $0)?.position == nil }) {
                    try await Task.sleep(for: .milliseconds(5))
                }
                let producer = try client.producer()
                for index in 0..<4 {
                    _ = try await producer.send(
                        Record(value: Array("\(index)".utf8), partition: Int32(index % 2)), to: "live")
                }
                #expect(try await reader.value == ["0", "1", "2", "3"])
            }
        }
    }
}
