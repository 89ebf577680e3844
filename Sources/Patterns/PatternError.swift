/// Why a regular expression cannot be used.
public struct PatternError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable, CaseIterable {
        /// The text is no regular expression.
        case syntax
        /// A bound (steps, memory) is reached.
        case limitReached
    }

    /// The coarse reason.
    public let code: Code
    /// What is wrong, in the words of Go's regexp.
    public let message: String

    /// Assembles an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
