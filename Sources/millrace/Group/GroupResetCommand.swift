import ArgumentParser
import KafkaClient

struct GroupResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Let a consumer group go on elsewhere. Its members must be stopped.",
        discussion: """
            Examples:
              millrace group reset billing --topic orders --to beginning
              millrace group reset billing --topic orders --partition 3 --to 2h --dry-run
            """)

    @Argument(help: "The group.")
    var group: String

    @Option(help: "The topic.")
    var topic: String

    @Option(name: [.long, .customShort("p")], help: "Only this partition; may be repeated.")
    var partition: [Int32] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The next offset to read: \(OffsetArgument.help).", valueName: "where"))
    var to: OffsetArgument

    @Flag(help: "Only say what would be committed.")
    var dryRun = false

    @Flag(help: "Print one JSON object per partition and line.")
    var json = false

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let output = Output()
        try await cluster.withClient { client in
            let known = try await client.admin.describeTopic(topic)
            let wanted = partition.isEmpty ? known.partitions.map(\.index) : partition
            let specs = Dictionary(wanted.map { (TopicPartition(topic, $0), to.spec) }) { first, _ in first }
            let offsets = try await client.admin.listOffsets(specs).mapValues(\.offset)
            let before = try await client.admin.committedOffsets(ofGroup: group)
            if !dryRun {
                try await CommandFailure.unlessInUse(group) { () async throws(KafkaClientError) in
                    try await client.admin.commitOffsets(offsets, ofGroup: group)
                }
            }
            try output.write(json ? Self.json(offsets, before) : Self.table(offsets, before, dryRun: dryRun))
        }
        try output.flush()
    }

    static func table(
        _ offsets: [TopicPartition: Int64], _ before: [TopicPartition: Int64], dryRun: Bool
    ) -> String {
        var table = Table([("topic", .left), ("partition", .right), ("was", .right), ("is", .right)])
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            let old = before[partition].map { "\($0)" } ?? "-"
            table.add([partition.topic, "\(partition.partition)", old, "\(offset)"])
        }
        return table.text + (dryRun ? "nothing was changed: leave out --dry-run to commit\n" : "")
    }

    static func json(_ offsets: [TopicPartition: Int64], _ before: [TopicPartition: Int64]) -> String {
        var json = JSONText()
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            json.object { json in
                json.member("topic", partition.topic)
                json.member("partition", Int64(partition.partition))
                json.member("was", before[partition])
                json.member("is", offset)
            }
            json.newline()
        }
        return json.text
    }
}
