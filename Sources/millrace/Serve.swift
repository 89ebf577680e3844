import ArgumentParser
import Machine

/// `millrace serve`: the server.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the log and its views: Kafka's protocol; lines, queries, metrics and health over HTTP.",
        discussion: """
            Every option is also a key of the file that --config names (`kafka-listen: 127.0.0.1:9092`) and an \
            environment variable: MILLRACE_ and the option's name in capitals, with underscores \
            (MILLRACE_KAFKA_LISTEN). An option wins over the environment, which wins over the file. `millrace config` \
            shows what is in force and where it comes from, and prints a file to start from.

            When everything listens, one line goes to STDOUT, and with --ready-file also into that file:
              ready kafka=127.0.0.1:9092 http=127.0.0.1:8086 grpc=off version=0.1.0

            SIGTERM and SIGINT stop gracefully: requests that were taken are answered, everything is synced. A second \
            one stops at once, as a crash would: nothing acknowledged is lost.

            Exit status: 0 stopped as asked; 64 a bad option, environment variable or configuration file; 69 an address cannot be \
            listened on; 73 the data directory cannot be opened; 75 another process has it open; 1 anything else.
            """)

    @OptionGroup var options: ServeOptions

    func run() async throws {
        do {
            let environment = ServeEnvironment.current
            let configuration = try Configuration.read(options, environment, Machine.posix().files).validated()
            try await ServeNode.run(configuration, unknownVariables: environment.unknown)
        } catch let failure as ConfigurationFailure {
            failure.report()
            throw ExitCode(ExitStatus.usage)
        } catch let failure as ServeFailure {
            writeToStandardError(Array("millrace: \(failure.message)\n".utf8))
            throw ExitCode(failure.status)
        }
    }
}

/// Why the server could not start, in words that name the next step, and the exit status that says so.
struct ServeFailure: Error {
    /// The process's exit status; see `Serve`'s discussion.
    let status: Int32
    let message: String

    static func cannotListen(_ message: String) -> ServeFailure { ServeFailure(status: 69, message: message) }
    static func cannotOpen(_ message: String) -> ServeFailure { ServeFailure(status: 73, message: message) }
    static func locked(_ message: String) -> ServeFailure { ServeFailure(status: 75, message: message) }
    static func other(_ message: String) -> ServeFailure { ServeFailure(status: 1, message: message) }
}
