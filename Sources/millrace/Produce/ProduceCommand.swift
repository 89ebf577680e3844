public import ArgumentParser
public import KafkaClient

extension CompressionCodec: ExpressibleByArgument {}

extension Acknowledgement: ExpressibleByArgument {
    /// `0`, `1` or `all`.
    public init?(argument: String) {
        switch argument {
        case "0", "none": self = .none
        case "1", "leader": self = .leader
        case "all", "-1": self = .all
        default: return nil
        }
    }

    /// The words that the help shows.
    public static var allValueStrings: [String] { ["0", "1", "all"] }

    /// The word that the help shows.
    public var defaultValueDescription: String {
        switch self {
        case .none: "0"
        case .leader: "1"
        case .all: "all"
        }
    }
}

/// `millrace produce`: writes records to a topic.
struct ProduceCommand: InterruptibleCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce", abstract: "Write records to a topic.",
        discussion: """
            Each line of the files (default: STDIN) is a record. Lines go out as they come. Ctrl-C stops reading, \
            delivers what was read, and exits with status 130; status 1 means that records could not be delivered.

            Examples:
              tail -F /var/log/syslog | millrace produce logs.syslog
              printf 'a:1\\nb:2\\n' | millrace produce events --key-separator :
              millrace consume events --json | millrace produce copy --json-lines
            """)

    @Argument(help: "The topic.")
    var topic: String

    @Argument(help: "Files to read; - is STDIN.", completion: .file())
    var files: [String] = []

    @Option(
        name: [.long, .customShort("K")],
        help: ArgumentHelp("Splits each line into key and value, at its first occurrence.", valueName: "text"))
    var keySeparator: String?

    @Option(name: [.long, .customShort("k")], help: "The key of every record.")
    var key: String?

    @Option(
        name: [.long, .customShort("H")],
        help: ArgumentHelp("A header of every record; may be repeated.", valueName: "name=value"))
    var header: [NamedValue] = []

    @Option(name: [.long, .customShort("p")], help: "The partition. Default: by key, or spread in batches.")
    var partition: Int32?

    @Option(name: [.long, .customShort("z")], help: "How batches are compressed.")
    var compression = CompressionCodec.none

    @Option(name: [.long, .customShort("a")], help: "When a record counts as written.")
    var acks = Acknowledgement.all

    @Flag(inversion: .prefixedNo, help: "Write repetitions once only. Default: with --acks all.")
    var idempotent: Bool?

    @Option(help: ArgumentHelp("How long a batch waits for company.", valueName: "duration"))
    var linger = DurationArgument(milliseconds: 5)

    @Flag(
        help: "Each line is a JSON object with key, value, headers, partition and timestamp, as consume --json prints.")
    var jsonLines = false

    @Flag(help: "Each file is one record.")
    var wholeFiles = false

    @Flag(help: "Print what was written as JSON on STDOUT.")
    var json = false

    @Flag(name: [.long, .customShort("q")], help: "Print nothing but errors.")
    var quiet = false

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if idempotent == true, acks != .all { throw ValidationError("--idempotent needs --acks all") }
        if jsonLines, keySeparator != nil || key != nil {
            throw ValidationError("--json-lines brings its own keys: leave out --key and --key-separator")
        }
        if jsonLines, wholeFiles { throw ValidationError("--json-lines and --whole-files exclude each other") }
        if key != nil, keySeparator != nil { throw ValidationError("--key and --key-separator exclude each other") }
        if keySeparator == "" { throw ValidationError("--key-separator must not be empty") }
        if let partition, partition < 0 { throw ValidationError("--partition must not be negative") }
    }

    func run() async throws {
        var settings = ProducerSettings()
        settings.acknowledgement = acks
        settings.isIdempotent = idempotent ?? (acks == .all)
        settings.compression = compression
        settings.lingerMilliseconds = linger.milliseconds
        settings.deliveryTimeoutMilliseconds = max(cluster.timeout.milliseconds, linger.milliseconds + 1_000)
        let parser = LineParser(
            keySeparator: keySeparator.map { Array($0.utf8) }, key: key.map { Array($0.utf8) },
            headers: header.map { Record.Header($0.name, Array($0.value.utf8)) }, partition: partition,
            isJSON: jsonLines)
        let summary = try await cluster.withClient { client in
            let producer = try client.producer(settings)
            var sending = Sending(producer: producer, topic: topic, isQuiet: quiet)
            do {
                try await read(parser, into: &sending)
            } catch {
                // What was read before is not lost.
                _ = await sending.finish()
                throw error
            }
            return await sending.finish()
        }
        try summary.print(json: json, quiet: quiet)
    }

    private func read(_ parser: LineParser, into sending: inout Sending) async throws {
        for name in files.isEmpty ? ["-"] : files {
            let input = try Input(name)
            if wholeFiles {
                try await sending.send([parser.record(ofWholeFile: try await input.readAll())])
                continue
            }
            var lines = LineSplitter()
            while !Interruption.happened, let chunk = try await input.read() {
                try await sending.send(try lines.split(chunk).map { try parser.record(ofLine: $0) })
            }
            // The last line may lack its end; an interrupted one is a fragment.
            if !Interruption.happened, let rest = lines.rest { try await sending.send([parser.record(ofLine: rest)]) }
            if Interruption.happened { break }
        }
    }
}
