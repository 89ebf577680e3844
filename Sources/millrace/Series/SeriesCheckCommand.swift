import ArgumentParser
import Machine
import NIOCore
import Series

/// `millrace series check`: verifies blocks to the last byte.
struct SeriesCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Verify every checksum, encoding and order of blocks.",
        discussion: "Exit status: 0 everything is sound, 2 damage was found, 1 the check could not be made.")

    @OptionGroup var blocks: BlockFiles

    @Flag(help: "Print one JSON object.")
    var json = false

    /// What was found in one file.
    struct Checked {
        let path: String
        let report: BlockReport
    }

    func run() async throws {
        let files = Machine.posix().files
        let paths = try blocks.find(files)
        var (progress, checked): (Progress, [Checked]) = (Progress(), [])
        for (done, path) in paths.enumerated() {
            checked.append(Checked(path: path, report: try Self.check(path, files)))
            let now = NIODeadline.now()
            if progress.isDue(now: now) { progress.show("\(done + 1) of \(paths.count) blocks", now: now) }
        }
        progress.clear()
        let output = Output()
        try output.write(json ? Self.json(checked) : Self.text(checked))
        try output.flush()
        guard checked.allSatisfy(\.report.isSound) else { throw ExitCode(ExitStatus.damaged) }
    }

    static func check(_ path: String, _ files: any FileSystem) throws -> BlockReport {
        switch try BlockFiles.open(path, files) {
        case (_, .success(let block)): return BlockReport(block)
        case (let bytes, .failure(let error)):
            guard error.code != .formatTooNew else {
                throw CommandFailure(
                    message: error.message, advice: "use the version of millrace that wrote it, or a newer one")
            }
            return BlockReport(sizeBytes: bytes, damage: error)
        }
    }

    static func text(_ checked: [Checked]) -> String {
        var text = ""
        for one in checked { for finding in one.report.findings { text += "damage: \(finding.message)\n" } }
        let damaged = checked.count { !$0.report.isSound }
        let rows = checked.reduce(0) { $0 + $1.report.tables.reduce(0) { $0 + $1.rows } }
        let bytes = checked.reduce(0) { $0 + $1.report.sizeBytes }
        text += damaged == 0 ? "sound" : "DAMAGED, \(damaged) of the blocks"
        text += ": \(checked.count) blocks, \(rows) points, \(Amount.bytes(Double(bytes)))\n"
        return text
    }

    static func json(_ checked: [Checked]) -> String {
        var json = JSONText()
        json.object { json in
            json.key("sound")
            json.value(checked.allSatisfy(\.report.isSound))
            json.member("blocks", Int64(checked.count))
            json.member("bytes", Int64(checked.reduce(0) { $0 + $1.report.sizeBytes }))
            json.key("findings")
            json.array { json in
                for one in checked {
                    for finding in one.report.findings {
                        json.object { json in
                            json.member("path", one.path)
                            json.member("message", finding.message)
                        }
                    }
                }
            }
        }
        json.newline()
        return json.text
    }
}
