import ArgumentParser
import KafkaClient

struct TopicListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the topics of the cluster.")

    @Flag(help: "Also list the broker's own topics.")
    var `internal` = false

    @Flag(help: "Print one JSON object per topic and line.")
    var json = false

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let topics = try await cluster.withClient { try await $0.admin.listTopics() }
            .filter { `internal` || !$0.isInternal }
        let output = Output()
        try output.write(json ? Self.json(topics) : Self.table(topics))
        try output.flush()
    }

    static func table(_ topics: [TopicDescription]) -> String {
        if topics.isEmpty { return "no topics: create one with `millrace topic create NAME`\n" }
        var table = Table([("name", .left), ("partitions", .right), ("replicas", .right), ("id", .left)])
        for topic in topics {
            let replicas = topic.partitions.map(\.replicas.count).max() ?? 0
            table.add([topic.name, "\(topic.partitions.count)", "\(replicas)", topic.id ?? "-"])
        }
        return table.text
    }

    static func json(_ topics: [TopicDescription]) -> String {
        var json = JSONText()
        for topic in topics {
            json.object { json in
                json.member("name", topic.name)
                json.member("id", topic.id)
                json.member("partitions", Int64(topic.partitions.count))
                json.member("replicas", Int64(topic.partitions.map(\.replicas.count).max() ?? 0))
                json.key("internal")
                json.value(topic.isInternal)
            }
            json.newline()
        }
        return json.text
    }
}
