import Bytes

/// Bytes that are not the message or the record batch that they should be.
public struct WireError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable {
        /// A message that ends too early or whose bytes make no sense.
        case malformedMessage
        /// An API version that this side cannot decode.
        case unsupportedVersion
        /// A record batch whose checksum, size or layout is wrong (Kafka: CORRUPT_MESSAGE).
        case corruptBatch
        /// A record batch that is intact but states something that is not allowed (Kafka: INVALID_RECORD).
        case invalidBatch
        /// A record batch whose timestamps are of a kind that is not allowed (Kafka: INVALID_TIMESTAMP).
        case invalidTimestamp
        /// A record batch of a format older than v2 (Kafka: UNSUPPORTED_FOR_MESSAGE_FORMAT).
        case unsupportedFormat
        /// A compression codec that does not exist (Kafka: UNSUPPORTED_COMPRESSION_TYPE).
        case unsupportedCompression
        /// More bytes or elements than a stated limit (Kafka: MESSAGE_TOO_LARGE).
        case limitExceeded
    }

    /// The coarse reason.
    public let code: Code
    /// What was being decoded, and what was wrong with it.
    public let message: String
    /// The error underneath, if there is one.
    public let cause: (any Error)?

    /// Assembles an error.
    public init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The code of Kafka's protocol that tells a client the same.
    public var errorCode: ErrorCode {
        switch code {
        case .malformedMessage: .invalidRequest
        case .unsupportedVersion: .unsupportedVersion
        case .corruptBatch: .corruptMessage
        case .invalidBatch: .invalidRecord
        case .invalidTimestamp: .invalidTimestamp
        case .unsupportedFormat: .unsupportedForMessageFormat
        case .unsupportedCompression: .unsupportedCompressionType
        case .limitExceeded: .messageTooLarge
        }
    }

    /// The message, followed by its cause.
    public var description: String {
        if let cause { "\(message): \(cause)" } else { message }
    }
}

extension WireError {
    /// A message of `type` that could not be decoded.
    @inline(never)
    static func decoding(_ type: StaticString, version: Int16, _ cause: BytesError) -> WireError {
        WireError(
            code: cause.code == .limitExceeded ? .limitExceeded : .malformedMessage,
            message: "\(type) version \(version)", cause: cause)
    }

    /// A version that the generated code does not know.
    @inline(never)
    static func version(_ type: StaticString, _ version: Int16, _ known: ClosedRange<Int16>) -> WireError {
        WireError(
            code: .unsupportedVersion,
            message: "\(type) version \(version); known are \(known.lowerBound) to \(known.upperBound)")
    }
}
