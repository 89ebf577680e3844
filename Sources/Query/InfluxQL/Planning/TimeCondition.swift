/// A WHERE clause, with what it says of time taken out. Times under OR intersect too, as InfluxDB has it.
struct TimeCondition {
    /// The first time that is wanted.
    private(set) var lower = InfluxTime.minimum
    /// The last time that is wanted.
    private(set) var upper = InfluxTime.maximum
    /// What remains; nil for nothing.
    private(set) var rest: Expression?

    private let now: Int64

    init(_ condition: Expression?, now: Int64) throws(QueryError) {
        self.now = now
        if let condition { rest = try split(condition) }
    }

    /// The times; nil if there are none.
    var range: ClosedRange<Int64>? { lower <= upper ? lower...upper : nil }
    /// Whether a first time is given.
    var hasLower: Bool { lower != InfluxTime.minimum }
    /// Whether a last time is given.
    var hasUpper: Bool { upper != InfluxTime.maximum }

    /// Ends the range where it has no end.
    mutating func limit(to time: Int64) {
        if !hasUpper { upper = time }
    }

    private mutating func split(_ expression: Expression) throws(QueryError) -> Expression? {
        switch expression {
        case .parenthesized(let inner):
            return try split(inner).map { .parenthesized($0) }
        case .logical(let operation, let terms):
            var kept: [Expression] = []
            for term in terms {
                if let term = try split(term) { kept.append(term) }
            }
            return kept.count > 1 ? .logical(operation, kept) : kept.first
        case .binary(let operation, let left, let right) where operation.isComparison:
            if Self.isTime(left) {
                try narrow(operation, right)
                return nil
            }
            if Self.isTime(right) {
                try narrow(operation.mirrored, left)
                return nil
            }
            return expression
        case .boolean(true): return nil
        case .boolean(false): return expression
        default:
            throw QueryError(.execution, "invalid condition expression: \(Printer.text(expression))")
        }
    }

    static func isTime(_ expression: Expression) -> Bool {
        if case .variable(let name, nil) = expression.bare { name.lowercased() == "time" } else { false }
    }

    private mutating func narrow(_ operation: Operator, _ operand: Expression) throws(QueryError) {
        guard [.equal, .less, .lessOrEqual, .greater, .greaterOrEqual].contains(operation) else {
            throw QueryError(.execution, "invalid time comparison operator: \(operation.rawValue)")
        }
        guard let time = try moment(operand) else {
            throw QueryError(
                .execution, "invalid operation: time and \(Self.typeName(operand.bare)) are not compatible")
        }
        switch operation {
        case .less: upper = min(upper, time == .min ? time : time - 1)
        case .lessOrEqual: upper = min(upper, time)
        case .greater: lower = max(lower, time == .max ? time : time + 1)
        case .greaterOrEqual: lower = max(lower, time)
        default:
            lower = max(lower, time)
            upper = min(upper, time)
        }
    }

    /// The nanoseconds that an expression of now(), times, durations and numbers means; nil if it is none.
    private func moment(_ expression: Expression) throws(QueryError) -> Int64? {
        switch expression.bare {
        case .call("now", []): return now
        case .integer(let value), .duration(let value): return value
        case .number(let value): return Int64(exactly: value.rounded(.towardZero))
        case .string(let text): return try Self.time(text)
        case .binary(let operation, let left, let right) where operation.isArithmetic:
            guard let left = try moment(left), let right = try moment(right) else { return nil }
            switch operation {
            case .add: return saturated(left.addingReportingOverflow(right), left >= 0)
            case .subtract: return saturated(left.subtractingReportingOverflow(right), left >= 0)
            case .multiply:
                return saturated(left.multipliedReportingOverflow(by: right), (left >= 0) == (right >= 0))
            case .divide: return right == 0 || right == -1 ? 0 &- left : left / right
            default: return nil
            }
        default: return nil
        }
    }

    /// The time that a text means; nil if it does not look like one.
    static func time(_ text: String) throws(QueryError) -> Int64? {
        switch TimeText.read(text) {
        case .time(let time): return time
        case .none: return nil
        case .invalid: throw QueryError(.execution, "invalid timestamp string")
        case .beyond(let seconds):
            var shown: [UInt8] = []
            TimeText.append(seconds: seconds, to: &shown)
            throw QueryError(
                .execution,
                "time \(String(decoding: shown, as: UTF8.self)) \(seconds < 0 ? "under" : "over")flows time literal")
        }
    }

    private func saturated(_ result: (partialValue: Int64, overflow: Bool), _ positive: Bool) -> Int64 {
        guard result.overflow else { return result.partialValue }
        return positive ? InfluxTime.maximum : InfluxTime.minimum
    }

    /// What InfluxDB calls an expression in errors.
    static func typeName(_ expression: Expression) -> String {
        switch expression {
        case .variable: "*influxql.VarRef"
        case .call: "*influxql.Call"
        case .distinct: "*influxql.Distinct"
        case .binary, .logical: "*influxql.BinaryExpr"
        case .parenthesized: "*influxql.ParenExpr"
        case .string: "*influxql.StringLiteral"
        case .number: "*influxql.NumberLiteral"
        case .integer: "*influxql.IntegerLiteral"
        case .unsigned: "*influxql.UnsignedLiteral"
        case .boolean: "*influxql.BooleanLiteral"
        case .duration: "*influxql.DurationLiteral"
        case .regex: "*influxql.RegexLiteral"
        case .wildcard: "*influxql.Wildcard"
        }
    }
}
