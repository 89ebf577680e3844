public import View

/// Why something of the search engine failed. Rejected lines are no errors: they are `Rejection`s.
public struct SearchError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable, CaseIterable {
        /// Stored bytes do not verify.
        case damaged
        /// A newer version of Millrace wrote it.
        case formatTooNew
        /// A bound is reached, which the message names.
        case limitReached
        /// The device failed.
        case storage
        /// The caller asks for what cannot be.
        case invalid
    }

    /// The coarse reason.
    public let code: Code
    /// What failed and where, for a person.
    public let message: String
    /// The error that led to this one.
    public let cause: (any Error)?

    /// Assembles an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// "CODE: MESSAGE (CAUSE)".
    public var description: String { "\(code): \(message)\(cause.map { " (\($0))" } ?? "")" }
}

extension ViewError {
    /// The error of the engine of lines as the runner of views knows it.
    public init(_ error: SearchError) {
        if let view = error.cause as? ViewError {
            self = view
            return
        }
        let code: Code =
            switch error.code {
            case .damaged: .damaged
            case .formatTooNew: .formatTooNew
            case .limitReached: .limitReached
            case .storage, .invalid: .storage
            }
        self.init(code, error.message, cause: error.cause)
    }
}
