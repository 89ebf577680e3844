/// SELECT and what its clauses share with other statements.
extension Parser {
    mutating func selectStatement() throws(QueryError) -> SelectStatement {
        try nested { (parser) throws(QueryError) in try parser.selectClauses() }
    }

    private mutating func selectClauses() throws(QueryError) -> SelectStatement {
        var statement = SelectStatement()
        statement.fields = try selectFields()
        if accept(.into) { statement.target = try target() }
        try expect(.from)
        statement.sources = try sources(subqueries: true)
        statement.condition = try condition()
        statement.dimensions = try dimensions()
        statement.fill = try fill()
        statement.descending = try orderBy()
        statement.limit = try optional(.limit)
        statement.offset = try optional(.offset)
        statement.seriesLimit = try optional(.slimit)
        statement.seriesOffset = try optional(.soffset)
        statement.timeZone = try timeZone()
        return statement
    }

    private mutating func selectFields() throws(QueryError) -> [SelectField] {
        var fields: [SelectField] = []
        repeat {
            fields.append(try selectField())
        } while acceptImmediately(.comma)
        return fields
    }

    private mutating func selectField() throws(QueryError) -> SelectField {
        var field: SelectField
        if let pattern = try regex() {
            field = SelectField(expression: .regex(pattern))
        } else {
            let mark = lexer.mark
            let position = nextSolid().position
            lexer.reset(mark)
            field = SelectField(expression: try expression())
            if let operation = firstCondition(in: field.expression) {
                throw QueryError(
                    .syntax,
                    "invalid operator \(operation.rawValue) in SELECT clause at \(position.text); "
                        + "operator is intended for WHERE clause")
            }
        }
        if accept(.as) { field.alias = try identifier() }
        skipWhitespace()
        return field
    }

    private func firstCondition(in expression: Expression) -> Operator? {
        var found: Operator?
        _ = expression.contains { inner in
            switch inner {
            case .logical(let operation, _): found = operation
            case .binary(let operation, _, _) where operation.isComparison: found = operation
            default: return false
            }
            return true
        }
        return found
    }

    private mutating func target() throws(QueryError) -> MeasurementReference {
        var names = try segments()
        if names.count < 3, lexer.peek() == ":" {
            try expect(.colon, ":")
            try expect(.measurement)
            names.append("")
        }
        return reference(names)
    }

    private func reference(_ names: [String]) -> MeasurementReference {
        var reference = MeasurementReference()
        reference.name = names[names.count - 1]
        if names.count > 1 { reference.retentionPolicy = nilIfEmpty(names[names.count - 2]) }
        if names.count > 2 { reference.database = nilIfEmpty(names[0]) }
        return reference
    }

    private func nilIfEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }

    mutating func sources(subqueries: Bool) throws(QueryError) -> [Source] {
        var sources = [try source(subqueries: subqueries)]
        while accept(.comma) { sources.append(try source(subqueries: subqueries)) }
        return sources
    }

    mutating func source(subqueries: Bool) throws(QueryError) -> Source {
        if let pattern = try regex() {
            var reference = MeasurementReference()
            reference.regex = pattern
            return .measurement(reference)
        }
        if subqueries, accept(.openParenthesis) {
            try expect(.select)
            let statement = try selectStatement()
            try expect(.closeParenthesis, ")")
            return .subquery(statement)
        }
        let names = try segments()
        if names.count < 3, let pattern = try regex() {
            var reference = reference(names + [""])
            reference.regex = pattern
            return .measurement(reference)
        }
        return .measurement(reference(names))
    }

    mutating func condition() throws(QueryError) -> Expression? {
        guard accept(.where) else { return nil }
        return try expression()
    }

    mutating func dimensions() throws(QueryError) -> [Expression] {
        guard accept(.group) else { return [] }
        try expect(.by)
        var dimensions: [Expression] = []
        repeat {
            if let pattern = try regex() {
                dimensions.append(.regex(pattern))
            } else {
                dimensions.append(try expression())
                skipWhitespace()
            }
        } while acceptImmediately(.comma)
        return dimensions
    }

    /// The call of `name` that may follow.
    private mutating func trailingCall(_ name: String) throws(QueryError) -> [Expression]? {
        let mark = lexer.mark
        let token = nextSolid()
        lexer.reset(mark)
        guard token.kind == .identifier, token.literal.lowercased() == name else { return nil }
        guard case .call(_, let arguments) = try expression() else {
            throw QueryError(.syntax, "\(name) must be a function call")
        }
        return arguments
    }

    private mutating func fill() throws(QueryError) -> Fill {
        guard let arguments = try trailingCall("fill") else { return .null }
        guard arguments.count == 1 else {
            throw QueryError(.syntax, "fill requires an argument, e.g.: 0, null, none, previous, linear")
        }
        switch arguments[0] {
        case .variable("null", nil): return .null
        case .variable("none", nil): return .none
        case .variable("previous", nil): return .previous
        case .variable("linear", nil): return .linear
        case .integer(let number): return .integer(number)
        case .number(let number): return .number(number)
        default: throw QueryError(.syntax, "expected number argument in fill()")
        }
    }

    private mutating func timeZone() throws(QueryError) -> String? {
        guard let arguments = try trailingCall("tz") else { return nil }
        guard arguments.count == 1 else { throw QueryError(.syntax, "tz requires exactly one argument") }
        guard case .string(let name) = arguments[0] else {
            throw QueryError(.syntax, "expected string argument in tz()")
        }
        return name
    }

    mutating func orderBy() throws(QueryError) -> Bool? {
        guard accept(.order) else { return nil }
        try expect(.by)
        let token = nextSolid()
        let descending: Bool
        switch token.kind {
        case .keyword(.asc), .keyword(.desc): descending = token.kind == .keyword(.desc)
        case .identifier:
            descending = accept(.desc)
            if !descending { _ = accept(.asc) }
            guard token.literal == "time" else {
                throw QueryError(.syntax, "only ORDER BY time supported at this time")
            }
        default: throw unexpected(token, ["identifier", "ASC", "DESC"])
        }
        if accept(.comma) {
            _ = try identifier()
            throw QueryError(.syntax, "only ORDER BY time supported at this time")
        }
        return descending
    }
}
