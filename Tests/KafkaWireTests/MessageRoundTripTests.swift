import Bytes
import KafkaWire
import Testing

struct MessageRoundTripTests {
    @Test(arguments: randomMessageTypes.indices)
    func everyMessageInEveryVersionComesBackEqual(_ index: Int) throws {
        try roundTrip(randomMessageTypes[index])
    }

    private func roundTrip<Message: RandomMessage>(_ type: Message.Type) throws {
        for version in type.versions {
            for seed in 0..<12 as Range<UInt64> {
                var source = RandomSource(seed: seed)
                let message = type.random(&source, version)
                let bytes = encode(message, version)
                let decoded = try decode(type, bytes, version)
                #expect(decoded == message, "version \(version), seed \(seed)")
                #expect(encode(decoded, version) == bytes, "version \(version), seed \(seed)")
            }
        }
    }

    @Test(arguments: randomMessageTypes.indices)
    func everyTruncationIsAnErrorAndNoTrap(_ index: Int) throws {
        try truncate(randomMessageTypes[index])
    }

    private func truncate<Message: RandomMessage>(_ type: Message.Type) throws {
        for version in type.versions {
            var source = RandomSource(seed: 7, longArrays: 0)
            let bytes = encode(type.random(&source, version), version)
            for count in 0..<bytes.count {
                let decoded = try? decode(type, Array(bytes[..<count]), version, leavingBytes: true)
                if decoded != nil { Issue.record("version \(version): \(count) of \(bytes.count) bytes are enough") }
            }
        }
    }

    @Test(arguments: randomMessageTypes.indices)
    func changedBytesNeverTrap(_ index: Int) {
        change(randomMessageTypes[index])
    }

    private func change<Message: RandomMessage>(_ type: Message.Type) {
        for version in type.versions {
            for seed in 0..<60 as Range<UInt64> {
                var source = RandomSource(seed: seed)
                var bytes = encode(type.random(&source, version), version)
                guard !bytes.isEmpty else { continue }
                for _ in 0...source.below(3) {
                    let byte: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(source.below(256))]
                    bytes[source.below(bytes.count)] = byte[source.below(6)]
                }
                _ = try? decode(type, bytes, version, leavingBytes: true)
            }
        }
    }
}

/// The body's bytes.
func encode(_ message: some KafkaMessage, _ version: Int16) -> [UInt8] {
    var writer = ByteWriter(capacity: 16)
    message.encode(into: &writer, version: version)
    return writer.array()
}

/// Decodes a body; copies records out of it. Every byte must be read unless `leavingBytes`.
@discardableResult
func decode<Message: RandomMessage>(
    _ type: Message.Type, _ bytes: [UInt8], _ version: Int16, leavingBytes: Bool = false
) throws -> Message {
    try bytes.withUnsafeBytes { frame in
        var reader = ByteReader(frame)
        var message = try type.init(decoding: &reader, version: version)
        #expect(reader.isAtEnd || leavingBytes)
        message.takeRecords(from: frame)
        return message
    }
}
