import ArgumentParser
import Machine
import Series
import Telemetry

/// `millrace series inspect`: what a block's bytes go to.
struct SeriesInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Print what blocks hold, and what their bytes go to.")

    @OptionGroup var blocks: BlockFiles

    @Flag(help: "Print one JSON object per block and line.")
    var json = false

    func run() async throws {
        let files = Machine.posix().files
        let output = Output()
        for path in try blocks.find(files) {
            let report = try SeriesCheckCommand.check(path, files)
            try output.write(json ? Self.json(path, report) : Self.text(path, report))
        }
        try output.flush()
    }

    static func text(_ path: String, _ report: BlockReport) -> String {
        var text = "\(path)  \(Amount.bytes(Double(report.sizeBytes)))"
        if let details = report.details {
            text += "  policy \(String(decoding: details.retentionPolicy, as: UTF8.self))  level \(details.level)"
            text += "  cuts \(details.firstCut) to \(details.lastCut)  deletions below \(details.appliedThrough)\n"
            text += "shard \(time(details.shardStart)) to \(time(details.shardEnd)), "
            text += "points \(time(details.minimumTime)) to \(time(details.maximumTime))"
        }
        text += "\n"
        for finding in report.findings { text += "damage: \(finding.message)\n" }
        for table in report.tables {
            let bytes = table.parts.reduce(0) { $0 + $1.bytes }
            let perValue = Double(bytes) / Double(max(1, table.values))
            text += "\n\(printable(table.name))  series \(table.series)  points \(table.rows)  values \(table.values)  "
            text += "pages \(table.pages)  \(hundredths(perValue)) bytes per value\n"
            text += parts(table, bytes)
        }
        return text + "\n"
    }

    private static func parts(_ table: BlockReport.Table, _ total: Int) -> String {
        var rows = Table([("part", .left), ("type", .left), ("bytes", .right), ("%", .right), ("forms", .left)])
        for part in table.parts {
            let forms = part.forms.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            rows.add([
                part.name, part.type?.name ?? "", "\(part.bytes)",
                hundredths(100 * Double(part.bytes) / Double(max(1, total))),
                forms.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
            ])
        }
        return rows.text
    }

    private static func printable(_ name: [UInt8]) -> String {
        String(decoding: name.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
    }

    private static func hundredths(_ value: Double) -> String {
        let scaled = Int64((value * 100).rounded())
        return "\(scaled / 100)." + (scaled % 100 < 10 ? "0" : "") + "\(scaled % 100)"
    }

    /// To the millisecond; a bound of int64 stands for no bound.
    private static func time(_ nanoseconds: Int64) -> String {
        if nanoseconds == .min { return "the beginning" }
        if nanoseconds == .max { return "the end" }
        return timestamp(milliseconds: nanoseconds / 1_000_000)
    }

    static func json(_ path: String, _ report: BlockReport) -> String {
        var json = JSONText()
        json.object { json in
            json.member("path", path)
            json.member("bytes", Int64(report.sizeBytes))
            if let details = report.details { members(details, &json) }
            json.key("tables")
            json.array { json in for table in report.tables { object(table, &json) } }
            json.key("findings")
            json.array { json in for finding in report.findings { json.value(finding.message) } }
        }
        json.newline()
        return json.text
    }

    private static func members(_ details: BlockDetails, _ json: inout JSONText) {
        json.member("retention_policy", bytes: details.retentionPolicy)
        for (name, value) in [
            ("shard_start", details.shardStart), ("shard_end", details.shardEnd),
            ("minimum_time", details.minimumTime), ("maximum_time", details.maximumTime), ("points", details.rows),
            ("series", details.series), ("level", Int64(details.level)), ("first_cut", details.firstCut),
            ("last_cut", details.lastCut), ("applied_through", details.appliedThrough),
        ] {
            json.member(name, value)
        }
    }

    private static func object(_ table: BlockReport.Table, _ json: inout JSONText) {
        json.object { json in
            json.member("measurement", bytes: table.name)
            json.member("series", Int64(table.series))
            json.member("points", Int64(table.rows))
            json.member("values", Int64(table.values))
            json.member("pages", Int64(table.pages))
            json.key("parts")
            json.array { json in
                for part in table.parts {
                    json.object { json in
                        json.member("name", part.name)
                        json.member("type", part.type?.name)
                        json.member("bytes", Int64(part.bytes))
                        json.key("forms")
                        json.object { json in
                            for form in part.forms.sorted(by: { $0.key < $1.key }) {
                                json.member(form.key, Int64(form.value))
                            }
                        }
                    }
                }
            }
        }
    }
}
