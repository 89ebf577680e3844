/// The functions that a SELECT calls, checked as InfluxDB checks them.
struct SelectCalls {
    /// A call, with the name of its field.
    struct Call: Equatable {
        var function: AggregateFunction
        var field: String
        var cast: Expression.Cast?
        /// As InfluxDB calls it in errors.
        var name: String
    }

    /// The calls, in the order of the text.
    private(set) var calls: [Call] = []
    /// Whether a name stands outside of calls.
    private(set) var hasVariables = false

    /// The functions of InfluxDB that are known and not served yet.
    private static let unserved: Set<String> = [
        "mode", "integral", "top", "bottom", "sample", "derivative", "non_negative_derivative", "difference",
        "non_negative_difference", "moving_average", "cumulative_sum", "elapsed", "holt_winters",
        "holt_winters_with_fit", "exponential_moving_average", "double_exponential_moving_average",
        "triple_exponential_moving_average", "relative_strength_index", "triple_exponential_derivative",
        "kaufmans_efficiency_ratio", "kaufmans_adaptive_moving_average", "chande_momentum_oscillator",
    ]

    private static let functions: [String: AggregateFunction] = [
        "count": .count, "sum": .sum, "mean": .mean, "min": .minimum, "max": .maximum, "first": .first,
        "last": .last, "spread": .spread, "stddev": .stddev, "median": .median, "distinct": .distinct,
    ]

    init(_ expressions: [Expression]) throws(QueryError) {
        for expression in expressions {
            guard Self.usesVariable(expression) else {
                throw QueryError(.execution, "field must contain at least one variable")
            }
            try collect(expression)
        }
        try check(expressions.count)
    }

    private static func usesVariable(_ expression: Expression) -> Bool {
        expression.contains { inner in
            switch inner {
            case .variable, .call, .distinct: true
            default: false
            }
        }
    }

    private mutating func collect(_ expression: Expression) throws(QueryError) {
        switch expression {
        case .variable: hasVariables = true
        case .call, .distinct: calls.append(try Self.call(expression))
        case .parenthesized(let inner): try collect(inner)
        case .binary(_, let left, let right):
            try collect(left)
            try collect(right)
        case .wildcard, .regex:
            throw QueryError(.execution, "unsupported expression with wildcard: \(Printer.text(expression))")
        default: break
        }
    }

    private func check(_ fields: Int) throws(QueryError) {
        if calls.contains(where: { $0.function == .distinct }), calls.count > 1 || hasVariables || fields > 1 {
            throw QueryError(
                .execution, "aggregate function distinct() cannot be combined with other functions or fields")
        }
        guard hasVariables, !calls.isEmpty else { return }
        guard calls.allSatisfy(\.function.isSelector) else {
            throw QueryError(.execution, "mixing aggregate and non-aggregate queries is not supported")
        }
        guard calls.count == 1 else {
            throw QueryError(
                .execution, "mixing multiple selector functions with tags or fields is not supported")
        }
    }

    static func call(_ expression: Expression) throws(QueryError) -> Call {
        if case .distinct(let field) = expression {
            return Call(function: .distinct, field: field, name: "distinct")
        }
        guard case .call(let name, let arguments) = expression else {
            throw QueryError(.execution, "expected a function call")
        }
        if unserved.contains(name) { throw QueryError(.execution, "function \(name)() is not served yet") }
        guard let function = name == "percentile" ? .percentile(0) : functions[name] else {
            throw QueryError(.execution, "undefined function \(name)()")
        }
        let expected = name == "percentile" ? 2 : 1
        guard arguments.count == expected else {
            throw QueryError(
                .execution,
                "invalid number of arguments for \(name), expected \(expected), got \(arguments.count)")
        }
        if name == "count", let inner = countedDistinct(arguments[0]) {
            guard case .variable(let field, let cast) = inner else {
                throw QueryError(.execution, "expected field argument in distinct()")
            }
            return Call(function: .countDistinct, field: field, cast: cast, name: "count")
        }
        guard case .variable(let field, let cast) = arguments[0] else {
            throw QueryError(.execution, "expected field argument in \(name)()")
        }
        guard name == "percentile" else { return Call(function: function, field: field, cast: cast, name: name) }
        switch arguments[1] {
        case .integer(let percent):
            return Call(function: .percentile(Double(percent)), field: field, cast: cast, name: name)
        case .number(let percent):
            return Call(function: .percentile(percent), field: field, cast: cast, name: name)
        default: throw QueryError(.execution, "expected float argument in percentile()")
        }
    }

    private static func countedDistinct(_ argument: Expression) -> Expression? {
        switch argument {
        case .distinct(let field): .variable(field, nil)
        case .call("distinct", let inner) where inner.count == 1: inner[0]
        default: nil
        }
    }
}
