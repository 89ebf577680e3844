import ArgumentParser
import Machine
import NIOCore
import Series
import View

/// `millrace series check`: verifies blocks to the last byte.
struct SeriesCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Verify every checksum, encoding and order of blocks.",
        discussion: """
            Sizes and checksums are compared with what the view's manifest says, where it stands beside the blocks; of \
            directories, blocks that the manifest names and that are missing are damage, too.

            Exit status: 0 everything is sound, 2 damage was found, 1 the check could not be made.
            """)

    @OptionGroup var blocks: BlockFiles

    @Flag(help: "Print one JSON object.")
    var json = false

    /// What was found in one file, or of one that is missing.
    struct Checked {
        let path: String
        /// Nil of a file that cannot be looked into.
        var report: BlockReport?
        /// How it differs from what its view's manifest says.
        var differences: [String] = []

        var findings: [String] { differences + (report?.findings.map(\.message) ?? []) }
    }

    func run() async throws {
        let files = Machine.posix().files
        let found = try blocks.survey(files)
        var progress = Progress()
        let checked = try Self.check(found, files) { done in
            let now = NIODeadline.now()
            if progress.isDue(now: now) { progress.show("\(done) of \(found.paths.count) blocks", now: now) }
        }
        progress.clear()
        // Tells how to get some.
        if checked.isEmpty { _ = try blocks.find(files) }
        let output = Output()
        try output.write(json ? Self.json(checked) : Self.text(checked))
        try output.flush()
        guard checked.allSatisfy(\.findings.isEmpty) else { throw ExitCode(ExitStatus.damaged) }
    }

    /// Checks files, and what their views' manifests say of them.
    static func check(
        _ found: BlockFiles.Found, _ files: any FileSystem, _ progress: (Int) -> Void = { _ in }
    ) throws -> [Checked] {
        var ledgers: [String: BlockLedger] = [:]
        for directory in found.directories.union(found.paths.map { BlockFiles.parts(of: $0).directory }) {
            ledgers[directory] = try attempt { try BlockLedger(blocksIn: directory, files: files) }
        }
        var checked: [Checked] = []
        for (directory, ledger) in ledgers.sorted(by: { $0.key < $1.key }) {
            for finding in ledger.findings { checked.append(Checked(path: directory, differences: [finding])) }
            guard found.directories.contains(directory) else { continue }
            for name in try attempt({ try ledger.missing(files: files) }) {
                let path = directory + "/" + name
                checked.append(Checked(path: path, differences: ["\(path) is missing, its manifest names it"]))
            }
        }
        for (done, path) in found.paths.enumerated() {
            let (directory, name) = BlockFiles.parts(of: path)
            let difference = try attempt { try ledgers[directory]?.difference(of: name, files: files) }
            checked.append(
                Checked(path: path, report: try check(path, files), differences: [difference].compactMap { $0 }))
            progress(done + 1)
        }
        return checked
    }

    private static func attempt<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch { throw CommandFailure(message: "\(error)") }
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
        for one in checked { for finding in one.findings { text += "damage: \(finding)\n" } }
        let damaged = checked.count { !$0.findings.isEmpty }
        let reports = checked.compactMap(\.report)
        let rows = reports.reduce(0) { $0 + $1.tables.reduce(0) { $0 + $1.rows } }
        let bytes = reports.reduce(0) { $0 + $1.sizeBytes }
        text += damaged == 0 ? "sound" : "DAMAGED, \(damaged) of the blocks"
        text += ": \(checked.count) blocks, \(rows) points, \(Amount.bytes(Double(bytes)))\n"
        return text
    }

    static func json(_ checked: [Checked]) -> String {
        var json = JSONText()
        json.object { json in
            json.key("sound")
            json.value(checked.allSatisfy(\.findings.isEmpty))
            json.member("blocks", Int64(checked.count))
            json.member("bytes", Int64(checked.reduce(0) { $0 + ($1.report?.sizeBytes ?? 0) }))
            json.key("findings")
            json.array { json in
                for one in checked {
                    for finding in one.findings {
                        json.object { json in
                            json.member("path", one.path)
                            json.member("message", finding)
                        }
                    }
                }
            }
        }
        json.newline()
        return json.text
    }
}
