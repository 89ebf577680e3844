/// Why something of a view failed.
public struct ViewError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable, CaseIterable {
        /// The file system is full; later attempts may succeed.
        case noSpace
        /// The device failed.
        case storage
        /// Stored bytes do not verify.
        case damaged
        /// A newer version of Millrace wrote it.
        case formatTooNew
        /// Another writer committed this version of the manifest.
        case conflict
        /// The uncovered log has reached its bound: ingest is refused until the view has caught up.
        case holdFull
        /// No such view, topic or partition.
        case unknown
        /// A bound is reached, which the message names.
        case limitReached
        /// The time to wait is over.
        case timedOut
        /// The view is stopped, paused, or its topic is gone.
        case closed
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
