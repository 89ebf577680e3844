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

            Exit status: 0 everything is right; 64 something is not, told with file, line and column; 1 the broker refused, or \
            cannot be reached.
            """)

    @OptionGroup(title: "What to show") var show: ConfigShowOptions
    @OptionGroup(title: "A running broker") var change: ConfigChangeOptions
    @OptionGroup var options: ServeOptions

    func validate() throws {
        if change.isAboutBroker, show.check || show.yaml || options.config != nil || !options.given.isEmpty {
            throw ValidationError(
                "--bootstrap asks a running broker: neither --check, --yaml nor options of `serve` fit")
        }
        if show.json, change.isChanging {
            throw ValidationError("--json shows configs: ask for them after the change")
        }
    }

    func run() async throws {
        let output = Output()
        try output.write(change.isAboutBroker ? try await running() : try atStart())
        try output.flush()
    }

    /// What a running broker says, or that it was changed.
    private func running() async throws -> String {
        try await change.cluster.withClient { client in
            let brokers = try await client.admin.describeCluster().brokers
            guard let id = change.broker ?? brokers.map(\.id).min() else {
                throw CommandFailure(message: "the cluster names no broker")
            }
            if change.isChanging { return try await alter(change.everyBroker ? nil : id, client.admin) }
            let configs = try await client.admin.describeConfigs(ofBroker: id)
            return show.json ? BrokerConfigReport.json(configs) : BrokerConfigReport.table(configs)
        }
    }

    private func alter(_ id: Int32?, _ admin: Admin) async throws -> String {
        try await admin.alterConfigs(
            ofBroker: id, set: Dictionary(uniqueKeysWithValues: change.set.map { ($0.name, $0.value) }),
            delete: change.delete,
            onlyValidating: change.dryRun)
        let subject = id.map { "broker \($0)" } ?? "every broker"
        return change.dryRun ? "\(subject) can be changed so\n" : "changed \(subject)\n"
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
        if show.check { return "" }
        noteStored(configuration.settings.data)
        if show.json { return ConfigurationReport.json(configuration) }
        return show.yaml ? ConfigurationReport.yaml(configuration) : ConfigurationReport.table(configuration)
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
