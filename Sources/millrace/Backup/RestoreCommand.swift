import ArgumentParser
import FoundationEssentials
import Log
import Machine
import NIOCore
import Storage

/// `millrace restore`: a data directory from a backup.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a data directory from a backup, or verify a backup.",
        discussion: """
            The data directory must be empty or not exist. Sizes and free space are checked first, checksums while files \
            are copied. Until the last moment no server opens the directory; a restore that was interrupted is begun \
            anew by the same command.

            Exit status: 0 done, 2 the backup is damaged or unfinished, 1 it failed.
            """)

    @Option(help: "The directory of the backup.", completion: .directory)
    var from: String

    @Option(help: "The new data directory.", completion: .directory)
    var data: String?

    @Flag(help: "Only read the backup and compare every checksum.")
    var verifyOnly = false

    @Option(help: ArgumentHelp("Read no faster than so many bytes per second.", valueName: "bytes"))
    var rateBytesPerSecond: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if (data == nil) != verifyOnly { throw ValidationError("give either --data or --verify-only") }
        if let rateBytesPerSecond, rateBytesPerSecond < Pacing.minimumRate {
            throw ValidationError("--rate-bytes-per-second is at least \(Pacing.minimumRate)")
        }
    }

    func run() async throws {
        let started = NIODeadline.now()
        let backup: BackupReader
        do {
            backup = try work()
        } catch let error as LogError {
            let isDamaged = error.code == .damaged
            throw CommandFailure(
                message: error.text, advice: Self.advice(error.code),
                status: isDamaged ? ExitStatus.damaged : ExitStatus.failed)
        }
        let seconds = Double((NIODeadline.now() - started).nanoseconds) / 1e9
        let output = Output()
        try output.write(json ? Self.json(backup, seconds: seconds) : text(backup, seconds: seconds))
        try output.flush()
    }

    private func work() throws -> BackupReader {
        let machine = Machine.posix()
        let total = try BackupReader(from, machine.files).manifest.sizeBytes
        let pacing = Pacing(bytesPerSecond: rateBytesPerSecond, totalBytes: total)
        defer { pacing.clear() }
        guard let data else {
            let backup = try BackupReader(from, machine.files)
            try backup.verify { pacing.passed($0) }
            return backup
        }
        var restore = try Restore(from: from, to: data, machine: machine, pace: { pacing.passed($0) }) {
            () throws(StorageError) in try SQLiteMetadataStore(path: data + "/meta.db", files: machine.files)
        }
        while try restore.step() {}
        return restore.backup
    }

    private static func advice(_ code: LogError.Code) -> String? {
        switch code {
        case .damaged: "restore another backup; this one is not what was written"
        case .noSpace: "make room, and run the same command again"
        case .locked: "stop the server first"
        case .formatTooNew: "use the version of millrace that made the backup, or a newer one"
        default: nil
        }
    }

    private func text(_ backup: BackupReader, seconds: Double) -> String {
        let manifest = backup.manifest
        let amounts =
            "\(manifest.partitions.count) partitions, \(manifest.files.count) files, "
            + "\(Amount.bytes(Double(manifest.sizeBytes))) in \(Amount.seconds(seconds))"
        let made = Date(timeIntervalSince1970: Double(manifest.beganMilliseconds / 1_000)).ISO8601Format()
        guard let data else { return "sound: backup of \(made), \(amounts)\n" }
        return "restored: backup of \(made), \(amounts)\nstart it: millrace serve --data \(data)\n"
    }

    static func json(_ backup: BackupReader, seconds: Double) -> String {
        let manifest = backup.manifest
        var json = JSONText()
        json.object { json in
            json.member("version", manifest.programVersion)
            json.member("beganMilliseconds", manifest.beganMilliseconds)
            json.member("endedMilliseconds", manifest.endedMilliseconds)
            json.member("partitions", Int64(manifest.partitions.count))
            json.member("files", Int64(manifest.files.count))
            json.member("bytes", manifest.sizeBytes)
            json.key("seconds")
            json.value(seconds)
        }
        json.newline()
        return json.text
    }
}
