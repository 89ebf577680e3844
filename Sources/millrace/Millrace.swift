import ArgumentParser
import Glibc

/// The root command. Each subcommand is a folder of files beside this one, named after it.
@main
struct Millrace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace",
        abstract: "One log, many views: a durable, ordered log that speaks Kafka's protocol.",
        discussion: """
            Topic, produce, consume and group work against any Kafka cluster. Exit status: 0 done, 1 failed, 2 damage found \
            (check, series, backup, restore), 64 wrong usage, 130 interrupted.

            Completion for your shell: millrace --generate-completion-script bash|zsh|fish
            """,
        version: version,
        subcommands: [
            Serve.self, TopicCommand.self, ProduceCommand.self, ConsumeCommand.self, GroupCommand.self,
            CheckCommand.self, ImportCommand.self, SeriesCommands.self, LogsCommands.self, ViewCommand.self,
            BackupCommand.self,
            RestoreCommand.self,
            ConfigCommand.self,
        ]
    )

    /// Parses on the main thread and runs the command elsewhere at once: a call from the main actor to anything
    /// else costs a thread switch. The main thread then only waits for signals.
    static func main() {
        let command = parseOrExit()
        // A closed pipe shows as an error of the write, which ends the command quietly.
        signal(SIGPIPE, SIG_IGN)
        let listens = command is any InterruptibleCommand
        if listens { Interruption.blockSignals() }
        // Safe because the main thread does not touch it any more.
        nonisolated(unsafe) let parsed = command
        Task.detached { await runAndExit(parsed) }
        if listens { Interruption.waitForSignals() }
        while true { pause() }
    }

    private static func parseOrExit() -> any ParsableCommand {
        do {
            return try parseAsRoot()
        } catch {
            exit(withError: error)
        }
    }

    private static func runAndExit(_ command: any ParsableCommand) async {
        var command = command
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Glibc.exit(ExitStatus.done)
        } catch is OutputClosed {
            Glibc.exit(ExitStatus.done)
        } catch let failure as CommandFailure {
            failure.report()
            Glibc.exit(failure.status)
        } catch {
            exit(withError: error)
        }
    }
}

/// The exit statuses, as `millrace --help` tells them. Wrong usage is 64 (ArgumentParser's, from sysexits.h).
enum ExitStatus {
    static let done: Int32 = 0
    static let failed: Int32 = 1
    static let damaged: Int32 = 2
    static let usage: Int32 = 64
    static let interrupted: Int32 = 130
}

/// Why a command failed, for a person: one line, and what to do next.
struct CommandFailure: Error, CustomStringConvertible {
    let message: String
    var advice: String?
    var status = ExitStatus.failed

    var description: String { advice.map { "\(message)\n\($0)" } ?? message }

    /// Writes `error: …` to STDERR.
    func report() {
        StandardError.write("error: \(message)\n" + (advice.map { "hint: \($0)\n" } ?? ""))
    }
}
