import Telemetry

/// The canonical text of queries: what Loki's expressions say of themselves. Parsed again it means the same.
extension LogQLQuery: CustomStringConvertible {
    /// The query on one line.
    public var description: String {
        switch self {
        case .lines(let selector): "\(selector)"
        case .metric(let expression): "\(expression)"
        }
    }
}

extension LogSelector: CustomStringConvertible {
    /// `{a="b"} | json`.
    public var description: String { ([matchersText] + stages.map(\.description)).joined(separator: " ") }

    /// `{a="b", c!="d"}`.
    var matchersText: String { "{" + matchers.map(\.description).joined(separator: ", ") + "}" }
}

extension LogMatcher: CustomStringConvertible {
    /// `a="b"`.
    public var description: String { name + operation.rawValue + QuotedText.quote(value) }

    /// As a condition on labels: a pattern that would need escapes stands in back quotes.
    var filterText: String {
        let quoted = QuotedText.quote(value)
        let isPattern = operation == .matches || operation == .matchesNot
        guard isPattern, quoted.utf8.count > value.utf8.count + 2, isRaw else {
            return name + operation.rawValue + quoted
        }
        return name + operation.rawValue + "`" + value + "`"
    }

    private var isRaw: Bool { value.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "`") && $0 != 0x7F } }
}

extension LogStage: CustomStringConvertible {
    /// `| json`.
    public var description: String {
        switch self {
        case .lineFilter(let filter): "\(filter)"
        case .json(let expressions): "| json" + Self.text(expressions)
        case .logfmt(let expressions, let isStrict, let keepsEmpty):
            "| logfmt" + (isStrict ? " --strict" : "") + (keepsEmpty ? " --keep-empty" : "") + Self.text(expressions)
        case .regexp(let pattern): "| regexp " + QuotedText.quote(pattern)
        case .pattern(let pattern): "| pattern " + QuotedText.quote(pattern)
        case .unpack: "| unpack"
        case .labelFilter(let filter): "| \(filter)"
        case .lineFormat(let template): "| line_format " + QuotedText.quote(template)
        case .labelFormat(let formats):
            "| label_format "
                + formats.map { $0.label + "=" + ($0.isRename ? $0.value : QuotedText.quote($0.value)) }
                .joined(separator: ",")
        case .decolorize: "| decolorize"
        case .drop(let selections): "| drop " + selections.map(\.description).joined(separator: ",")
        case .keep(let selections): "| keep " + selections.map(\.description).joined(separator: ",")
        }
    }

    private static func text(_ expressions: [FieldExpression]) -> String {
        guard !expressions.isEmpty else { return "" }
        return " " + expressions.map { $0.label + "=" + QuotedText.quote($0.expression) }.joined(separator: ",")
    }
}

extension LabelSelection: CustomStringConvertible {
    /// `a` or `a="b"`.
    public var description: String {
        switch self {
        case .name(let name): name
        case .matcher(let matcher): "\(matcher)"
        }
    }
}

extension LineFilter: CustomStringConvertible {
    /// `|= "a" or "b"`.
    public var description: String {
        operation.rawValue + " " + alternatives.map(\.description).joined(separator: " or ")
    }
}

extension LineFilter.Text: CustomStringConvertible {
    /// `"a"` or `ip("1.2.3.4")`.
    public var description: String { isAddress ? "ip(" + QuotedText.quote(value) + ")" : QuotedText.quote(value) }
}

extension LabelFilter: CustomStringConvertible {
    /// `( a>5 , b="c" )`.
    public var description: String {
        switch self {
        case .text(let matcher): matcher.filterText
        case .number(let name, let comparison, let value): name + comparison.rawValue + GoNumber.plain(value)
        case .duration(let name, let comparison, let value): name + comparison.rawValue + GoDuration.goText(value)
        case .bytes(let name, let comparison, let value): name + comparison.rawValue + ByteSize.text(value)
        case .address(let name, let comparison, let value):
            name + (comparison == .equal ? "=" : "!=") + "ip(" + QuotedText.quote(value) + ")"
        case .and(let left, let right): "( \(left) , \(right) )"
        case .or(let left, let right): "( \(left) or \(right) )"
        }
    }
}

extension MetricExpression: CustomStringConvertible {
    /// The expression on one line.
    public var description: String {
        switch self {
        case .literal(let value): Self.literalText(value)
        case .vector(let value): "vector(" + GoNumber.fixedOrExact(value) + ")"
        case .range(let range): "\(range)"
        case .aggregation(let aggregation): "\(aggregation)"
        case .binary(let operation): "(\(operation.left) \(operation.signText(separator: ",")) \(operation.right))"
        case .labelReplace(let replacement):
            "label_replace(" + (["\(replacement.operand)"] + replacement.texts).joined(separator: ",") + ")"
        }
    }
}

extension MetricExpression {
    /// A number. What no number of the language is stands as the operation that gives it.
    private static func literalText(_ value: Double) -> String {
        if value.isNaN { return "(0 / 0)" }
        if value.isInfinite { return value < 0 ? "(-1e308 * 10)" : "(1e308 * 10)" }
        return GoNumber.text(value)
    }
}

extension RangeAggregation: CustomStringConvertible {
    /// `rate({a="b"}[5m])`.
    public var description: String {
        let parameter = parameter.map { GoNumber.plain($0) + "," } ?? ""
        let grouping = grouping.map { " \($0)" } ?? ""
        return operation.rawValue + "(" + parameter + "\(range))" + grouping
    }
}

extension LogRange: CustomStringConvertible {
    /// `{a="b"} | unwrap c[5m] offset 1m0s`.
    public var description: String {
        let unwrapped = unwrap.map { " \($0)" } ?? ""
        let moved = offset == 0 ? "" : " offset " + GoDuration.goText(offset)
        return "\(selector)" + unwrapped + "[" + GoDuration.prometheusText(interval) + "]" + moved
    }
}

extension Unwrap: CustomStringConvertible {
    /// `| unwrap bytes(a) | b="c"`.
    public var description: String { ([ownText] + filters.map { "| \($0)" }).joined(separator: " ") }

    /// Without the conditions behind it.
    var ownText: String { "| unwrap " + (conversion.map { $0.rawValue + "(" + label + ")" } ?? label) }
}

extension Grouping: CustomStringConvertible {
    /// `by (a,b)`.
    public var description: String { (isWithout ? "without (" : "by (") + labels.joined(separator: ",") + ")" }

    /// Whether everything is one group.
    public var isSingle: Bool { labels.isEmpty && !isWithout }
}

extension VectorAggregation: CustomStringConvertible {
    /// `sum by (a)(…)`.
    public var description: String {
        operation.rawValue + (grouping.isSingle ? "" : " \(grouping)") + "(" + (count != 0 ? "\(count)," : "")
            + "\(operand))"
    }
}

extension BinaryOperation {
    /// The sign and how the sides meet.
    func signText(separator: String) -> String {
        var text = `operator`.rawValue + (returnsBool ? " bool" : "")
        guard isOn || labels != nil || cardinality != .oneToOne else { return text }
        text += (isOn ? " on (" : " ignoring (") + (labels ?? []).joined(separator: separator) + ") "
        switch cardinality {
        case .oneToOne: break
        case .manyToOne: text += "group_left"
        case .oneToMany: text += "group_right"
        }
        // Without labels the parentheses of the right side would be taken for theirs.
        if cardinality != .oneToOne { text += " (" + (included ?? []).joined(separator: separator) + ")" }
        return text
    }
}

extension LabelReplacement {
    /// The four texts, quoted.
    var texts: [String] { [target, replacement, source, pattern].map(QuotedText.quote) }
}
