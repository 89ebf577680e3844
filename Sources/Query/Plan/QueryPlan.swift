public import Patterns
public import Series
public import Telemetry

/// What a query does with the points of one measurement, in no language's terms: scan, filter, then rows or aggregates,
/// by group. Columns are indices into the scan's fields and tag keys.
public struct QueryPlan: Sendable {
    /// What is read: measurement, time, series, fields and tags.
    public var scan: ScanRequest
    /// The types of the scan's fields; nil for a field that the measurement lacks.
    public var fieldTypes: [FieldType?]
    /// Which of the points read count, beyond what the scan decides.
    public var filter: RowCondition?
    /// The tags that make a group, as indices into the scan's tag keys. Groups come in the order of these values.
    public var grouping: [Int]
    /// What becomes of the points.
    public var body: Body
    /// The most rows of a group; nil for all.
    public var limit: Int?
    /// The rows of a group that are left out at its beginning.
    public var offset = 0
    /// The most groups; nil for all.
    public var groupLimit: Int?
    /// The groups left out at the beginning.
    public var groupOffset = 0

    /// What becomes of the points of a group.
    public enum Body: Sendable {
        /// A row per point, by time.
        case rows(RowBody)
        /// A row per window.
        case aggregates(AggregateBody)
    }

    /// Whether times run backwards, and groups with them.
    public var descending: Bool { scan.descending }
}

/// A row per point.
public struct RowBody: Sendable {
    /// The columns behind the time.
    public var columns: [RowExpression]
    /// The fields of which a point must have one, as indices into the scan's.
    public var presence: [Int]
}

/// A row per window and group.
public struct AggregateBody: Sendable {
    /// The aggregates.
    public var calls: [AggregateCall]
    /// Columns of the point that the only call, a selector, selects.
    public var companions: [RowExpression]
    /// The result's columns behind the time.
    public var columns: [AggregateExpression]
    /// The windows; nil for one over all time.
    public var window: Window?
    /// What stands for a window without points.
    public var fill: WindowFill
    /// The time of rows that have no window and no point of their own.
    public var anchor: Int64
    /// Whether a row's time is that of the selected point.
    public var timeOfPoint: Bool
}

/// Windows of equal length, aligned to a moment.
public struct Window: Sendable, Equatable {
    /// The length, in nanoseconds; at least 1.
    public var length: Int64
    /// How far from 1970 a window begins, in nanoseconds; in 0..<length.
    public var offset: Int64

    /// Windows whose alignment may be any number.
    public init(length: Int64, offset: Int64) {
        self.length = length
        let remainder = offset % length
        self.offset = remainder < 0 ? remainder + length : remainder
    }

    /// The number of the window that a time is in.
    @inline(__always)
    func index(of time: Int64) -> Int64 {
        let (shifted, overflow) = time.subtractingReportingOverflow(offset)
        guard !overflow else { return .min / length }
        let quotient = shifted / length
        return shifted % length < 0 ? quotient - 1 : quotient
    }

    /// The first moment of a window; held at the first of all moments.
    @inline(__always)
    func start(of index: Int64) -> Int64 {
        let (product, overflow) = index.multipliedReportingOverflow(by: length)
        let (sum, overflow2) = product.addingReportingOverflow(offset)
        return overflow || overflow2 ? (index < 0 ? .min : .max) : sum
    }
}

/// What stands for a window without points.
public enum WindowFill: Sendable, Equatable {
    /// Nothing: the window is left out.
    case none
    /// Null; 0 for a count.
    case null
    /// The value of the window before.
    case previous
    /// A value on the line between the neighbours.
    case linear
    /// A number.
    case value(Value)
}

/// An aggregate of one field.
public struct AggregateCall: Sendable, Equatable {
    /// Which.
    public var function: AggregateFunction
    /// The field, as an index into the scan's.
    public var field: Int
}

/// The aggregates.
public enum AggregateFunction: Sendable, Equatable {
    case count, sum, mean, minimum, maximum, first, last, spread, stddev, median, distinct, countDistinct
    /// The value below which this many of a hundred are, by nearest rank.
    case percentile(Double)

    /// Whether the result is the value of one point.
    public var isSelector: Bool {
        switch self {
        case .minimum, .maximum, .first, .last, .percentile: true
        default: false
        }
    }

    /// Whether every value must be kept until the end.
    var keepsValues: Bool {
        switch self {
        case .stddev, .median, .distinct, .countDistinct, .percentile: true
        default: false
        }
    }
}

/// A column of an aggregate's result.
public indirect enum AggregateExpression: Sendable {
    /// The result of a call, as an index.
    case call(Int)
    /// A column of the selected point, as an index into the companions.
    case companion(Int)
    case literal(Value)
    case arithmetic(Operator, AggregateExpression, AggregateExpression)
    /// Nothing.
    case null
}

/// A column of the scan.
public enum ColumnReference: Sendable, Equatable {
    /// A field, as an index into the scan's.
    case field(Int)
    /// A tag, as an index into the scan's keys.
    case tag(Int)
}

/// A value per point.
public indirect enum RowExpression: Sendable {
    case column(ColumnReference)
    case literal(Value)
    case arithmetic(Operator, RowExpression, RowExpression)
    /// A number in another type.
    case cast(FieldType, RowExpression)
}

/// A condition per point. What compares with nothing, or with another kind, is false.
public indirect enum RowCondition: Sendable {
    case constant(Bool)
    case compare(Operator, RowExpression, RowExpression)
    case matches(ColumnReference, Pattern, negated: Bool)
    case all([RowCondition])
    case any([RowCondition])
}
