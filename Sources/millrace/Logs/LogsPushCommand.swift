import ArgumentParser
import NIOCore
import Telemetry

/// `millrace logs push`: sends the lines of STDIN.
struct LogsPushCommand: InterruptibleCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Send each line of STDIN as a log line.",
        discussion: """
            Lines go out as they come, gathered for a moment. While the server is away, starts again or is busy, nothing \
            is lost: the same lines are sent again until they are taken, and meanwhile no more are read. Lines that are \
            sent twice are there once. Ctrl-C stops reading, sends what was read, and exits with status 130; status 1 \
            means that lines were refused or could not be sent.

            Examples:
              some-program 2>&1 | millrace logs push app=demo
              journalctl -f -o cat | millrace logs push source=journal host=$(hostname)
            """)

    @Argument(help: ArgumentHelp("The labels of the stream.", valueName: "name=value"))
    var labels: [NamedValue] = []

    @Flag(help: "Take the time in front of each line (2026-11-21 22:03:04.567, RFC 3339) for the line's time.")
    var timestamps = false

    @Option(help: ArgumentHelp("How long lines are gathered.", valueName: "duration"))
    var linger = DurationArgument(milliseconds: 100)

    @Option(help: ArgumentHelp("Give up when the server was away for so long. Default: never.", valueName: "duration"))
    var giveUpAfter: DurationArgument?

    @OptionGroup var target: LogsTargetOptions

    func validate() throws { try LogsStream.check(labels) }

    func run() async throws {
        var pushing = LogsPushing(target: target, giveUpAfterMilliseconds: giveUpAfter?.milliseconds)
        var batch = LogsBatch(labels: labels.isEmpty ? LogsStream.defaultLabels : labels, readsTimes: timestamps)
        let input = try Input("-")
        var (lines, began) = (LineSplitter(), NIODeadline.now())
        while !Interruption.happened {
            let wait = batch.isEmpty ? nil : linger.milliseconds - (NIODeadline.now() - began).nanoseconds / 1_000_000
            guard let chunk = try await input.read(withinMilliseconds: wait.map { max(0, $0) }) else { break }
            let now = LogsBatch.now
            if batch.isEmpty { began = .now() }
            for line in try lines.split(chunk) {
                batch.add(line, now: now)
                if batch.isFull { try await pushing.send(&batch) }
            }
            if !batch.isEmpty, NIODeadline.now() >= began + .milliseconds(linger.milliseconds) {
                try await pushing.send(&batch)
            }
        }
        // The last line may lack its end; an interrupted one is a fragment, and part of what was read all the same.
        if let rest = lines.rest { batch.add(rest, now: LogsBatch.now) }
        try await pushing.send(&batch)
        try pushing.finish()
    }
}

/// The labels that a command is given.
enum LogsStream {
    static var defaultLabels: [NamedValue] { [NamedValue(name: "source", value: "stdin")] }

    static func check(_ labels: [NamedValue]) throws {
        for label in labels where !StreamLabels.isLabelName(label.name) {
            throw ValidationError("\(label.name) is no label: a name has letters, digits and _, not a digit first")
        }
    }
}
