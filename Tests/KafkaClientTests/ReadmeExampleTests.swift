import FoundationEssentials
import KafkaClient
import Logging
import Testing

/// The example in the README, compiled, run, and compared with what the README shows.
@Suite struct ReadmeExampleTests {
    @Test func theReadmeShowsThisExample() throws {
        let lines = try text(of: #filePath).split(separator: "\n", omittingEmptySubsequences: false)
        let marks = lines.indices.filter { lines[$0].hasPrefix("        // README: ") }
        try #require(marks.count == 2)
        let example = lines[marks[0] + 1..<marks[1]].map { $0.dropFirst(8) }.joined(separator: "\n")
        let shown = example.replacing("[address]", with: "[\"127.0.0.1:9092\"]")
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let readme = try text(of: "/" + root + "/README.md")
        #expect(readme.contains("```swift\nimport KafkaClient\nimport Logging\n\n\(shown)\n```\n"), "\(shown)")
    }

    @Test func theExampleWorks() async throws {
        try await ServerUnderTest.run { server in
            try await Self.example(server.address)
            try await server.withClient { client in
                let consumer = try client.consumer()
                try await consumer.assign("orders", from: .earliest, to: .latest)
                var values: [String] = []
                for try await record in consumer.records {
                    values.append(String(decoding: record.value ?? [], as: UTF8.self))
                }
                #expect(values == [#"{"order": 3}"#])
            }
        }
    }

    private static func example(_ address: String) async throws {
        // README: begins
        let client = try KafkaClient(ClientSettings(bootstrap: [address]), logger: Logger(label: "orders"))
        let producer = try client.producer()
        let written = try await producer.send(Record(key: "42", #"{"order": 3}"#), to: "orders")
        print("partition \(written.partition), offset \(written.offset ?? -1)")

        let consumer = try client.consumer()
        try await consumer.assign("orders", from: .earliest, to: .latest)
        for try await record in consumer.records {
            print(record.offset, String(decoding: record.value ?? [], as: UTF8.self))
        }
        await client.close()
        // README: ends
    }

    private func text(of path: String) throws -> String {
        String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    }
}
