/// Why bytes from outside are not what they should be.
public struct DecodeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable, CaseIterable {
        /// The bytes are not of the format.
        case malformed
        /// A bound is reached, which the message names.
        case limitReached
    }

    /// The coarse reason.
    public let code: Code
    /// What is wrong and where, for a person.
    public let message: String

    /// Assembles an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
