import ArgumentParser
import KafkaClient
import NIOCore

/// `millrace consume`: prints the records of a topic.
struct ConsumeCommand: InterruptibleCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume", abstract: "Print the records of a topic.",
        discussion: """
            Reads from the beginning to what is the end now, and with --follow goes on as records come. Ctrl-C ends it \
            in good order, with status 0.

            FORMAT is printed for each record; the default is '%s\\n'. Directives: %s value, %S its length, %k key, \
            %K its length, %t topic, %p partition, %o offset, %T timestamp in ms, %D timestamp as RFC 3339, \
            %h headers, %R value length as 4 bytes big-endian, %%. A length is -1 where there is no value or key. \
            \\n \\r \\t \\0 \\\\ \\xHH stand for bytes.

            Examples:
              millrace consume events --from -10
              millrace consume events --from 1h --format '%D %p/%o %k: %s\\n'
              millrace consume events --follow --from end --json
              millrace consume events --follow --group audit
            """)

    @Argument(help: "The topic.")
    var topic: String

    @Option(parsing: .unconditional, help: ArgumentHelp("Where to begin: \(OffsetArgument.help).", valueName: "where"))
    var from: OffsetArgument?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where to end, in the same words; not included. Default: the end now.", valueName: "where"))
    var to: OffsetArgument?

    @Option(name: [.long, .customShort("n")], help: "Stop after so many records.")
    var count: Int?

    @Option(name: [.long, .customShort("p")], help: "Only this partition; may be repeated.")
    var partition: [Int32] = []

    @Option(
        name: [.long, .customShort("g")],
        help: """
            Read as a member of this consumer group: from where it has committed (--from holds for the rest), sharing \
            the partitions with the other members, and committing what was printed.
            """)
    var group: String?

    @Flag(name: [.long, .customShort("f")], help: "Do not stop at the end: wait for more.")
    var follow = false

    @Option(help: ArgumentHelp("How to print a record.", valueName: "format"))
    var format: String?

    @Flag(help: "Print one JSON object per record and line; `produce --json-lines` reads them.")
    var json = false

    @Flag(help: "Also print records of transactions that are open or were aborted.")
    var uncommitted = false

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if follow, to != nil { throw ValidationError("--follow and --to exclude each other") }
        if group != nil, !partition.isEmpty { throw ValidationError("--group and --partition exclude each other") }
        if json, format != nil { throw ValidationError("--json and --format exclude each other") }
        if let count, count < 1 { throw ValidationError("--count must be at least 1") }
        if partition.contains(where: { $0 < 0 }) { throw ValidationError("--partition must not be negative") }
        _ = try printer()
    }

    func run() async throws {
        let printer = try printer()
        let output = Output()
        try await cluster.withClient { client in
            var settings = ConsumerSettings()
            settings.readsCommittedOnly = !uncommitted
            var printing = Printing(output: output, printer: printer, left: count ?? .max, isFollowing: follow)
            if let group {
                return try await consume(as: group, settings, client, &printing)
            }
            let consumer = try client.consumer(settings)
            Interruption.whenInterrupted { consumer.close() }
            try await consumer.assign(
                topic, partitions: partition.isEmpty ? nil : partition, from: from?.spec ?? .earliest,
                to: follow ? nil : to?.spec ?? .latest)
            try await printing.run { () async throws in try await consumer.nextBatch() }
            consumer.close()
        }
    }

    /// Reads as a member of a group, and leaves it however reading ends.
    private func consume(
        as group: String, _ settings: ConsumerSettings, _ client: KafkaClient, _ printing: inout Printing
    ) async throws {
        var membership = GroupConsumerSettings()
        membership.consumer = settings
        membership.from = from?.spec ?? .earliest
        membership.to = follow ? nil : to?.spec ?? .latest
        let consumer = try client.groupConsumer(group, topics: [topic], settings: membership)
        Interruption.whenInterrupted { consumer.stop() }
        do {
            try await printing.run { () async throws in try await consumer.nextBatch() }
            if let (partition, offset) = printing.lastPrinted {
                try await consumer.commit([partition: offset])
            } else {
                try await consumer.commit()
            }
            await consumer.close()
        } catch {
            await consumer.close()
            throw error
        }
    }

    private func printer() throws -> RecordPrinter {
        if json { return .json }
        guard let format else { return .format(.valueLines) }
        do {
            return .format(try RecordFormat(format))
        } catch {
            throw ValidationError("--format: \(error.message)")
        }
    }
}

/// How records are printed.
enum RecordPrinter {
    case format(RecordFormat)
    case json

    func write(_ record: ConsumedRecord, into bytes: inout [UInt8]) {
        switch self {
        case .format(let format): format.write(record, into: &bytes)
        case .json: Self.writeJSON(record, into: &bytes)
        }
    }

    /// `{"topic":…,"partition":…,"offset":…,"timestamp":…,"key":…,"value":…,"headers":[{"name":…,"value":…}]}`
    private static func writeJSON(_ record: ConsumedRecord, into bytes: inout [UInt8]) {
        var json = JSONText()
        json.object { json in
            json.member("topic", record.topic)
            json.member("partition", Int64(record.partition))
            json.member("offset", record.offset)
            json.member("timestamp", record.timestampMilliseconds)
            json.member("key", bytes: record.key)
            json.member("value", bytes: record.value)
            json.key("headers")
            json.array { json in
                for header in record.headers {
                    json.object { json in
                        json.member("name", header.key)
                        json.member("value", bytes: header.value)
                    }
                }
            }
        }
        json.newline()
        bytes += json.bytes
    }
}

/// Prints what a consumer brings.
private struct Printing {
    let output: Output
    let printer: RecordPrinter
    var left: Int
    let isFollowing: Bool
    /// The partition printed last, and the offset behind the record.
    private(set) var lastPrinted: (TopicPartition, Int64)?
    private var records = 0
    private var bytes = 0
    private var progress: Progress

    init(output: Output, printer: RecordPrinter, left: Int, isFollowing: Bool) {
        self.output = output
        self.printer = printer
        self.left = left
        self.isFollowing = isFollowing
        // Progress would stand between the records on a terminal.
        progress = Progress(isWanted: !output.isTerminal && !isFollowing)
    }

    mutating func run(_ nextBatch: () async throws -> ConsumedBatch?) async throws {
        defer { progress.clear() }
        while left > 0, let batch = try await nextBatch() {
            let wanted = try batch.records()
            for record in wanted.prefix(left) {
                try output.write { printer.write(record, into: &$0) }
                lastPrinted = (TopicPartition(record.topic, record.partition), record.offset + 1)
                records += 1
                bytes += record.value?.count ?? 0
                left -= 1
            }
            // A person, or a pipe that follows, wants to see records when they come.
            if isFollowing || output.isTerminal { try output.flush() }
            report()
        }
        try output.flush()
    }

    private mutating func report() {
        let now = NIODeadline.now()
        guard progress.isDue(now: now) else { return }
        let seconds = progress.seconds(now: now)
        let rate = "\(Amount.count(Double(records) / seconds))/s, \(Amount.bytes(Double(bytes) / seconds))/s"
        progress.show("\(Amount.count(Double(records))) records, \(Amount.bytes(Double(bytes))); \(rate)", now: now)
    }
}
