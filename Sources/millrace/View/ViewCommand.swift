import ArgumentParser

/// `millrace view`: looks after the views of a running server.
struct ViewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view", abstract: "List views; rebuild, pause and resume them.",
        discussion: """
            A view is what a server makes of a topic with the config millrace.view. These commands ask a running server \
            over HTTP (--server).
            """,
        subcommands: [
            ViewListCommand.self, ViewStatusCommand.self, ViewRebuildCommand.self, ViewPauseCommand.self,
            ViewResumeCommand.self,
        ])
}

struct ViewListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the topics that have a view: what it does, and how far it is behind.")

    @Flag(help: "Print one JSON object per partition and line.")
    var json = false

    @OptionGroup var server: ServerOptions

    func run() async throws {
        let views = try await ViewReport.read(server.ask("GET", "/views"))
        let output = Output()
        try output.write(json ? ViewReport.json(views) : ViewReport.list(views))
        try output.flush()
    }
}

struct ViewStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tell what stands about each partition of a topic's view.")

    @Argument(help: "The topic.")
    var topic: String

    @Flag(help: "Print one JSON object per partition and line.")
    var json = false

    @OptionGroup var server: ServerOptions

    func run() async throws {
        let views = try await ViewReport.read(server.ask("GET", "/views")).filter { $0.topic == topic }
        guard !views.isEmpty else {
            throw CommandFailure(message: "\(topic) has no view", advice: "`millrace view list` names those that have")
        }
        let output = Output()
        try output.write(json ? ViewReport.json(views) : ViewReport.details(views))
        try output.flush()
    }
}

/// What the commands that change something share.
protocol ViewChange: AsyncParsableCommand {
    var topic: String { get }
    var json: Bool { get }
    var server: ServerOptions { get }
}

extension ViewChange {
    /// Asks the server, and prints what stands about the topic's views then.
    func change(_ action: String, query: String = "") async throws {
        let body = try await server.ask("POST", "/views/\(ServerOptions.escaped(topic))/\(action)\(query)")
        let views = try ViewReport.read(body)
        let output = Output()
        try output.write(json ? ViewReport.json(views) : ViewReport.details(views))
        try output.flush()
    }
}

struct ViewPauseCommand: ViewChange {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop a view from applying, until it is resumed or the server starts anew.",
        discussion: """
            Whoever writes over HTTP is told to try again. Producers are refused once what the view has not written \
            reaches its bound. Queries see what was applied.
            """)

    @Argument(help: "The topic.")
    var topic: String

    @Flag(help: "Print one JSON object per partition and line.")
    var json = false

    @OptionGroup var server: ServerOptions

    func run() async throws { try await change("pause") }
}

struct ViewResumeCommand: ViewChange {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a paused view go on, and try to open one that failed.")

    @Argument(help: "The topic.")
    var topic: String

    @Flag(help: "Print one JSON object per partition and line.")
    var json = false

    @OptionGroup var server: ServerOptions

    func run() async throws { try await change("resume") }
}

struct ViewRebuildCommand: ViewChange {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Rebuild a view beside the live one, which it then replaces.",
        discussion: """
            The topic's records are applied again, from the first one that the log still has. What is older stays as it \
            stands in the view's blocks. Queries and writes go on with the live view until the new one is as far; \
            `millrace view status` shows how far it has come.
            """)

    @Argument(help: "The topic.")
    var topic: String

    @Option(
        help: ArgumentHelp(
            "Apply only records from this time on again: 2026-11-21T01:38:05Z, 1h (ago), 2d.", valueName: "time"))
    var from: String?

    @Flag(help: "Print one JSON object per partition and line.")
    var json = false

    @OptionGroup var server: ServerOptions

    func validate() throws {
        if let from, TimeText.milliseconds(from, now: wallMilliseconds()) == nil {
            throw ValidationError("--from is a time: 2026-11-21T01:38:05Z, 1h (ago), 2d")
        }
    }

    func run() async throws {
        let time = from.flatMap { TimeText.milliseconds($0, now: wallMilliseconds()) }
        try await change("rebuild", query: time.map { "?from=\($0)" } ?? "")
    }
}
