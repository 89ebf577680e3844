import ArgumentParser
import KafkaClient

struct TopicAlterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alter", abstract: "Change the configs of topics, or add partitions.",
        discussion: """
            Example: millrace topic alter events --config retention.ms=86400000 --delete-config segment.ms
            With more partitions, records with a key may go to other partitions than before.
            """)

    @Argument(help: "The names.")
    var names: [String]

    @Option(
        name: [.long, .customShort("c")],
        help: ArgumentHelp("A config to set; may be repeated.", valueName: "key=value"))
    var config: [NamedValue] = []

    @Option(help: ArgumentHelp("A config that returns to its default; may be repeated.", valueName: "key"))
    var deleteConfig: [String] = []

    @Option(name: [.long, .customShort("p")], help: "How many partitions it is to have in all; only more than before.")
    var partitions: Int32?

    @Flag(help: "Check only, and change nothing.")
    var dryRun = false

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if names.isEmpty { throw ValidationError("name at least one topic") }
        if let partitions, partitions < 1 { throw ValidationError("--partitions must be at least 1") }
        if config.isEmpty, deleteConfig.isEmpty, partitions == nil {
            throw ValidationError("say what to change: --config, --delete-config or --partitions")
        }
        let keys = config.map(\.name) + deleteConfig
        if let key = keys.first(where: { key in keys.count { $0 == key } > 1 }) {
            throw ValidationError("\(key) is named twice")
        }
    }

    func run() async throws {
        let output = Output()
        try await cluster.withClient { client in
            for name in names {
                try await alter(name, client.admin)
                try output.write(dryRun ? "\(name) can be changed so\n" : "changed \(name)\n")
            }
        }
        try output.flush()
    }

    /// Checks both parts before it changes one, so that a mistake leaves the topic as it is.
    private func alter(_ name: String, _ admin: Admin) async throws {
        for onlyValidating in dryRun ? [true] : [true, false] {
            if !config.isEmpty || !deleteConfig.isEmpty {
                let set = Dictionary(uniqueKeysWithValues: config.map { ($0.name, $0.value) })
                try await admin.alterConfigs(
                    ofTopic: name, set: set, delete: deleteConfig, onlyValidating: onlyValidating)
            }
            if let partitions {
                try await admin.createPartitions(ofTopic: name, total: partitions, onlyValidating: onlyValidating)
            }
        }
    }
}
