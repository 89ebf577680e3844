/// An expression whose value at a moment is a number for each of some sets of labels, or one number.
public indirect enum MetricExpression: Sendable, Equatable {
    /// `rate({…}[5m])`.
    case range(RangeAggregation)
    /// `sum by (a) (…)`.
    case aggregation(VectorAggregation)
    /// `… + …`.
    case binary(BinaryOperation)
    /// `1.5`, which stands for itself.
    case literal(Double)
    /// `vector(1)`: the number with no labels.
    case vector(Double)
    /// `label_replace(…)`.
    case labelReplace(LabelReplacement)
}

/// A function of the lines of a window, for each set of labels.
public struct RangeAggregation: Sendable, Equatable {
    /// The function.
    public enum Operation: String, Sendable, CaseIterable {
        case countOverTime = "count_over_time"
        case rate
        case rateCounter = "rate_counter"
        case bytesOverTime = "bytes_over_time"
        case bytesRate = "bytes_rate"
        case avgOverTime = "avg_over_time"
        case sumOverTime = "sum_over_time"
        case minOverTime = "min_over_time"
        case maxOverTime = "max_over_time"
        case stdvarOverTime = "stdvar_over_time"
        case stddevOverTime = "stddev_over_time"
        case quantileOverTime = "quantile_over_time"
        case firstOverTime = "first_over_time"
        case lastOverTime = "last_over_time"
        case absentOverTime = "absent_over_time"
    }

    /// The function.
    public var operation: Operation
    /// The lines.
    public var range: LogRange
    /// The quantile, of `quantileOverTime` alone.
    public var parameter: Double?
    /// Which labels the result has; nil for all.
    public var grouping: Grouping?

    /// Assembles an aggregation.
    public init(
        _ operation: Operation, _ range: LogRange, parameter: Double? = nil, grouping: Grouping? = nil
    ) {
        self.operation = operation
        self.range = range
        self.parameter = parameter
        self.grouping = grouping
    }
}

/// Lines of a window that ends at the moment asked for, less the offset: (T - offset - interval, T - offset].
public struct LogRange: Sendable, Equatable {
    /// Which lines.
    public var selector: LogSelector
    /// The window's length in nanoseconds.
    public var interval: Int64
    /// How far back, in nanoseconds; may be negative.
    public var offset: Int64
    /// The label whose value is the sample; without, lines count.
    public var unwrap: Unwrap?

    /// Assembles a range.
    public init(_ selector: LogSelector, interval: Int64, offset: Int64 = 0, unwrap: Unwrap? = nil) {
        self.selector = selector
        self.interval = interval
        self.offset = offset
        self.unwrap = unwrap
    }
}

/// `| unwrap duration(label) | filter`.
public struct Unwrap: Sendable, Equatable {
    /// How text becomes a number.
    public enum Conversion: String, Sendable, CaseIterable {
        /// `1.5KiB`, in bytes.
        case bytes
        /// `1.5s`, in seconds.
        case duration
        /// The same.
        case durationSeconds = "duration_seconds"
    }

    /// The label.
    public var label: String
    /// How its text is read; nil for a plain number.
    public var conversion: Conversion?
    /// Conditions behind it.
    public var filters: [LabelFilter]

    /// Assembles it.
    public init(_ label: String, conversion: Conversion? = nil, filters: [LabelFilter] = []) {
        self.label = label
        self.conversion = conversion
        self.filters = filters
    }
}

/// `by (a,b)` or `without (a,b)`.
public struct Grouping: Sendable, Equatable {
    /// The labels.
    public var labels: [String]
    /// Whether all labels but these remain.
    public var isWithout: Bool

    /// Assembles it.
    public init(_ labels: [String] = [], isWithout: Bool = false) {
        self.labels = labels
        self.isWithout = isWithout
    }
}

/// A function of the numbers of a moment, for each group of labels.
public struct VectorAggregation: Sendable, Equatable {
    /// The function.
    public enum Operation: String, Sendable, CaseIterable {
        case sum
        case avg
        case count
        case max
        case min
        case stddev
        case stdvar
        case bottomk
        case topk
        case sort
        case sortDescending = "sort_desc"
        case approximateTopk = "approx_topk"
    }

    /// The function.
    public var operation: Operation
    /// Of what.
    public var operand: MetricExpression
    /// The k of `topk`, `bottomk` and `approximateTopk`; else 0.
    public var count: Int
    /// The groups; by no label (one group) if nothing was said.
    public var grouping: Grouping

    /// Assembles an aggregation.
    public init(
        _ operation: Operation, _ operand: MetricExpression, count: Int = 0, grouping: Grouping = Grouping()
    ) {
        self.operation = operation
        self.operand = operand
        self.count = count
        self.grouping = grouping
    }
}

/// An operation on two expressions; not both are literals (those are computed when parsed).
public struct BinaryOperation: Sendable, Equatable {
    /// What is done.
    public enum Operator: String, Sendable, CaseIterable {
        case or
        case and
        case unless
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"

        /// Whether it compares: without `bool` it filters.
        public var isComparison: Bool {
            switch self {
            case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual: true
            default: false
            }
        }

        /// Whether it is of sets: `and`, `or`, `unless`.
        public var isLogical: Bool { self == .or || self == .and || self == .unless }

        /// How strongly it binds, from 1.
        var precedence: Int {
            switch self {
            case .or: 1
            case .and, .unless: 2
            case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual: 3
            case .add, .subtract: 4
            case .multiply, .divide, .modulo: 5
            case .power: 6
            }
        }
    }

    /// How many of one side meet how many of the other.
    public enum Cardinality: Sendable {
        case oneToOne
        /// `group_left`.
        case manyToOne
        /// `group_right`.
        case oneToMany
    }

    /// What is done.
    public var `operator`: Operator
    /// The left side.
    public var left: MetricExpression
    /// The right side.
    public var right: MetricExpression
    /// Whether a comparison gives 0 or 1 instead of filtering.
    public var returnsBool = false
    /// Whether the sides meet by `labels` alone; otherwise by all others.
    public var isOn = false
    /// The labels of `on` or `ignoring`; nil if neither was said or without any.
    public var labels: [String]?
    /// `group_left`, `group_right`.
    public var cardinality: Cardinality = .oneToOne
    /// Labels of the side with fewer that the result gets; nil if none were said.
    public var included: [String]?

    /// Assembles an operation.
    public init(_ operator: Operator, _ left: MetricExpression, _ right: MetricExpression) {
        self.operator = `operator`
        self.left = left
        self.right = right
    }
}

/// `label_replace(expression, "target", "$1", "source", "(.*)")`.
public struct LabelReplacement: Sendable, Equatable {
    /// Of what.
    public var operand: MetricExpression
    /// The label that is set.
    public var target: String
    /// Its value, with `$1` for what was captured.
    public var replacement: String
    /// The label that is read.
    public var source: String
    /// A pattern of its whole value.
    public var pattern: String

    /// Assembles it.
    public init(_ operand: MetricExpression, target: String, replacement: String, source: String, pattern: String) {
        self.operand = operand
        self.target = target
        self.replacement = replacement
        self.source = source
        self.pattern = pattern
    }
}
