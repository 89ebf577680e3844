import Patterns
internal import Series

/// Splits a condition (without time) into what the scan can decide by tags alone and what is decided per point.
extension ColumnBinder {
    mutating func plan(_ condition: Expression?) throws(QueryError) -> (tags: TagPredicate, filter: RowCondition?) {
        guard let condition else { return (.all, nil) }
        var terms = [condition.bare]
        if case .logical(.and, let parts) = condition.bare { terms = parts }
        var predicates: [TagPredicate] = []
        var conditions: [RowCondition] = []
        for term in terms {
            if usesTagsOnly(term) {
                predicates.append(try predicate(term))
            } else {
                conditions.append(try rowCondition(term))
            }
        }
        let tags: TagPredicate = predicates.isEmpty ? .all : predicates.count == 1 ? predicates[0] : .and(predicates)
        let filter: RowCondition? =
            conditions.isEmpty ? nil : conditions.count == 1 ? conditions[0] : .all(conditions)
        return (tags, filter)
    }

    /// Whether every comparison in it is one of a tag with a literal.
    private func usesTagsOnly(_ expression: Expression) -> Bool {
        switch expression.bare {
        case .logical(_, let terms): terms.allSatisfy(usesTagsOnly)
        case .boolean: true
        case .binary(_, .variable(let name, let cast), let right): !isField(name, cast) && Self.isLiteral(right)
        case .binary(_, let left, .variable(let name, let cast)): !isField(name, cast) && Self.isLiteral(left)
        default: false
        }
    }

    private static func isLiteral(_ expression: Expression) -> Bool {
        switch expression.bare {
        case .string, .regex, .integer, .number, .boolean, .duration, .unsigned: true
        default: false
        }
    }

    private mutating func predicate(_ expression: Expression) throws(QueryError) -> TagPredicate {
        switch expression.bare {
        case .logical(let operation, let terms):
            var parts: [TagPredicate] = []
            for term in terms { parts.append(try predicate(term)) }
            return operation == .and ? .and(parts) : .or(parts)
        case .boolean(let value): return value ? .all : .not(.all)
        case .binary(let operation, .variable(let name, _), let right):
            return try predicate(Array(name.utf8), operation, right.bare)
        case .binary(let operation, let left, .variable(let name, _)):
            return try predicate(Array(name.utf8), operation, left.bare)
        default: return .not(.all)
        }
    }

    private mutating func predicate(
        _ key: [UInt8], _ operation: Operator, _ literal: Expression
    ) throws(QueryError) -> TagPredicate {
        switch (operation, literal) {
        case (.equal, .string(let value)): return .equals(key: key, value: Array(value.utf8))
        case (.notEqual, .string(let value)): return .not(.equals(key: key, value: Array(value.utf8)))
        case (.matches, .regex(let text)), (.matchesNot, .regex(let text)):
            let pattern = try pattern(text)
            let matches = TagPredicate.satisfies(key: key) { pattern.matches($0) }
            return operation == .matches ? matches : .not(matches)
        default: return .not(.all)
        }
    }

    private mutating func rowCondition(_ expression: Expression) throws(QueryError) -> RowCondition {
        switch expression.bare {
        case .boolean(let value): return .constant(value)
        case .logical(let operation, let terms):
            var parts: [RowCondition] = []
            for term in terms { parts.append(try rowCondition(term)) }
            return operation == .and ? .all(parts) : .any(parts)
        case .binary(let operation, let left, .regex(let text)):
            guard case .variable(let name, let cast) = left.bare, operation == .matches || operation == .matchesNot
            else { return .constant(false) }
            return .matches(column(name, cast), try pattern(text), negated: operation == .matchesNot)
        case .binary(let operation, let left, let right) where operation.isComparison:
            return .compare(operation, try rowExpression(left), try rowExpression(right))
        default:
            throw QueryError(.execution, "invalid condition expression: \(Printer.text(expression))")
        }
    }

    private mutating func column(_ name: String, _ cast: Expression.Cast?) -> ColumnReference {
        let bytes = Array(name.utf8)
        return isField(name, cast) ? .field(field(bytes)) : .tag(tag(bytes))
    }

    private mutating func rowExpression(_ expression: Expression) throws(QueryError) -> RowExpression {
        switch expression.bare {
        case .variable(let name, let cast): return .column(column(name, cast))
        case .binary(let operation, let left, let right) where operation.isArithmetic:
            return .arithmetic(operation, try rowExpression(left), try rowExpression(right))
        case .call:
            throw QueryError(.execution, "invalid function call in condition: \(Printer.text(expression))")
        case let literal:
            guard let value = Value(literal) else {
                throw QueryError(.execution, "invalid condition expression: \(Printer.text(expression))")
            }
            return .literal(value)
        }
    }
}

extension Value {
    /// The value of a literal; nil if the expression is none.
    init?(_ literal: Expression) {
        switch literal {
        case .string(let text): self = .text(text)
        case .number(let value): self = .float(value)
        case .integer(let value), .duration(let value): self = .integer(value)
        case .unsigned(let value): self = .unsigned(value)
        case .boolean(let value): self = .boolean(value)
        default: return nil
        }
    }
}
