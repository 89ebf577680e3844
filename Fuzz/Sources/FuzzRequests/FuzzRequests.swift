import Bytes
import FuzzDriver
import Glibc
import KafkaWire

/// Feeds bytes to the decoders of every request and response, to those of the headers, and to those of what consumers
/// tell each other.
///
/// Byte 0 chooses the message, byte 1 its version; the rest is the body. What decodes must encode to bytes that
/// decode to the same.
@main
enum FuzzRequests {
    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzRequests.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ bytes: UnsafeRawBufferPointer) {
        decodeHeaders(bytes)
        decodeConsumerProtocol([UInt8](bytes))
        guard bytes.count >= 2 else { return }
        let apis = ApiKey.allCases
        let api = apis[Int(bytes[0] >> 1) % apis.count]
        let body = UnsafeRawBufferPointer(rebasing: bytes[2...])
        if bytes[0] & 1 == 0 {
            decode(api.request, bytes[1], body)
        } else {
            decode(api.response, bytes[1], body)
        }
    }

    private static func decodeHeaders(_ bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        _ = try? RequestHeader(decoding: &reader)
        reader = ByteReader(bytes)
        _ = try? ResponseHeader(decoding: &reader, headerVersion: 1)
    }

    private static func decodeConsumerProtocol(_ bytes: [UInt8]) {
        if let subscription = try? ConsumerProtocolSubscription(decoding: bytes),
            (try? ConsumerProtocolSubscription(decoding: subscription.encoded())) != subscription
        {
            fatalError("what was encoded does not decode: \(subscription)")
        }
        if let assignment = try? ConsumerProtocolAssignment(decoding: bytes),
            (try? ConsumerProtocolAssignment(decoding: assignment.encoded())) != assignment
        {
            fatalError("what was encoded does not decode: \(assignment)")
        }
    }

    private static func decode<Message: KafkaMessage>(
        _ type: Message.Type, _ selector: UInt8, _ body: UnsafeRawBufferPointer
    ) {
        let version = type.versions.lowerBound + Int16(selector) % Int16(type.versions.count)
        var reader = ByteReader(body)
        guard let decoded = try? type.init(decoding: &reader, version: version) else { return }
        let message = takingRecords(decoded, from: body)
        var writer = ByteWriter()
        message.encode(into: &writer, version: version)
        let again = writer.array().withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            guard let again = try? type.init(decoding: &reader, version: version), reader.isAtEnd else {
                fatalError("\(type) version \(version): what was encoded does not decode: \(message)")
            }
            return takingRecords(again, from: bytes)
        }
        guard again == message else { fatalError("\(type) version \(version): \(message) became \(again)") }
    }

    /// The message with copies of the records that it borrowed from the frame.
    private static func takingRecords<Message: KafkaMessage>(
        _ message: Message, from frame: UnsafeRawBufferPointer
    ) -> Message {
        if var request = message as? ProduceRequest {
            for topic in request.topicData.indices {
                for partition in request.topicData[topic].partitionData.indices {
                    request.topicData[topic].partitionData[partition].records.take(from: frame)
                }
            }
            return request as? Message ?? message
        }
        if var response = message as? FetchResponse {
            for topic in response.responses.indices {
                for partition in response.responses[topic].partitions.indices {
                    response.responses[topic].partitions[partition].records.take(from: frame)
                }
            }
            return response as? Message ?? message
        }
        return message
    }
}

extension RecordsField {
    fileprivate mutating func take(from frame: UnsafeRawBufferPointer) {
        if case .frame(let range) = self { self = .bytes([UInt8](frame[range])) }
    }
}
