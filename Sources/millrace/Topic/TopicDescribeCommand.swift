import ArgumentParser
import KafkaClient

struct TopicDescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Describe topics: partitions, leaders, offsets and configs.")

    @Argument(help: "The names.")
    var names: [String]

    @Flag(help: "Also print the configs that nobody set.")
    var allConfigs = false

    @Flag(help: "Print one JSON object per topic and line.")
    var json = false

    @OptionGroup var cluster: ClusterOptions

    /// A topic with its configs and the offsets of its partitions.
    struct Description {
        let topic: TopicDescription
        /// Sorted by name; nil if the broker is too old to tell them.
        let configs: [TopicConfig]?
        /// First offset and end, by partition; a partition without a leader has none.
        let offsets: [Int32: Range<Int64>]
    }

    func run() async throws {
        let output = Output()
        try await cluster.withClient { client in
            for name in names {
                let description = try await Self.describe(name, client.admin)
                try output.write(json ? Self.json(description) : Self.text(description, allConfigs: allConfigs))
            }
        }
        try output.flush()
    }

    private static func describe(_ name: String, _ admin: Admin) async throws -> Description {
        let topic = try await admin.describeTopic(name)
        let led = topic.partitions.filter { $0.leader != nil }.map { TopicPartition(name, $0.index) }
        let first = try await admin.listOffsets(Dictionary(uniqueKeysWithValues: led.map { ($0, .earliest) }))
        let end = try await admin.listOffsets(Dictionary(uniqueKeysWithValues: led.map { ($0, .latest) }))
        var offsets: [Int32: Range<Int64>] = [:]
        for partition in led {
            guard let start = first[partition]?.offset, let end = end[partition]?.offset else { continue }
            offsets[partition.partition] = start..<max(start, end)
        }
        return Description(topic: topic, configs: try await configs(name, admin), offsets: offsets)
    }

    private static func configs(
        _ name: String, _ admin: Admin
    ) async throws(KafkaClientError) -> [TopicConfig]? {
        do throws(KafkaClientError) {
            return try await admin.describeConfigs(ofTopic: name)
        } catch {
            guard error.code == .unsupported else { throw error }
            return nil
        }
    }

    /// What somebody set; with `all`, everything.
    private static func text(_ configs: [TopicConfig], all: Bool) -> String {
        var table = Table([("config", .left), ("value", .left), ("from", .left)])
        let shown = configs.filter { all || $0.source != .default }
        for config in shown { table.add([config.name, config.value ?? "(secret)", config.source.rawValue]) }
        return shown.isEmpty ? "" : "\n" + table.text
    }

    static func text(_ description: Description, allConfigs: Bool) -> String {
        let topic = description.topic
        var table = Table([
            ("partition", .right), ("leader", .right), ("replicas", .left), ("in sync", .left), ("first", .right),
            ("end", .right), ("records", .right),
        ])
        for partition in topic.partitions {
            let offsets = description.offsets[partition.index]
            table.add([
                "\(partition.index)", partition.leader.map { "\($0)" } ?? "none", list(partition.replicas),
                list(partition.inSyncReplicas), offsets.map { "\($0.lowerBound)" } ?? "-",
                offsets.map { "\($0.upperBound)" } ?? "-", offsets.map { "\($0.count)" } ?? "-",
            ])
        }
        let heading = "\(topic.name)  id \(topic.id ?? "-")  partitions \(topic.partitions.count)"
        return heading + (topic.isInternal ? "  internal" : "") + "\n" + table.text
            + text(description.configs ?? [], all: allConfigs)
    }

    static func json(_ description: Description) -> String {
        let topic = description.topic
        var json = JSONText()
        json.object { json in
            json.member("name", topic.name)
            json.member("id", topic.id)
            json.key("internal")
            json.value(topic.isInternal)
            json.key("partitions")
            json.array { json in
                for partition in topic.partitions { write(partition, description.offsets[partition.index], &json) }
            }
            if let configs = description.configs { write(configs, &json) }
        }
        json.newline()
        return json.text
    }

    private static func write(_ configs: [TopicConfig], _ json: inout JSONText) {
        json.key("configs")
        json.object { json in
            for config in configs {
                json.key(config.name)
                json.object { json in
                    json.member("value", config.value)
                    json.member("source", config.source.rawValue)
                }
            }
        }
    }

    private static func write(
        _ partition: TopicDescription.Partition, _ offsets: Range<Int64>?, _ json: inout JSONText
    ) {
        json.object { json in
            json.member("partition", Int64(partition.index))
            json.member("leader", partition.leader.map(Int64.init))
            json.key("replicas")
            json.array { json in for replica in partition.replicas { json.value(Int64(replica)) } }
            json.key("in_sync")
            json.array { json in for replica in partition.inSyncReplicas { json.value(Int64(replica)) } }
            json.member("first", offsets?.lowerBound)
            json.member("end", offsets?.upperBound)
        }
    }

    private static func list(_ numbers: [Int32]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }
}
