import ArgumentParser
import KafkaClient

struct TopicDeleteRecordsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete-records", abstract: "Delete the oldest records of a topic. There is no way back.",
        discussion: "Example: millrace topic delete-records events --partition 0 --before 1000")

    @Argument(help: "The topic.")
    var name: String

    @Option(name: [.long, .customShort("p")], help: "The partition; may be repeated. Default: all of them.")
    var partition: [Int32] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Delete what is before: \(OffsetArgument.help).", valueName: "where"))
    var before: OffsetArgument

    @Flag(help: "Print one JSON object per partition and line.")
    var json = false

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let output = Output()
        try await cluster.withClient { client in
            let topic = try await client.admin.describeTopic(name)
            let indices = partition.isEmpty ? topic.partitions.map(\.index) : Array(Set(partition)).sorted()
            for index in indices {
                let place = TopicPartition(name, index)
                let start = try await delete(place, client.admin)
                try output.write(json ? Self.json(place, start) : "\(place) begins at offset \(start)\n")
            }
        }
        try output.flush()
    }

    private func delete(_ partition: TopicPartition, _ admin: Admin) async throws -> Int64 {
        let offset = try await admin.listOffsets([partition: before.spec])[partition]?.offset
        guard let offset else { throw CommandFailure(message: "cannot tell where to cut \(partition)") }
        return try await admin.deleteRecords(of: partition, before: offset)
    }

    private static func json(_ partition: TopicPartition, _ start: Int64) -> String {
        var json = JSONText()
        json.object { json in
            json.member("topic", partition.topic)
            json.member("partition", Int64(partition.partition))
            json.member("first", start)
        }
        json.newline()
        return json.text
    }
}
