public import Bytes

/// A request or response body of Kafka's protocol. The conforming types are generated (see `Generated/`).
///
/// A fresh value holds Kafka's default in every field. Encoding writes the fields that exist in the version and
/// leaves out the others; decoding leaves absent fields at their defaults.
public protocol KafkaMessage: Sendable, Equatable {
    /// The API key that request and response share.
    static var apiKey: Int16 { get }
    /// The versions that can be encoded and decoded: those of Kafka 4.3.
    static var versions: ClosedRange<Int16> { get }
    /// The version of the header in front of this message: requests 1 or 2, responses 0 or 1.
    static func headerVersion(_ version: Int16) -> Int16
    /// Whether a version has compact lengths and tagged fields (KIP-482).
    static func isFlexible(_ version: Int16) -> Bool

    /// A message with Kafka's defaults.
    init()
    /// Decodes a body. Never traps, whatever the bytes; throws codes `.malformedMessage`, `.limitExceeded` and
    /// `.unsupportedVersion`. Bytes after the message are left in the reader.
    init(decoding reader: inout ByteReader, version: Int16) throws(WireError)
    /// Appends the body. A version outside `versions` is a programming error and traps.
    func encode(into writer: inout ByteWriter, version: Int16)
}

/// A request body.
public protocol KafkaRequest: KafkaMessage {
    /// What the broker answers.
    associatedtype Response: KafkaResponse
}

/// A response body.
public protocol KafkaResponse: KafkaMessage {}
