import ArgumentParser

/// `millrace logs`: log lines, into a server and out of it.
struct LogsCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Find log lines, follow them, push and import them.",
        discussion: """
            `millrace logs WORDS` is `millrace logs query WORDS`; a word that is a subcommand's name goes behind `query`.
            """,
        subcommands: [LogsQueryCommand.self, LogsPushCommand.self, LogsImportCommand.self],
        defaultSubcommand: LogsQueryCommand.self)
}

/// What every command takes that sends lines.
struct LogsTargetOptions: ParsableArguments {
    @Option(name: [.long, .customShort("t")], help: "The tenant, X-Scope-OrgID. Default: the server's own, fake.")
    var tenant: String?

    @Flag(help: "Wait for each push until it is synced, whatever the streams' labels.")
    var durable = false

    @Flag(help: "Print what was written as JSON on STDOUT.")
    var json = false

    @Flag(name: [.long, .customShort("q")], help: "Print nothing but errors.")
    var quiet = false

    @OptionGroup var server: ServerOptions

    /// The header fields of a push.
    var fields: [(name: String, value: String)] {
        var fields = [(name: "Content-Type", value: "application/x-protobuf")]
        if let tenant { fields.append(("X-Scope-OrgID", tenant)) }
        if durable { fields.append(("X-Millrace-Delivery", "durable")) }
        return fields
    }
}
