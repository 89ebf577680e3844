import ArgumentParser
import Log
import Machine
import NIOCore
import Storage

/// `millrace backup`: a consistent copy of a data directory, whether a server has it open or not.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Back up a data directory, while the server runs or not.",
        discussion: """
            Every record that was acknowledged before the backup began is in it, and what groups have committed, topics \
            and configs fit the records. The server goes on undisturbed. On the same file system, segments that do not \
            change any more are hard links and take no space; a backup elsewhere is a copy.

            Exit status: 0 the backup is whole, 2 it is whole, and the server's files are damaged, 1 it failed.
            """)

    @Option(help: "The data directory of the server.", completion: .directory)
    var data: String

    @Option(help: "The directory of the backup; it must not exist, or be empty.", completion: .directory)
    var to: String

    @Option(help: "An earlier backup: what it has of closed segments is linked, not copied.", completion: .directory)
    var previous: String?

    @Flag(help: "Copy what could be linked.")
    var copy = false

    @Flag(help: "Read the whole backup once more at the end.")
    var verify = false

    @Option(help: ArgumentHelp("Read no faster than so many bytes per second.", valueName: "bytes"))
    var rateBytesPerSecond: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if let rateBytesPerSecond, rateBytesPerSecond < Pacing.minimumRate {
            throw ValidationError("--rate-bytes-per-second is at least \(Pacing.minimumRate)")
        }
    }

    func run() async throws {
        let started = NIODeadline.now()
        let report = try back()
        let seconds = Double((NIODeadline.now() - started).nanoseconds) / 1e9
        let output = Output()
        try output.write(json ? Self.json(report, seconds: seconds) : Self.text(report, to: to, seconds: seconds))
        try output.flush()
        if !report.findings.isEmpty { throw ExitCode(ExitStatus.damaged) }
    }

    private func back() throws -> BackupReport {
        let machine = Machine.posix()
        let pacing = Pacing(bytesPerSecond: rateBytesPerSecond)
        defer { pacing.clear() }
        var settings = BackupSettings()
        settings.isLinking = !copy
        settings.previous = previous
        settings.programVersion = version
        settings.pace = { pacing.passed($0) }
        do throws(LogError) {
            var backup = try Backup(of: data, to: to, settings: settings, machine: machine) { () throws(StorageError) in
                try SQLiteSnapshot.entries(of: data + "/meta.db", copiedTo: to + "/meta.db.copy", files: machine.files)
            }
            while try backup.step() {}
            if verify { try BackupReader(to, machine.files).verify { pacing.passed($0) } }
            return backup.report
        } catch {
            throw CommandFailure(message: error.text, advice: Self.advice(error.code))
        }
    }

    private static func advice(_ code: LogError.Code) -> String? {
        switch code {
        case .noSpace: "make room, remove the unfinished backup, and begin again"
        case .formatTooNew: "use the version of millrace that wrote it, or a newer one"
        default: nil
        }
    }

    static func text(_ report: BackupReport, to place: String, seconds: Double) -> String {
        var text = ""
        for finding in report.findings { text += "damage: \(finding)\n" }
        for notice in report.notices { text += "notice: \(notice)\n" }
        let linked = Amount.bytes(Double(report.linkedBytes))
        text +=
            "\(report.topics) topics, \(report.partitions) partitions, \(report.files) files, "
            + "\(Amount.bytes(Double(report.bytes))) (\(linked) linked) in \(Amount.seconds(seconds)): \(place)\n"
        return text
    }

    static func json(_ report: BackupReport, seconds: Double) -> String {
        var json = JSONText()
        json.object { json in
            json.member("topics", Int64(report.topics))
            json.member("partitions", Int64(report.partitions))
            json.member("offsets", report.offsets)
            json.member("files", Int64(report.files))
            json.member("bytes", report.bytes)
            json.member("linkedBytes", report.linkedBytes)
            json.key("seconds")
            json.value(seconds)
            for (key, texts) in [("damage", report.findings), ("notices", report.notices)] {
                json.key(key)
                json.array { json in for text in texts { json.value(text) } }
            }
        }
        json.newline()
        return json.text
    }
}
