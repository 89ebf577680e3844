import ArgumentParser
import Log
import Machine
import NIOCore
import View

/// `millrace check`: verifies a data directory that no server has open.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Verify every segment, index and snapshot of a data directory, and what views keep.",
        discussion: """
            The server must be stopped. Nothing is changed without --repair, which rebuilds indexes and snapshots and \
            moves damaged bytes into quarantine files beside their segment; valid records are never deleted.

            Exit status: 0 everything is sound or was repaired, 2 damage was found, 1 the check could not be made.
            """)

    @Argument(help: "The data directory.", completion: .directory)
    var data: String

    @Flag(help: "Repair what can be repaired.")
    var repair = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let started = NIODeadline.now()
        let report = try check()
        let seconds = Double((NIODeadline.now() - started).nanoseconds) / 1e9
        let output = Output()
        try output.write(
            json ? Self.json(report, seconds: seconds) : Self.text(report, seconds: seconds, isRepairing: repair))
        try output.flush()
        guard report.isSound else { throw ExitCode(ExitStatus.damaged) }
    }

    private func check() throws -> LogReport {
        var progress = Progress()
        defer { progress.clear() }
        do {
            let machine = Machine.posix()
            var report = try LogCheck.run(directory: data, machine: machine, repair: repair) { now in
                let time = NIODeadline.now()
                guard progress.isDue(now: time) else { return }
                let (done, total) = (Double(now.bytesDone), Double(max(1, now.bytesTotal)))
                let share = "\(Int(100 * done / total)) % of \(Amount.bytes(total))"
                progress.show("\(share), \(Amount.bytes(done / progress.seconds(now: time)))/s", now: time)
            }
            try ViewCheck.run(directory: data, machine: machine, into: &report)
            return report
        } catch let error as LogError {
            throw CommandFailure(message: error.message, advice: Self.advice(error.code))
        } catch let error as ViewError {
            throw CommandFailure(message: error.message)
        }
    }

    private static func advice(_ code: LogError.Code) -> String? {
        switch code {
        case .locked: "stop the server first, or check a copy of the directory"
        case .formatTooNew: "use the version of millrace that wrote it, or a newer one"
        case .damaged: "name the directory that was given to `millrace serve --data`"
        default: nil
        }
    }

    static func text(_ report: LogReport, seconds: Double, isRepairing: Bool) -> String {
        var text = ""
        for finding in report.findings { text += "\(word(finding.severity)): \(finding.description)\n" }
        let amounts =
            "\(report.partitions) partitions, \(report.segments) segments, \(report.batches) batches, "
            + "\(report.records) records, \(Amount.bytes(Double(report.bytes)))"
        let notices = report.findings.filter { $0.severity == .notice }.count
        let faults = report.findings.count - notices
        let verdict =
            switch (report.isSound, faults) {
            case (true, 0): "sound"
            case (true, _): "repaired, \(faults) finding\(faults == 1 ? "" : "s")"
            case (false, _): "DAMAGED, \(faults) finding\(faults == 1 ? "" : "s")"
            }
        text += "\(verdict): \(amounts) in \(Amount.seconds(seconds))\n"
        if !report.isSound, !isRepairing {
            text += "`millrace check --repair` keeps every valid record; make a copy first all the same\n"
        }
        return text
    }

    static func json(_ report: LogReport, seconds: Double) -> String {
        var json = JSONText()
        json.object { json in
            json.key("sound")
            json.value(report.isSound)
            json.member("partitions", Int64(report.partitions))
            json.member("segments", Int64(report.segments))
            json.member("batches", report.batches)
            json.member("records", report.records)
            json.member("bytes", report.bytes)
            json.key("seconds")
            json.value(seconds)
            json.key("findings")
            json.array { json in
                for finding in report.findings {
                    json.object { json in
                        json.member("severity", word(finding.severity))
                        json.member("path", finding.path)
                        json.member("position", finding.position)
                        json.member("message", finding.message)
                        json.member("repair", finding.repair)
                    }
                }
            }
        }
        json.newline()
        return json.text
    }

    private static func word(_ severity: LogReport.Finding.Severity) -> String {
        switch severity {
        case .notice: "notice"
        case .rebuildable: "rebuildable"
        case .damage: "damage"
        }
    }
}
