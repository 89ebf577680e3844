import View

/// What stands about views, as JSON.
enum ViewStatusText {
    /// An array with an object per partition, a line each.
    static func array(_ statuses: [ViewStatus]) -> String {
        "[" + statuses.map(object).joined(separator: ",\n ") + "]\n"
    }

    private static func object(_ status: ViewStatus) -> String {
        var members: [(String, String)] = [
            ("topic", JSONString.quoted(status.topic)), ("partition", "\(status.partition)"),
            ("view", JSONString.quoted(status.kind)),
            ("state", JSONString.quoted(status.state.rawValue)),
            ("reason", status.reason.map(JSONString.quoted) ?? "null"),
            ("applied", "\(status.applied)"), ("covered", "\(status.covered)"),
            ("highWatermark", "\(status.highWatermark)"), ("lagRecords", "\(status.lagRecords)"),
            ("lagBytes", "\(status.lagBytes)"), ("holdBytes", "\(status.holdBytes)"),
            ("holdLimitBytes", "\(status.holdLimitBytes)"), ("headBytes", "\(status.headBytes)"),
            ("blocks", "\(status.blocks)"), ("blockBytes", "\(status.blockBytes)"),
            ("damagedBlocks", "\(status.damagedBlocks)"), ("damage", status.damage.map(JSONString.quoted) ?? "null"),
            ("manifestVersion", "\(status.manifestVersion)"), ("cuts", "\(status.cuts)"),
            ("commits", "\(status.commits)"), ("records", "\(status.records)"), ("rejected", "\(status.rejected)"),
        ]
        members.append(("rebuiltUpTo", status.rebuiltUpTo.map { "\($0)" } ?? "null"))
        return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }
}
