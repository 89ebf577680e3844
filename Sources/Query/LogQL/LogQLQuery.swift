/// A query in LogQL, parsed and valid. `print(query)` is its canonical text, `formatted()` what `format_query` answers.
public enum LogQLQuery: Sendable, Equatable {
    /// Lines.
    case lines(LogSelector)
    /// Numbers by labels.
    case metric(MetricExpression)
}

/// Which lines, and what is done with each.
public struct LogSelector: Sendable, Equatable {
    /// Conditions on the labels of streams; all hold.
    public var matchers: [LogMatcher]
    /// What each line goes through, in this order.
    public var stages: [LogStage]

    /// Assembles a selector.
    public init(matchers: [LogMatcher], stages: [LogStage] = []) {
        self.matchers = matchers
        self.stages = stages
    }
}

/// `name="value"`: a condition on a label. A label that is not there has the value "".
public struct LogMatcher: Sendable, Equatable {
    /// What is asked.
    public enum Operation: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case matchesNot = "!~"
    }

    /// The label.
    public var name: String
    /// What is asked. Patterns match whole values.
    public var operation: Operation
    /// The text or the pattern.
    public var value: String

    /// Assembles a matcher.
    public init(_ name: String, _ operation: Operation, _ value: String) {
        self.name = name
        self.operation = operation
        self.value = value
    }
}

/// One step of a pipeline.
public enum LogStage: Sendable, Equatable {
    /// `|= "text"`.
    case lineFilter(LineFilter)
    /// `| json`, `| json a="b.c"`: without expressions all fields.
    case json([FieldExpression])
    /// `| logfmt --strict --keep-empty a="b"`.
    case logfmt([FieldExpression], isStrict: Bool, keepsEmpty: Bool)
    /// `| regexp "(?P<name>…)"`.
    case regexp(String)
    /// `| pattern "<name> …"`.
    case pattern(String)
    /// `| unpack`.
    case unpack
    /// `| status >= 500 and …`.
    case labelFilter(LabelFilter)
    /// `| line_format "{{.name}}"`.
    case lineFormat(String)
    /// `| label_format a=b,c="{{.d}}"`.
    case labelFormat([LabelFormat])
    /// `| decolorize`.
    case decolorize
    /// `| drop a,b="c"`.
    case drop([LabelSelection])
    /// `| keep a,b="c"`.
    case keep([LabelSelection])
}

/// A condition on the line's text. With several alternatives one of them holds.
public struct LineFilter: Sendable, Equatable {
    /// What is asked.
    public enum Operation: String, Sendable {
        case contains = "|="
        case containsNot = "!="
        case matches = "|~"
        case matchesNot = "!~"
        case hasPattern = "|>"
        case hasNotPattern = "!>"

        /// Whether the line must not hold it. Such a filter has one alternative.
        public var isNegative: Bool { self == .containsNot || self == .matchesNot || self == .hasNotPattern }
    }

    /// What is looked for.
    public struct Text: Sendable, Equatable {
        /// A text, a pattern, or addresses (`1.2.3.4`, `1.2.3.0/24`, `1.2.3.4-1.2.3.9`).
        public var value: String
        /// Whether it is `ip("…")`.
        public var isAddress: Bool

        /// Assembles what is looked for.
        public init(_ value: String, isAddress: Bool = false) {
            self.value = value
            self.isAddress = isAddress
        }
    }

    /// What is asked.
    public var operation: Operation
    /// What is looked for; at least one.
    public var alternatives: [Text]

    /// Assembles a filter.
    public init(_ operation: Operation, _ alternatives: [Text]) {
        self.operation = operation
        self.alternatives = alternatives
    }
}

/// `name="expression"` of the parsers `json` and `logfmt`: the label to set and where to find its value.
public struct FieldExpression: Sendable, Equatable {
    /// The label.
    public var label: String
    /// Where the value is: `a.b[0]["c d"]`, of logfmt a name.
    public var expression: String

    /// Assembles an expression.
    public init(_ label: String, _ expression: String) {
        self.label = label
        self.expression = expression
    }
}

/// A label's new value.
public struct LabelFormat: Sendable, Equatable {
    /// The label.
    public var label: String
    /// The other label, or the template.
    public var value: String
    /// Whether the value is another label, which then is gone.
    public var isRename: Bool

    /// Assembles a format.
    public init(_ label: String, _ value: String, isRename: Bool) {
        self.label = label
        self.value = value
        self.isRename = isRename
    }
}

/// A label by its name, or by its name and a condition on its value.
public enum LabelSelection: Sendable, Equatable {
    case name(String)
    case matcher(LogMatcher)
}

/// A condition on labels, extracted ones and structured metadata included.
public indirect enum LabelFilter: Sendable, Equatable {
    /// How values compare.
    public enum Comparison: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="
    }

    case text(LogMatcher)
    case number(String, Comparison, Double)
    /// The value in nanoseconds.
    case duration(String, Comparison, Int64)
    /// The value in bytes.
    case bytes(String, Comparison, UInt64)
    /// An address, a prefix or a range; only `equal` and `notEqual`.
    case address(String, Comparison, String)
    case and(LabelFilter, LabelFilter)
    case or(LabelFilter, LabelFilter)
}
