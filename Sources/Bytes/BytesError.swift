/// Bytes that are not what they should be: too few, malformed, or more than a limit allows.
public struct BytesError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable {
        /// The bytes end before the value does.
        case truncated
        /// The bytes cannot be the value that was asked for.
        case malformed
        /// A stated limit (elements, decompressed bytes) would be exceeded.
        case limitExceeded
    }

    /// The coarse reason.
    public let code: Code
    /// What was read, where, and what was wrong with it.
    public let message: String
    /// The error underneath, if there is one.
    public let cause: (any Error)?

    /// Assembles an error.
    public init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, followed by its cause.
    public var description: String {
        if let cause { "\(message): \(cause)" } else { message }
    }
}

extension BytesError {
    // Out of line, so that the inlined happy paths stay small.
    @usableFromInline @inline(never)
    static func truncated(needed: Int, position: Int, remaining: Int) -> BytesError {
        BytesError(code: .truncated, message: "\(needed) bytes needed at byte \(position), \(remaining) remain")
    }

    @usableFromInline @inline(never)
    static func malformed(_ what: StaticString, position: Int) -> BytesError {
        BytesError(code: .malformed, message: "\(what) at byte \(position)")
    }

    @usableFromInline @inline(never)
    static func tooManyElements(count: Int, position: Int, remaining: Int) -> BytesError {
        BytesError(
            code: .limitExceeded,
            message: "an array of \(count) elements at byte \(position), \(remaining) more are allowed in this message")
    }
}
