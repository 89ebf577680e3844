/// An InfluxQL expression.
public indirect enum Expression: Sendable, Equatable {
    /// A field, a tag, or `time`; segments are joined by dots.
    case variable(String, Cast?)
    /// A function; its name is in lower case.
    case call(String, [Expression])
    /// `DISTINCT name`.
    case distinct(String)
    /// Two operands; never AND or OR.
    case binary(Operator, Expression, Expression)
    /// All of (AND) or one of (OR) two or more: flat, so that a long chain is no deep tree.
    case logical(Operator, [Expression])
    /// In parentheses.
    case parenthesized(Expression)
    case string(String)
    case number(Double)
    case integer(Int64)
    /// An integer above Int64's range.
    case unsigned(UInt64)
    case boolean(Bool)
    /// In nanoseconds.
    case duration(Int64)
    /// A pattern, as written between the slashes (`\/` unescaped).
    case regex(String)
    /// `*`, or with a cast `*::field` or `*::tag`.
    case wildcard(Cast?)

    /// What `::` says a name is.
    public enum Cast: String, Sendable, Equatable {
        case float, integer, unsigned, string, boolean, field, tag
    }
}

extension Expression {
    /// The expression without the parentheses around it.
    var bare: Expression {
        var expression = self
        while case .parenthesized(let inner) = expression { expression = inner }
        return expression
    }

    /// Calls `visit` with this and every expression in it, from the outside in.
    func walk(_ visit: (Expression) throws(QueryError) -> Void) throws(QueryError) {
        try visit(self)
        switch self {
        case .call(_, let arguments), .logical(_, let arguments):
            for argument in arguments { try argument.walk(visit) }
        case .binary(_, let left, let right):
            try left.walk(visit)
            try right.walk(visit)
        case .parenthesized(let inner): try inner.walk(visit)
        default: break
        }
    }

    /// Whether `test` is true of this or an expression in it.
    func contains(_ test: (Expression) -> Bool) -> Bool {
        if test(self) { return true }
        return switch self {
        case .call(_, let arguments), .logical(_, let arguments): arguments.contains { $0.contains(test) }
        case .binary(_, let left, let right): left.contains(test) || right.contains(test)
        case .parenthesized(let inner): inner.contains(test)
        default: false
        }
    }

    /// Whether a function is called in it.
    var containsCall: Bool {
        contains { expression in
            switch expression {
            case .call, .distinct: true
            default: false
            }
        }
    }
}
