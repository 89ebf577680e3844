import ArgumentParser
import KafkaClient

struct TopicCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create topics.",
        discussion: "Example: millrace topic create events --partitions 3 --config retention.ms=86400000")

    @Argument(help: "The names: letters, digits, '.', '_' and '-'.")
    var names: [String]

    @Option(name: [.long, .customShort("p")], help: "How many partitions. Default: the broker's.")
    var partitions: Int32?

    @Option(name: [.long, .customShort("r")], help: "How many copies. Default: the broker's.")
    var replication: Int16?

    @Option(
        name: [.long, .customShort("c")], help: ArgumentHelp("A setting; may be repeated.", valueName: "key=value"))
    var config: [NamedValue] = []

    @Flag(help: "An existing topic of that name is no failure.")
    var ifNotExists = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if let partitions, partitions < 1 { throw ValidationError("--partitions must be at least 1") }
        if let replication, replication < 1 { throw ValidationError("--replication must be at least 1") }
        if names.isEmpty { throw ValidationError("name at least one topic") }
    }

    func run() async throws {
        let output = Output()
        try await cluster.withClient { client in
            for name in names { try await create(name, client.admin, output) }
        }
        try output.flush()
    }

    private func create(_ name: String, _ admin: Admin, _ output: Output) async throws {
        let configs = Dictionary(config.map { ($0.name, $0.value) }) { $1 }
        let topic = NewTopic(name, partitions: partitions, replicationFactor: replication, configs: configs)
        do {
            let created = try await admin.createTopic(topic)
            if json { return try output.write(Self.json(created)) }
            let count = created.partitions.map { " with \($0) partition\($0 == 1 ? "" : "s")" } ?? ""
            try output.write("created \(name)\(count)\n")
        } catch let error as KafkaClientError where ifNotExists && error.brokerCode == 36 {
            if !json { try output.write("\(name) exists already\n") }
        }
    }

    private static func json(_ topic: CreatedTopic) -> String {
        var json = JSONText()
        json.object { json in
            json.member("name", topic.name)
            json.member("id", topic.id)
            json.member("partitions", topic.partitions.map(Int64.init))
            json.member("replication", topic.replicationFactor.map(Int64.init))
            json.key("configs")
            json.object { json in
                for (key, value) in topic.configs.sorted(by: { $0.key < $1.key }) { json.member(key, value) }
            }
        }
        json.newline()
        return json.text
    }
}

/// `NAME=VALUE`.
struct NamedValue: ExpressibleByArgument, Equatable {
    let name: String
    let value: String

    init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        name = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}
