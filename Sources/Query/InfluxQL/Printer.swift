/// Statements as text, in the one form that InfluxDB prints; it parses to the same tree.
public enum Printer {
    /// The text of an expression.
    public static func text(_ expression: Expression) -> String {
        switch expression {
        case .variable(let name, let cast): identifier(name) + (cast.map { "::\($0.rawValue)" } ?? "")
        case .call(let name, let arguments): "\(name)(\(arguments.map(text).joined(separator: ", ")))"
        case .distinct(let name): "DISTINCT \(identifier(name))"
        case .binary(let operation, let left, let right): "\(text(left)) \(operation.rawValue) \(text(right))"
        case .logical(let operation, let terms): terms.map(text).joined(separator: " \(operation.rawValue) ")
        case .parenthesized(let inner): "(\(text(inner)))"
        case .string(let value): string(value)
        case .number(let value): number(value)
        case .integer(let value): String(value)
        case .unsigned(let value): String(value)
        case .boolean(let value): value ? "true" : "false"
        case .duration(let nanoseconds): DurationText.text(nanoseconds)
        case .regex(let pattern): regex(pattern)
        case .wildcard(let cast): "*" + (cast.map { "::\($0.rawValue)" } ?? "")
        }
    }

    /// The text of a SELECT.
    public static func text(_ statement: SelectStatement) -> String {
        var parts = ["SELECT " + statement.fields.map(text).joined(separator: ", ")]
        if let target = statement.target {
            parts.append("INTO " + text(target, isTarget: true))
        }
        parts.append("FROM " + statement.sources.map(text).joined(separator: ", "))
        if let condition = statement.condition { parts.append("WHERE " + text(condition)) }
        if !statement.dimensions.isEmpty {
            parts.append("GROUP BY " + statement.dimensions.map(text).joined(separator: ", "))
        }
        switch statement.fill {
        case .null: break
        case .none: parts.append("fill(none)")
        case .previous: parts.append("fill(previous)")
        case .linear: parts.append("fill(linear)")
        case .number(let value): parts.append("fill(\(number(value)))")
        case .integer(let value): parts.append("fill(\(value))")
        }
        if let descending = statement.descending { parts.append("ORDER BY time " + (descending ? "DESC" : "ASC")) }
        if statement.limit > 0 { parts.append("LIMIT \(statement.limit)") }
        if statement.offset > 0 { parts.append("OFFSET \(statement.offset)") }
        if statement.seriesLimit > 0 { parts.append("SLIMIT \(statement.seriesLimit)") }
        if statement.seriesOffset > 0 { parts.append("SOFFSET \(statement.seriesOffset)") }
        if let zone = statement.timeZone { parts.append("TZ(\(string(zone)))") }
        return parts.joined(separator: " ")
    }

    private static func text(_ field: SelectField) -> String {
        text(field.expression) + (field.alias.map { " AS \(identifier($0))" } ?? "")
    }

    private static func text(_ source: Source) -> String {
        switch source {
        case .measurement(let reference): text(reference, isTarget: false)
        case .subquery(let statement): "(\(text(statement)))"
        }
    }

    static func text(_ reference: MeasurementReference, isTarget: Bool) -> String {
        var text = ""
        if let database = reference.database { text += identifier(database) + "." }
        if let policy = reference.retentionPolicy { text += identifier(policy) }
        if reference.database != nil || reference.retentionPolicy != nil { text += "." }
        if let pattern = reference.regex { return text + regex(pattern) }
        return text + (isTarget && reference.name.isEmpty ? ":MEASUREMENT" : identifier(reference.name))
    }

    /// A name, in quotes if it needs them.
    static func identifier(_ name: String) -> String { needsQuotes(name) ? quoted(name) : escaped(name, "\"") }

    /// Names with dots between them, as the error for too many of them shows them.
    static func segments(_ names: [String]) -> String {
        names.enumerated().map { index, name in
            let isLast = index == names.count - 1
            let quotes = needsQuotes(name) || (!isLast && !name.isEmpty) || ((index == 0 || isLast) && name.isEmpty)
            return quotes && !(name.isEmpty && !isLast && index > 0) ? quoted(name) : escaped(name, "\"")
        }.joined(separator: ".")
    }

    private static func needsQuotes(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, isLetter(first) || first == "_", reservedKind(name) == nil else {
            return true
        }
        return !name.unicodeScalars.allSatisfy { isLetter($0) || isDigit($0) || $0 == "_" }
    }

    private static func quoted(_ name: String) -> String { "\"\(escaped(name, "\""))\"" }

    static func string(_ value: String) -> String { "'\(escaped(value, "'"))'" }

    private static func regex(_ pattern: String) -> String {
        var text = ""
        for scalar in pattern.unicodeScalars {
            if scalar == "/" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return "/\(text)/"
    }

    private static func escaped(_ value: String, _ quote: Unicode.Scalar) -> String {
        var text = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\n": text.append(contentsOf: "\\n".unicodeScalars)
            case "\\": text.append(contentsOf: "\\\\".unicodeScalars)
            case quote: text.append(contentsOf: ["\\", quote])
            default: text.append(scalar)
            }
        }
        return String(text)
    }

    private static func number(_ value: Double) -> String {
        let text = NumberText.plain(value)
        return text.contains(".") ? text : text + ".000"
    }
}
