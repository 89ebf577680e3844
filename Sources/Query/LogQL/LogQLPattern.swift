import Patterns

/// The regular expressions of LogQL.
enum LogQLPattern {
    /// A pattern of a whole text, as matchers have it; `.` is any character.
    static func whole(_ text: String) throws(QueryError) -> Pattern {
        // The error is about what the user wrote, not about what is made of it.
        _ = try QueryError.pattern(text)
        return try QueryError.pattern("^(?s:" + text + ")$")
    }
}

/// Parsers that are refused with the query's text.
extension LogQLParser {
    /// A pattern of the parser `regexp`: it compiles, and names a group.
    func checkedRegexp(_ text: String) throws(QueryError) -> String {
        let names: [String]
        do throws(QueryError) {
            names = try QueryError.pattern(text).groupNames.compactMap { $0 }
        } catch {
            throw .logQL("invalid regexp parser: \(error.message)")
        }
        guard !names.isEmpty else {
            throw .logQL("invalid regexp parser: at least one named capture must be supplied")
        }
        for (place, name) in names.enumerated() where names[..<place].contains(name) {
            throw .logQL("invalid regexp parser: duplicate extracted label name '\(name)'")
        }
        return text
    }

    /// A pattern of the parser `pattern`.
    func checkedPattern(_ text: String) throws(QueryError) -> String {
        do throws(QueryError) {
            _ = try LinePattern(parser: text)
        } catch {
            throw .logQL("invalid pattern parser: \(error.message)")
        }
        return text
    }
}

/// What the grammar alone does not refuse.
enum LogQLValidation {
    private static let matcherRequired = """
        queries require at least one regexp or equality matcher that does not have an empty-compatible value. For \
        instance, app=~".*" does not meet this requirement, but app=~".+" will
        """

    static func check(_ query: LogQLQuery, needsMatcher: Bool = true) throws(QueryError) {
        guard needsMatcher else { return }
        switch query {
        case .lines(let selector): try check(selector)
        case .metric(let expression): try check(expression)
        }
    }

    private static func check(_ expression: MetricExpression) throws(QueryError) {
        switch expression {
        case .literal, .vector: return
        case .range(let range): try check(range.range.selector)
        case .aggregation(let aggregation): try check(aggregation.operand)
        case .labelReplace(let replacement): try check(replacement.operand)
        case .binary(let operation):
            try check(operation.left)
            try check(operation.right)
        }
    }

    /// A selector that would take every stream is refused.
    private static func check(_ selector: LogSelector) throws(QueryError) {
        for matcher in selector.matchers {
            switch matcher.operation {
            case .equal: if !matcher.value.isEmpty { return }
            case .notEqual: if matcher.value.isEmpty { return }
            case .matches: if try !LogQLPattern.whole(matcher.value).matches([]) { return }
            case .matchesNot: if try LogQLPattern.whole(matcher.value).matches([]) { return }
            }
        }
        throw .logQL(matcherRequired)
    }
}
