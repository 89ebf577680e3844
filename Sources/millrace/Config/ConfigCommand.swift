import ArgumentParser
import KafkaClient
import Machine

/// `millrace config`: the settings that `millrace serve` would start with.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the settings in force and where each comes from; check a file.",
        discussion: """
            Takes the options of `millrace serve` and reads the same file and environment, and starts nothing.

              millrace config --config /etc/millrace/millrace.yaml --check
              millrace config --yaml > millrace.yaml

            With --bootstrap it asks a running broker instead: its configs by Kafka's names, with what was changed at \
            run time and stored, which wins over file, environment and flags.

              millrace config --bootstrap 127.0.0.1:9092
              millrace config --bootstrap 127.0.0.1:9092 --set log.retention.ms=86400000

            Exit status: 0 everything is right; 64 something is not, told with file, line and column.
            """)

    @Flag(help: "Only check: print nothing but mistakes.")
    var check = false

    @Flag(help: "Print one JSON object per setting and line.")
    var json = false

    @Flag(help: "Print a configuration file with every setting and its documentation.")
    var yaml = false

    @Option(help: "With --bootstrap: the broker's id. (default: the lowest)")
    var broker: Int32?

    @Option(help: ArgumentHelp("With --bootstrap: a config to change; may be repeated.", valueName: "key=value"))
    var set: [NamedValue] = []

    @Option(
        help: ArgumentHelp(
            "With --bootstrap: a config that returns to what the broker was started with; may be repeated.",
            valueName: "key"))
    var delete: [String] = []

    @Flag(help: "With --set and --delete: change every broker, not one.")
    var everyBroker = false

    @Flag(help: "With --set and --delete: check only, and change nothing.")
    var dryRun = false

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var options: ServeOptions

    func validate() throws {
        guard [check, json, yaml].filter({ $0 }).count < 2 else {
            throw ValidationError("--check, --json and --yaml exclude each other")
        }
        if cluster.bootstrap != nil, check || yaml || options.config != nil || !options.given.isEmpty {
            throw ValidationError(
                "--bootstrap asks a running broker: neither --check, --yaml nor options of `serve` fit")
        }
        if cluster.bootstrap == nil, broker != nil || isChanging || everyBroker || dryRun {
            throw ValidationError("what is about a running broker needs --bootstrap, which names it")
        }
        try validateChange()
    }

    /// Whether a running broker is to be changed.
    private var isChanging: Bool { !set.isEmpty || !delete.isEmpty }

    private func validateChange() throws {
        if everyBroker || dryRun, !isChanging { throw ValidationError("say what to change: --set or --delete") }
        if json, isChanging { throw ValidationError("--json shows configs: ask for them after the change") }
        if everyBroker, broker != nil { throw ValidationError("--every-broker and --broker exclude each other") }
        let keys = set.map(\.name) + delete
        if let key = keys.first(where: { key in keys.count { $0 == key } > 1 }) {
            throw ValidationError("\(key) is named twice")
        }
    }

    func run() async throws {
        let output = Output()
        try output.write(cluster.bootstrap == nil ? try atStart() : try await running())
        try output.flush()
    }

    /// What a running broker says, or that it was changed.
    private func running() async throws -> String {
        try await cluster.withClient { client in
            let brokers = try await client.admin.describeCluster().brokers
            guard let id = broker ?? brokers.map(\.id).min() else {
                throw CommandFailure(message: "the cluster names no broker")
            }
            if isChanging { return try await change(everyBroker ? nil : id, client.admin) }
            let configs = try await client.admin.describeConfigs(ofBroker: id)
            return json ? BrokerConfigReport.json(configs) : BrokerConfigReport.table(configs)
        }
    }

    private func change(_ id: Int32?, _ admin: Admin) async throws -> String {
        try await admin.alterConfigs(
            ofBroker: id, set: Dictionary(uniqueKeysWithValues: set.map { ($0.name, $0.value) }), delete: delete,
            onlyValidating: dryRun)
        let subject = id.map { "broker \($0)" } ?? "every broker"
        return dryRun ? "\(subject) can be changed so\n" : "changed \(subject)\n"
    }

    /// What a server would start with.
    private func atStart() throws -> String {
        let environment = ServeEnvironment.current
        let configuration = Configuration.read(options, environment, Machine.posix().files)
        for variable in environment.unknown {
            let nearest = variable.nearest.map { "; did you mean \($0)?" } ?? ""
            StandardError.write("warning: \(variable.name) is no setting's variable\(nearest)\n")
        }
        guard configuration.mistakes.isEmpty else {
            ConfigurationFailure(mistakes: configuration.mistakes).report()
            throw ExitCode(ExitStatus.usage)
        }
        if check { return "" }
        noteStored(configuration.settings.data)
        if json { return ConfigurationReport.json(configuration) }
        return yaml ? ConfigurationReport.yaml(configuration) : ConfigurationReport.table(configuration)
    }

    /// The store is not opened: as another user that could leave files in it which the server may not read.
    private func noteStored(_ data: String) {
        guard !data.isEmpty, (try? Machine.posix().files.information(at: data + "/meta.db")) != nil else { return }
        StandardError.write(
            """
            note: what was changed at run time is stored in \(data) and wins over this: `millrace config --bootstrap \
            HOST:PORT` asks the running server\n
            """)
    }
}
