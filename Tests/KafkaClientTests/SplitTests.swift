import KafkaClient
import Testing

/// Batches that exceed a topic's `max.message.bytes`, against a real server.
@Suite struct SplitTests {
    private static let tooLarge: Int16 = 10

    @Test(arguments: [true, false])
    func whatIsTooLargeIsSplitAndWrittenOnceInOrder(isIdempotent: Bool) async throws {
        try await ServerUnderTest.run { server in
            try await server.withClient { client in
                try await client.admin.createTopic(
                    NewTopic("small", partitions: 1, configs: ["max.message.bytes": "2000"]))
                var settings = ProducerSettings()
                settings.isIdempotent = isIdempotent
                settings.maximumInFlightPerPartition = isIdempotent ? 5 : 1
                settings.batchBytes = 16 << 10
                settings.compression = .none
                let producer = try client.producer(settings)
                // Several batches are under way at once; one record never fits.
                let sizes = (0..<600).map { $0 == 333 ? 5_000 : 100 }
                let records = sizes.enumerated().map { number, size in
                    Record("\(number):" + String(repeating: "x", count: size))
                }
                let outcomes = try await producer.enqueue(records, to: "small").outcomes()
                for (number, outcome) in outcomes.enumerated() {
                    switch outcome {
                    case .success(let written): #expect(written.offset == Int64(number < 333 ? number : number - 1))
                    case .failure(let error): #expect(number == 333 && error.brokerCode == Self.tooLarge)
                    }
                }
                let after = try await producer.send(Record("after"), to: "small")
                #expect(after.offset == 599)
                #expect(try await numbers(client) == (0..<600).filter { $0 != 333 }.map { "\($0)" } + ["after"])
            }
        }
    }

    private func numbers(_ client: KafkaClient) async throws -> [String] {
        let consumer = try client.consumer()
        try await consumer.assign("small", from: .earliest, to: .latest)
        var numbers: [String] = []
        for try await record in consumer.records {
            let text = String(decoding: record.value ?? [], as: UTF8.self)
            numbers.append(String(text.prefix { $0 != ":" }))
        }
        return numbers
    }
}
