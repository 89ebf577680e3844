/// Why an operation of the client failed.
///
/// `code` is what programs decide by, `message` is what a person reads, `brokerCode` is Kafka's own error code when
/// a broker refused (https://kafka.apache.org/protocol#protocol_error_codes).
public struct KafkaClientError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons.
    public enum Code: Sendable, Hashable {
        /// No broker could be reached, or a connection broke and the operation could not be repeated in time.
        case connection
        /// The deadline passed. Whether the broker applied the operation is unknown unless `message` says so.
        case timedOut
        /// The broker speaks no version of the protocol that the operation needs.
        case unsupported
        /// A broker answered with an error; `brokerCode` tells which.
        case refused
        /// The topic or partition does not exist.
        case unknownTopic
        /// The offset to read from does not exist, and the policy is to stop there.
        case offsetOutOfRange
        /// What a broker sent cannot be read: a truncated frame, a wrong checksum, an unknown codec.
        case malformed
        /// An argument is outside its limits; nothing was sent.
        case invalid
        /// A bounded buffer stayed full until the deadline, or too many callers were already waiting for it.
        case bufferFull
        /// The client, producer or consumer was closed.
        case closed
        /// The task that waited was cancelled. What it waited for may still happen.
        case cancelled
    }

    /// The coarse reason.
    public let code: Code
    /// What happened, to what, and where possible what to do about it.
    public let message: String
    /// Kafka's numeric error code, if a broker gave one.
    public let brokerCode: Int16?
    /// What caused it, if another error did.
    public let cause: (any Error)?

    /// Assembles an error.
    public init(_ code: Code, _ message: String, brokerCode: Int16? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.brokerCode = brokerCode
        self.cause = cause
    }

    /// The message, followed by the cause.
    public var description: String {
        guard let cause else { return message }
        return "\(message): \(cause)"
    }
}
