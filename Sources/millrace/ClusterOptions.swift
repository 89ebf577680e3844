import ArgumentParser
import Glibc
import KafkaClient
import Logging
import Machine

/// What every command that talks to a cluster takes.
struct ClusterOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("b")],
        help: ArgumentHelp(
            "A broker of the cluster; several, separated by commas. Default: $MILLRACE_BOOTSTRAP or 127.0.0.1:9092.",
            valueName: "host:port"))
    var bootstrap: String?

    @Option(help: ArgumentHelp("How long to try before giving up.", valueName: "duration"))
    var timeout: DurationArgument = DurationArgument(milliseconds: 10_000)

    @Flag(name: [.long, .customShort("v")], help: "Log to STDERR what the client does.")
    var verbose = false

    /// The addresses: from the option, the environment, or the default.
    func addresses(environment: String? = environmentVariable("MILLRACE_BOOTSTRAP")) -> [String] {
        let text = bootstrap ?? environment ?? "127.0.0.1:9092"
        return text.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }

    /// A client of the cluster, closed when `body` is over. Failures become failures of the command.
    func withClient<Value>(_ body: (KafkaClient) async throws -> Value) async throws -> Value {
        var logger = Logger(label: "millrace") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = verbose ? .debug : .critical
        do {
            var settings = ClientSettings(bootstrap: addresses())
            settings.clientID = "millrace-cli"
            settings.operationTimeoutMilliseconds = timeout.milliseconds
            settings.connectTimeoutMilliseconds = min(timeout.milliseconds, 5_000)
            let client = try KafkaClient(settings, logger: logger)
            do {
                let value = try await body(client)
                await client.close()
                return value
            } catch {
                await client.close()
                throw error
            }
        } catch let error as KafkaClientError {
            throw CommandFailure(error, addresses: addresses())
        }
    }
}

extension CommandFailure {
    /// A failure of the client, with the next step.
    init(_ error: KafkaClientError, addresses: [String]) {
        message = "\(error)"
        advice =
            switch error.code {
            case .connection:
                "is a broker listening on \(addresses.joined(separator: ", "))? Start one with "
                    + "`millrace serve --data DIR`, or name another with --bootstrap HOST:PORT"
            case .malformed: "is \(addresses.joined(separator: ", ")) a Kafka listener, and not HTTP or TLS?"
            case .timedOut: "the cluster may be overloaded or unreachable: try again, or with a longer --timeout"
            case .unsupported, .refused, .unknownTopic, .offsetOutOfRange, .invalid, .bufferFull, .closed, .cancelled:
                nil
            }
    }
}

/// A duration such as `500ms`, `30s`, `1h30m`.
struct DurationArgument: ExpressibleByArgument, Equatable {
    let milliseconds: Int64

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        guard let milliseconds = TimeText.duration(argument), milliseconds > 0 else { return nil }
        self.milliseconds = milliseconds
    }

    var defaultValueDescription: String {
        milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
    }
}

/// A variable of the environment; nil if it is not set or empty.
func environmentVariable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}

/// Milliseconds since 1970-01-01 UTC.
func wallMilliseconds() -> Int64 { Machine.posix().clock.wallMilliseconds() }
