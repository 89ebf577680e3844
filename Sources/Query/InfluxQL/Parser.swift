/// A value for a `$name` in a query's text.
public enum BoundParameter: Sendable, Equatable {
    case string(String)
    case number(Double)
    case integer(Int64)
    case boolean(Bool)
    case regex(String)
    case identifier(String)
    case duration(String)
    /// A value of a kind that cannot stand in a query; the error that using it gives.
    case invalid(String)
}

/// Parses InfluxQL. Errors have InfluxDB's words, without the "error parsing query: " that its HTTP interface puts before
/// them.
public struct Parser {
    /// Parentheses, calls, subqueries and chained operators may nest this deep. InfluxDB has no bound; this one keeps a
    /// hostile text from using up the stack.
    public static let maximumDepth = 200

    var lexer: Lexer
    let parameters: [String: BoundParameter]
    var depth = 0

    /// A parser of a text.
    public init(_ text: String, parameters: [String: BoundParameter] = [:]) {
        lexer = Lexer(text)
        self.parameters = parameters
    }

    /// The statements of the text, which semicolons part.
    public mutating func parse() throws(QueryError) -> [Statement] {
        var statements: [Statement] = []
        var separated = true
        while true {
            let mark = lexer.mark
            let token = nextSolid()
            switch token.kind {
            case .end: return statements
            case .semicolon: separated = true
            default:
                guard separated else { throw unexpected(token, [";"]) }
                lexer.reset(mark)
                statements.append(try statement())
                separated = false
            }
        }
    }

    /// One statement.
    mutating func statement() throws(QueryError) -> Statement {
        let token = nextSolid()
        switch token.kind {
        case .keyword(.select): return .select(try selectStatement())
        case .keyword(.delete): return try deleteStatement()
        case .keyword(.show): return try showStatement()
        case .keyword(.create): return try createStatement()
        case .keyword(.drop): return try dropStatement()
        case .keyword(.explain):
            let analyze = accept(.analyze)
            try expect(.select)
            return .explain(try selectStatement(), analyze: analyze)
        case .keyword(.alter):
            try expect(.retention)
            try expect(.policy)
            return try alterRetentionPolicy()
        case .keyword(.kill):
            try expect(.query)
            return .killQuery(UInt64(try integer(atLeast: 0, atMost: .max)))
        case .keyword(.grant), .keyword(.revoke):
            let privilege = nextSolid()
            guard [.keyword(.read), .keyword(.write), .keyword(.all)].contains(privilege.kind) else {
                throw unexpected(privilege, ["READ", "WRITE", "ALL [PRIVILEGES]"])
            }
            return unserved(token.kind.text)
        case .keyword(.set):
            try expect(.password)
            return unserved("SET PASSWORD")
        default:
            throw unexpected(
                token,
                ["SELECT", "DELETE", "SHOW", "CREATE", "DROP", "EXPLAIN", "GRANT", "REVOKE", "ALTER", "SET", "KILL"])
        }
    }

    /// Skips the rest of a statement that is not served.
    mutating func unserved(_ words: String) -> Statement {
        while true {
            let mark = lexer.mark
            let token = nextSolid()
            if token.kind == .end || token.kind == .semicolon {
                lexer.reset(mark)
                return .unserved(words)
            }
        }
    }
}

/// Tokens.
extension Parser {
    /// The next token, with a bound parameter replaced by its value.
    mutating func next() -> Token {
        var token = lexer.next()
        guard token.kind == .boundParameter, let value = parameters[String(token.literal.dropFirst())] else {
            return token
        }
        switch value {
        case .string(let text): (token.kind, token.literal) = (.string, text)
        case .number(let number): (token.kind, token.literal) = (.number, NumberText.float(number))
        case .integer(let number): (token.kind, token.literal) = (.integer, String(number))
        case .boolean(let flag): (token.kind, token.literal) = (flag ? .true : .false, "")
        case .regex(let text): (token.kind, token.literal) = (.regex, text)
        case .identifier(let text): (token.kind, token.literal) = (.identifier, text)
        case .duration(let text): (token.kind, token.literal) = (.duration, text)
        case .invalid: break
        }
        return token
    }

    /// The next token that is neither whitespace nor a comment.
    mutating func nextSolid() -> Token {
        while true {
            let token = next()
            if token.kind != .whitespace && token.kind != .comment { return token }
        }
    }

    /// Takes the next solid token if it is this one.
    mutating func accept(_ kind: TokenKind) -> Bool {
        let mark = lexer.mark
        if nextSolid().kind == kind { return true }
        lexer.reset(mark)
        return false
    }

    mutating func accept(_ keyword: Keyword) -> Bool { accept(.keyword(keyword)) }

    /// Takes the next token, of whatever kind, if it is this one.
    mutating func acceptImmediately(_ kind: TokenKind) -> Bool {
        let mark = lexer.mark
        if next().kind == kind { return true }
        lexer.reset(mark)
        return false
    }

    mutating func skipWhitespace() {
        let mark = lexer.mark
        if next().kind != .whitespace { lexer.reset(mark) }
    }

    mutating func expect(_ keyword: Keyword) throws(QueryError) {
        try expect(.keyword(keyword), keyword.rawValue)
    }

    mutating func expect(_ kind: TokenKind, _ name: String) throws(QueryError) {
        let token = nextSolid()
        guard token.kind == kind else { throw unexpected(token, [name]) }
    }

    /// The next solid token, which must be one of these words.
    mutating func oneOf(_ keywords: [Keyword]) throws(QueryError) -> Keyword {
        let token = nextSolid()
        guard case .keyword(let keyword) = token.kind, keywords.contains(keyword) else {
            throw unexpected(token, keywords.map(\.rawValue))
        }
        return keyword
    }

    func unexpected(_ token: Token, _ expected: [String]) -> QueryError {
        QueryError(
            .syntax, "found \(token.found), expected \(expected.joined(separator: ", ")) at \(token.position.text)")
    }

    /// Runs `body` one level deeper.
    mutating func nested<Result>(
        _ body: (inout Parser) throws(QueryError) -> Result
    ) throws(QueryError) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw QueryError(.syntax, "expression is nested deeper than \(Self.maximumDepth) levels")
        }
        return try body(&self)
    }
}

/// Names and numbers.
extension Parser {
    mutating func identifier() throws(QueryError) -> String {
        let token = nextSolid()
        guard token.kind == .identifier else { throw unexpected(token, ["identifier"]) }
        return token.literal
    }

    mutating func identifiers() throws(QueryError) -> [String] {
        var names = [try identifier()]
        while accept(.comma) { names.append(try identifier()) }
        return names
    }

    /// Names with dots between them, three at most. Stops behind a dot that a pattern or a colon follows.
    mutating func segments() throws(QueryError) -> [String] {
        var names = [try identifier()]
        while acceptImmediately(.dot) {
            let following = lexer.peek()
            if following == "/" || following == ":" { break }
            names.append(following == "." ? "" : try identifier())
        }
        guard names.count <= 3 else {
            throw QueryError(.syntax, "too many segments in \(Printer.segments(names)) at line 1, char 1")
        }
        return names
    }

    mutating func text() throws(QueryError) -> String {
        let token = nextSolid()
        guard token.kind == .string else { throw unexpected(token, ["string"]) }
        return token.literal
    }

    mutating func integer(atLeast minimum: Int, atMost maximum: Int) throws(QueryError) -> Int {
        let token = nextSolid()
        guard token.kind == .integer else { throw unexpected(token, ["integer"]) }
        guard let value = Int(token.literal) else {
            throw QueryError(
                .syntax,
                "strconv.Atoi: parsing \"\(token.literal)\": value out of range at \(token.position.text)")
        }
        guard value >= minimum, value <= maximum else {
            throw QueryError(
                .syntax,
                "invalid value \(value): must be \(minimum) <= n <= \(maximum) at \(token.position.text)")
        }
        return value
    }

    /// A number behind a word, or 0 without the word.
    mutating func optional(_ keyword: Keyword) throws(QueryError) -> Int {
        guard accept(keyword) else { return 0 }
        let token = nextSolid()
        guard token.kind == .integer else { throw unexpected(token, ["integer"]) }
        return Int(token.literal) ?? .max
    }

    /// A duration; INF is 0.
    mutating func duration() throws(QueryError) -> Int64 {
        let token = nextSolid()
        if token.kind == .keyword(.inf) { return 0 }
        guard token.kind == .duration else { throw unexpected(token, ["duration"]) }
        return try duration(token)
    }

    func duration(_ token: Token) throws(QueryError) -> Int64 {
        do {
            return try DurationText.parse(token.literal)
        } catch {
            throw QueryError(.syntax, "\(error.message) at \(token.position.text)")
        }
    }
}
