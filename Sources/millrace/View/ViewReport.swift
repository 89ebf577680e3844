import FoundationEssentials

/// What a server tells of the view of one partition (`GET /views`).
struct ViewReport: Codable {
    let topic: String
    let partition: Int32
    let view: String
    let state: String
    let reason: String?
    let applied: Int64
    let covered: Int64
    let highWatermark: Int64
    let lagRecords: Int64
    let lagBytes: Int64
    let holdBytes: Int64
    let holdLimitBytes: Int64
    let headBytes: Int64
    let blocks: Int64
    let blockBytes: Int64
    let damagedBlocks: Int64
    let damage: String?
    let manifestVersion: Int64
    let cuts: UInt64
    let commits: UInt64
    let records: UInt64
    let rejected: UInt64
    let rebuiltUpTo: Int64?

    /// Reads a server's answer.
    static func read(_ body: [UInt8]) throws -> [ViewReport] {
        do {
            return try JSONDecoder().decode([ViewReport].self, from: Data(body))
        } catch {
            throw CommandFailure(
                message: "the server's answer is not about views", advice: "is it another version, or no millrace?")
        }
    }

    /// An object per line.
    static func json(_ reports: [ViewReport]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try reports.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }.joined()
    }

    /// A line per topic.
    static func list(_ reports: [ViewReport]) -> String {
        if reports.isEmpty {
            return "no views: a topic gets one by `millrace topic alter TOPIC --config millrace.view=series`\n"
        }
        var table = Table([
            ("topic", .left), ("view", .left), ("partitions", .right), ("state", .left), ("behind", .right),
            ("held", .right), ("blocks", .right), ("size", .right),
        ])
        for (topic, all) in Dictionary(grouping: reports, by: \.topic).sorted(by: { $0.key < $1.key }) {
            // The worst one counts.
            let state = ["failed", "stalled", "paused"].first { state in all.contains { $0.state == state } }
            let sound = all.allSatisfy { $0.damagedBlocks == 0 } ? "running" : "damaged"
            table.add([
                topic, all[0].view, "\(all.count)", state ?? sound, "\(all.reduce(0) { $0 + $1.lagRecords })",
                bytes(all.reduce(0) { $0 + $1.holdBytes }), "\(all.reduce(0) { $0 + $1.blocks })",
                bytes(all.reduce(0) { $0 + $1.blockBytes }),
            ])
        }
        return table.text
    }

    /// A line per partition, why those do not get on that do not, and what is damaged.
    static func details(_ reports: [ViewReport]) -> String {
        var table = Table([
            ("partition", .right), ("state", .left), ("applied", .right), ("written", .right), ("end", .right),
            ("held", .right), ("head", .right), ("blocks", .right), ("size", .right), ("rejected", .right),
        ])
        var reasons = ""
        for report in reports {
            table.add([
                "\(report.partition)", report.state, "\(report.applied)", "\(report.covered)",
                "\(report.highWatermark)", bytes(report.holdBytes), bytes(report.headBytes), "\(report.blocks)",
                bytes(report.blockBytes), "\(report.rejected)",
            ])
            if let reason = report.reason { reasons += "partition \(report.partition): \(reason)\n" }
            if let damage = report.damage {
                reasons += """
                    partition \(report.partition): \(report.damagedBlocks) of \(report.blocks) blocks are missing or \
                    damaged: \(damage)
                    """ + "\n"
            }
            if let rebuilt = report.rebuiltUpTo {
                reasons += "partition \(report.partition): being rebuilt, up to offset \(rebuilt)\n"
            }
        }
        return table.text + reasons
    }

    private static func bytes(_ count: Int64) -> String { Amount.bytes(Double(count)) }
}
