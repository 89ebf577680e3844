import Patterns

/// Expressions.
extension Parser {
    mutating func expression() throws(QueryError) -> Expression {
        try nested { (parser) throws(QueryError) in try parser.operation(atLeast: 1) }
    }

    /// Operands and operators that bind at least this strongly.
    private mutating func operation(atLeast precedence: Int) throws(QueryError) -> Expression {
        var left = try operand()
        var chained = 0
        while true {
            let mark = lexer.mark
            guard case .operation(let operation) = nextSolid().kind, operation.precedence >= precedence else {
                lexer.reset(mark)
                return left
            }
            let right: Expression
            if operation == .matches || operation == .matchesNot {
                guard let pattern = try regex() else { throw unexpected(nextSolid(), ["regex"]) }
                right = .regex(pattern)
            } else {
                right = try nested { (parser) throws(QueryError) in
                    try parser.operation(atLeast: operation.precedence + 1)
                }
            }
            if operation == .and || operation == .or {
                left = joined(operation, left, right)
            } else {
                chained += 1
                guard depth + chained <= Self.maximumDepth else {
                    throw QueryError(.syntax, "expression is nested deeper than \(Self.maximumDepth) levels")
                }
                left = .binary(operation, left, right)
            }
        }
    }

    private func joined(_ operation: Operator, _ left: Expression, _ right: Expression) -> Expression {
        guard case .logical(operation, var terms) = left else { return .logical(operation, [left, right]) }
        terms.append(right)
        return .logical(operation, terms)
    }

    private mutating func operand() throws(QueryError) -> Expression {
        let mark = lexer.mark
        let token = nextSolid()
        switch token.kind {
        case .openParenthesis:
            let inner = try expression()
            try expect(.closeParenthesis, ")")
            return .parenthesized(inner)
        case .identifier:
            if acceptImmediately(.openParenthesis) { return try call(token.literal) }
            lexer.reset(mark)
            return try variable()
        case .keyword(.distinct): return try distinct()
        case .string: return .string(token.literal)
        case .number: return .number(Double(token.literal) ?? 0)
        case .integer: return try integer(token)
        case .true, .false: return .boolean(token.kind == .true)
        case .duration: return .duration(try DurationText.parse(token.literal))
        case .operation(.multiply): return .wildcard(try wildcardCast())
        case .regex:
            try check(token.literal, token)
            return .regex(token.literal)
        case .boundParameter: throw missing(token)
        case .operation(.add), .operation(.subtract):
            return try nested { (parser) throws(QueryError) in
                try parser.signed(negative: token.kind == .operation(.subtract))
            }
        default: throw unexpected(token, ["identifier", "string", "number", "bool"])
        }
    }

    private func integer(_ token: Token) throws(QueryError) -> Expression {
        if let value = Int64(token.literal) { return .integer(value) }
        if let value = UInt64(token.literal) { return .unsigned(value) }
        throw QueryError(.syntax, "unable to parse integer at \(token.position.text)")
    }

    private func missing(_ token: Token) -> QueryError {
        let name = String(token.literal.dropFirst())
        if name.isEmpty { return QueryError(.syntax, "empty bound parameter") }
        if case .invalid(let message)? = parameters[name] { return QueryError(.syntax, message) }
        return QueryError(.syntax, "missing parameter: \(name)")
    }

    /// What stands behind a sign.
    private mutating func signed(negative: Bool) throws(QueryError) -> Expression {
        let mark = lexer.mark
        let token = nextSolid()
        switch token.kind {
        case .number, .integer, .duration, .openParenthesis, .identifier: break
        default: throw unexpected(token, ["identifier", "number", "duration", "("])
        }
        lexer.reset(mark)
        let value = try operand()
        switch value {
        case .number(let number): return .number(negative ? -number : number)
        case .integer(let number): return .integer(negative ? -number : number)
        case .duration(let nanoseconds): return .duration(negative ? -nanoseconds : nanoseconds)
        case .unsigned(let number):
            guard negative else { return value }
            if number == UInt64(Int64.max) + 1 { return .integer(.min) }
            throw QueryError(.syntax, "constant -\(number) underflows int64")
        default: return .binary(.multiply, .integer(negative ? -1 : 1), value)
        }
    }

    private mutating func distinct() throws(QueryError) -> Expression {
        let token = next()
        if token.kind == .openParenthesis { return try call("distinct") }
        guard token.kind == .whitespace else { throw unexpected(token, ["(", "identifier"]) }
        return .distinct(try identifier())
    }

    private mutating func wildcardCast() throws(QueryError) -> Expression.Cast? {
        guard acceptImmediately(.doubleColon) else { return nil }
        let token = next()
        switch token.kind {
        case .keyword(.field): return .field
        case .keyword(.tag): return .tag
        default: throw unexpected(token, ["field", "tag"])
        }
    }

    private mutating func variable() throws(QueryError) -> Expression {
        let name = try segments().joined(separator: ".")
        guard acceptImmediately(.doubleColon) else { return .variable(name, nil) }
        let token = next()
        switch token.kind {
        case .keyword(.field): return .variable(name, .field)
        case .keyword(.tag): return .variable(name, .tag)
        case .identifier:
            if let cast = Expression.Cast(rawValue: token.literal.lowercased()), cast != .field, cast != .tag {
                return .variable(name, cast)
            }
            throw unexpected(token, ["float", "integer", "unsigned", "string", "boolean", "field", "tag"])
        default: throw unexpected(token, ["float", "integer", "string", "boolean", "field", "tag"])
        }
    }

    /// The arguments of a function, behind its parenthesis.
    private mutating func call(_ name: String) throws(QueryError) -> Expression {
        let name = name.lowercased()
        var arguments: [Expression] = []
        if let pattern = try regex() {
            arguments.append(.regex(pattern))
        } else {
            if acceptImmediately(.closeParenthesis) { return .call(name, []) }
            arguments.append(try expression())
        }
        while accept(.comma) {
            if let pattern = try regex() {
                arguments.append(.regex(pattern))
            } else {
                arguments.append(try expression())
            }
        }
        let token = next()
        guard token.kind == .closeParenthesis else { throw unexpected(token, [")"]) }
        return .call(name, arguments)
    }

    /// A pattern, if one follows.
    mutating func regex() throws(QueryError) -> String? {
        if let scalar = lexer.peek(), isWhitespace(scalar) { skipWhitespace() }
        let mark = lexer.mark
        switch lexer.peek() {
        case "$":
            let token = next()
            guard token.kind == .regex else {
                lexer.reset(mark)
                return nil
            }
            try check(token.literal, token)
            return token.literal
        case "/":
            let token = lexer.regex()
            guard token.kind == .regex else {
                throw QueryError(.syntax, "bad regex:  at \(token.position.text)")
            }
            try check(token.literal, token)
            return token.literal
        default: return nil
        }
    }

    /// Refuses a pattern that is none.
    private func check(_ pattern: String, _ token: Token) throws(QueryError) {
        do {
            _ = try QueryError.pattern(pattern)
        } catch {
            throw QueryError(.syntax, "\(error.message) at \(token.position.text)")
        }
    }
}
