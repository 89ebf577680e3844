import ArgumentParser

/// The command line. `main` is not isolated: it leaves the main actor at once, which would cost 8 µs per call.
@main
struct Millrace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace", abstract: "One log, many views: a durable log that speaks Kafka's protocol.",
        version: version, subcommands: [Serve.self])
}
