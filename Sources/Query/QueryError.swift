import Patterns

/// Why a query failed.
public struct QueryError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable, CaseIterable {
        /// The text is no statement: HTTP 400.
        case syntax
        /// A statement that cannot run: the error stands in its result.
        case execution
        /// A bound (time, memory, series, points) is reached: the error stands in the statement's result.
        case limitReached
        /// The client went, or the server stops.
        case cancelled
    }

    /// The coarse reason.
    public let code: Code
    /// What is wrong, in the words that the language's original uses where it has some.
    public let message: String
    /// The error that led to this one.
    public let cause: (any Error)?

    /// Assembles an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// "MESSAGE (CAUSE)".
    public var description: String { "\(message)\(cause.map { " (\($0))" } ?? "")" }
}

extension QueryError {
    /// What is wrong with a regular expression of a query.
    init(_ error: PatternError) {
        switch error.code {
        case .syntax: self.init(.syntax, error.message)
        case .limitReached: self.init(.limitReached, error.message)
        }
    }

    /// Compiles a regular expression of a query.
    static func pattern(_ text: String) throws(QueryError) -> Pattern {
        do throws(PatternError) { return try Pattern(text) } catch { throw QueryError(error) }
    }
}
