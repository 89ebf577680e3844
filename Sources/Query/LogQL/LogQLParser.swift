/// Reads a query.
public enum LogQL {
    /// The longest query, in bytes, as Loki.
    public static let maximumBytes = 131_072

    /// The deepest nesting of a query's parentheses.
    static let maximumDepth = 100

    /// Parses a query.
    ///
    /// - Parameter needsMatcher: whether one matcher at least must exclude streams without its label, as in Loki.
    /// - Throws: `syntax` with Loki's words and place: "parse error at line 1, col 5: syntax error: …".
    public static func parse(_ text: String, needsMatcher: Bool = true) throws(QueryError) -> LogQLQuery {
        var parser = try LogQLParser(text)
        let query = try parser.query()
        try LogQLValidation.check(query, needsMatcher: needsMatcher)
        return query
    }

    /// Parses a selector of streams alone, `{app="x"}`, as the API's `match[]` has it.
    ///
    /// - Parameter needsMatcher: whether one matcher at least must exclude streams without its label.
    public static func parseMatchers(_ text: String, needsMatcher: Bool = true) throws(QueryError) -> [LogMatcher] {
        var parser = try LogQLParser(text)
        let query = try parser.query()
        guard case .lines(let selector) = query, selector.stages.isEmpty else {
            throw .logQL("only label matchers are supported")
        }
        try LogQLValidation.check(query, needsMatcher: needsMatcher)
        return selector.matchers
    }
}

/// A recursive descent over the tokens.
struct LogQLParser {
    private var lexer: LogQLLexer
    /// The token that comes next.
    private(set) var token: LogQLToken
    /// What is wrong with an expression whose text is right: told only if the rest of the text is right too.
    private var deferred: (start: Int, error: QueryError)?
    private var consumed = 0
    private var depth = 0

    init(_ text: String) throws(QueryError) {
        guard text.utf8.count < LogQL.maximumBytes else {
            throw .logQL("input size too long (\(text.utf8.count) > \(LogQL.maximumBytes))")
        }
        lexer = LogQLLexer(text)
        token = try lexer.next()
    }

    mutating func query() throws(QueryError) -> LogQLQuery {
        let query = try expression(above: 0)
        guard token.kind == .end else { throw unexpected() }
        if let deferred { throw deferred.error }
        return query
    }

    /// How many tokens were taken: where an expression begins.
    var place: Int { consumed }

    /// Remembers what is wrong; the error of an enclosing expression goes before those within it.
    mutating func postpone(_ message: String, from start: Int) {
        if let deferred, deferred.start < start { return }
        deferred = (start, .logQL(message))
    }

    /// Takes a token.
    @discardableResult
    mutating func advance() throws(QueryError) -> LogQLToken {
        let taken = token
        token = try lexer.next()
        consumed += 1
        return taken
    }

    /// Takes a token of one kind.
    @discardableResult
    mutating func take(_ kind: LogQLToken.Kind, or others: LogQLToken.Kind...) throws(QueryError) -> LogQLToken {
        guard token.kind == kind else { throw unexpected([kind] + others) }
        return try advance()
    }

    /// Takes a token of one kind if it comes next.
    mutating func takes(_ kind: LogQLToken.Kind) throws(QueryError) -> Bool {
        guard token.kind == kind else { return false }
        try advance()
        return true
    }

    /// The error for the next token. More than four expected kinds are not told.
    func unexpected(_ expected: [LogQLToken.Kind] = []) -> QueryError {
        var message = "syntax error: unexpected \(token.kind.rawValue)"
        if !expected.isEmpty, expected.count <= 4 {
            let order = LogQLToken.Kind.allCases
            let sorted = order.filter(expected.contains)
            message += ", expecting " + sorted.map(\.rawValue).joined(separator: " or ")
        }
        return .logQL(message, token.line, token.column)
    }

    mutating func enter() throws(QueryError) {
        depth += 1
        guard depth <= LogQL.maximumDepth else {
            throw .logQL("query is nested deeper than \(LogQL.maximumDepth)", token.line, token.column)
        }
    }

    mutating func leave() { depth -= 1 }
}

/// Selectors and names.
extension LogQLParser {
    /// `{a="b", …}`.
    mutating func matchers() throws(QueryError) -> [LogMatcher] {
        try take(.openBrace)
        if try takes(.closeBrace) { return [] }
        guard token.kind == .identifier else { throw unexpected([.identifier, .closeBrace]) }
        var result = [try matcher()]
        while try !takes(.closeBrace) {
            guard try takes(.comma) else { throw unexpected([.closeBrace, .comma]) }
            result.append(try matcher())
        }
        return result
    }

    /// `a="b"`, with the pattern checked.
    private mutating func matcher() throws(QueryError) -> LogMatcher {
        let name = try take(.identifier).text
        guard let operation = LogMatcher.Operation(rawValue: token.kind.rawValue) else {
            throw unexpected([.equal, .matches, .matchesNot, .notEqual])
        }
        try advance()
        return try checked(LogMatcher(name, operation, try take(.string).text))
    }

    /// A matcher whose pattern, if it has one, is a regular expression.
    func checked(_ matcher: LogMatcher) throws(QueryError) -> LogMatcher {
        guard matcher.operation == .matches || matcher.operation == .matchesNot else { return matcher }
        do throws(QueryError) {
            _ = try LogQLPattern.whole(matcher.value)
        } catch {
            throw .logQL(error.message)
        }
        return matcher
    }

    /// `(a, b)` behind `by`, `on` and their like.
    mutating func names() throws(QueryError) -> [String] {
        try take(.openParenthesis)
        if try takes(.closeParenthesis) { return [] }
        guard token.kind == .identifier else { throw unexpected([.identifier, .closeParenthesis]) }
        var result = [try advance().text]
        while try !takes(.closeParenthesis) {
            guard try takes(.comma) else { throw unexpected([.comma, .closeParenthesis]) }
            result.append(try take(.identifier).text)
        }
        return result
    }

    /// `by (a)` or `without (a)`, if it comes next.
    mutating func grouping() throws(QueryError) -> Grouping? {
        guard token.kind == .by || token.kind == .without else { return nil }
        let isWithout = try advance().kind == .without
        return Grouping(try names(), isWithout: isWithout)
    }
}
