internal import Series
internal import Telemetry

/// A plan in words, for whoever asks why a query was slow: what is read, by what it is chosen and grouped, what is
/// computed. Names are told, values are not (`?`): they are in the statement, if its parameters do not hide them.
extension QueryPlan {
    /// Such as `scan cpu 2026-11-21T00:00:00Z..2026-11-21T01:00:00Z where host=? read usage; group by host every 1m:
    /// mean(usage); limit 10`.
    var text: String {
        var text = "scan \(Self.name(scan.measurement)) \(Self.time(scan.range.lowerBound))"
        text += "..\(Self.time(scan.range.upperBound))"
        if let policy = scan.retentionPolicy { text += " of \(Self.name(policy))" }
        if let tags = Self.text(scan.tags, 0) { text += " where \(tags)" }
        text += " read \(Self.list(scan.fields.map(Self.name)))"
        if scan.descending { text += " backwards" }
        if let filter { text += "; filter \(self.text(filter, 0))" }
        text += "; " + groups
        switch body {
        case .rows(let body): text += "\(body.columns.count) columns"
        case .aggregates(let body): text += self.text(body)
        }
        for (name, value) in [("limit", limit), ("groups", groupLimit)] {
            if let value { text += "; \(name) \(value)" }
        }
        for (name, value) in [("offset", offset), ("group offset", groupOffset)] where value > 0 {
            text += "; \(name) \(value)"
        }
        return text
    }

    /// The most names of a list that are told.
    private static let mostNames = 8
    /// How deep conditions are told.
    private static let mostDepth = 4

    private static func list(_ names: [String]) -> String {
        let more = names.count - mostNames
        return names.prefix(mostNames).joined(separator: ",") + (more > 0 ? ",…\(more) more" : "")
    }

    private static func name(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(64), as: UTF8.self)
    }

    private static func time(_ nanoseconds: Int64) -> String {
        // The ends of time, as the languages know them.
        if nanoseconds <= InfluxTime.minimum || nanoseconds >= InfluxTime.maximum { return "" }
        var bytes: [UInt8] = []
        TimeText.append(nanoseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Such as `group by host every 1m: `; empty if there is one group and one window.
    private var groups: String {
        var words: [String] = []
        if !grouping.isEmpty { words.append("group by " + Self.list(grouping.map { Self.name(scan.tagKeys[$0]) })) }
        if case .aggregates(let body) = body, let window = body.window {
            words.append("every " + DurationText.text(window.length))
        }
        return words.isEmpty ? "" : words.joined(separator: " ") + ": "
    }

    private func text(_ body: AggregateBody) -> String {
        var text = Self.list(body.calls.map { "\(Self.name($0.function))(\(Self.name(scan.fields[$0.field])))" })
        if body.window != nil, let fill = Self.name(body.fill) { text += " fill \(fill)" }
        return text
    }

    private static func name(_ function: AggregateFunction) -> String {
        switch function {
        case .count: "count"
        case .sum: "sum"
        case .mean: "mean"
        case .minimum: "min"
        case .maximum: "max"
        case .first: "first"
        case .last: "last"
        case .spread: "spread"
        case .stddev: "stddev"
        case .median: "median"
        case .distinct: "distinct"
        case .countDistinct: "count distinct"
        case .percentile(let rank): "p\(NumberText.plain(rank))"
        }
    }

    private static func name(_ fill: WindowFill) -> String? {
        switch fill {
        case .none: nil
        case .null: "null"
        case .previous: "previous"
        case .linear: "linear"
        case .value: "value"
        }
    }

    /// A condition on tags; nil if there is none.
    private static func text(_ tags: TagPredicate, _ depth: Int) -> String? {
        func joined(_ parts: [TagPredicate], _ word: String) -> String? {
            let texts = parts.prefix(mostNames).compactMap { text($0, depth + 1) }
            let more = parts.count - mostNames
            return texts.isEmpty
                ? nil : "(" + (texts + (more > 0 ? ["…\(more) more"] : [])).joined(separator: word) + ")"
        }
        guard depth < mostDepth else { return "…" }
        switch tags {
        case .all: return nil
        case .equals(let key, _): return "\(name(key))=?"
        case .satisfies(let key, _): return "\(name(key))~?"
        case .and(let parts): return joined(parts, " and ")
        case .or(let parts): return joined(parts, " or ")
        case .not(let inner): return text(inner, depth + 1).map { "not \($0)" }
        }
    }

    private func text(_ condition: RowCondition, _ depth: Int) -> String {
        func joined(_ parts: [RowCondition], _ word: String) -> String {
            let more = parts.count - Self.mostNames
            let texts = parts.prefix(Self.mostNames).map { text($0, depth + 1) }
            return "(" + (texts + (more > 0 ? ["…\(more) more"] : [])).joined(separator: word) + ")"
        }
        guard depth < Self.mostDepth else { return "…" }
        switch condition {
        case .constant(let value): return "\(value)"
        case .compare(let operation, let left, let right):
            return "\(text(left, depth)) \(operation.rawValue) \(text(right, depth))"
        case .matches(let column, _, let negated): return "\(text(column)) \(negated ? "!~" : "=~") ?"
        case .all(let parts): return joined(parts, " and ")
        case .any(let parts): return joined(parts, " or ")
        }
    }

    private func text(_ expression: RowExpression, _ depth: Int) -> String {
        guard depth < Self.mostDepth else { return "…" }
        switch expression {
        case .column(let column): return text(column)
        case .literal: return "?"
        case .cast(_, let inner): return text(inner, depth + 1)
        case .arithmetic(let operation, let left, let right):
            return "(\(text(left, depth + 1)) \(operation.rawValue) \(text(right, depth + 1)))"
        }
    }

    private func text(_ column: ColumnReference) -> String {
        switch column {
        case .field(let field): Self.name(scan.fields[field])
        case .tag(let tag): Self.name(scan.tagKeys[tag])
        }
    }
}
