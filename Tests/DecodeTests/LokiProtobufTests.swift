import Decode
import Telemetry
import Testing

/// Writes protobuf messages.
struct Message {
    private(set) var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    func with(_ number: UInt64, _ content: [UInt8]) -> Message {
        var message = self
        message.varint(number << 3 | 2)
        message.varint(UInt64(content.count))
        message.bytes += content
        return message
    }

    func with(_ number: UInt64, _ text: String) -> Message { with(number, Array(text.utf8)) }
    func with(_ number: UInt64, _ message: Message) -> Message { with(number, message.bytes) }

    func with(_ number: UInt64, _ value: Int64) -> Message {
        var message = self
        message.varint(number << 3)
        message.varint(UInt64(bitPattern: value))
        return message
    }

    func with(fixed number: UInt64, bits: Int) -> Message {
        var message = self
        message.varint(number << 3 | (bits == 64 ? 1 : 5))
        message.bytes += Array(repeating: 7, count: bits / 8)
        return message
    }
}

@Suite struct LokiProtobufTests {
    private func decode(_ message: Message) throws -> [String] {
        rendered(try message.bytes.withUnsafeBytes { try LokiProtobuf.decode($0) })
    }

    private func entry(_ seconds: Int64, _ nanos: Int64, _ line: String) -> Message {
        Message().with(1, Message().with(1, seconds).with(2, nanos)).with(2, line)
    }

    private var push: Message {
        let pair = Message().with(1, "trace").with(2, "abc")
        let stream = Message().with(1, #"{host="y", app="x"}"#).with(2, entry(1_700_000_000, 5, "one"))
            .with(2, entry(0, 7, "").with(3, pair).with(fixed: 9, bits: 64)).with(3, 42).with(fixed: 8, bits: 32)
        return Message().with(1, stream).with(2, "format").with(1, Message().with(1, #"{a="b"}"#))
    }

    @Test func aPushIsRead() throws {
        #expect(
            try decode(push) == [
                #"{app="x",host="y"} 1700000000000000005 one"#, #"{app="x",host="y"} 7  trace=abc"#, #"{a="b"} -"#,
            ])
        #expect(try decode(Message()) == [])
        #expect(
            try decode(Message().with(1, Message().with(1, "{}").with(2, entry(-1, 0, "old")))) == [
                "{} -1000000000 old"
            ])
    }

    @Test func badLabelsStandBesideGoodOnes() throws {
        let bad = Message().with(1, "{a-b=\"x\"}").with(2, entry(1, 0, "lost"))
        let found = try decode(Message().with(1, bad).with(1, Message().with(1, #"{a="b"}"#).with(2, entry(1, 0, "x"))))
        #expect(found.first == #"{a="b"} 1000000000 x"#)
        #expect(
            found.last?.hasPrefix("failure: Error parsing labels '{a-b=\"x\"}' with error: 1:3: parse error") == true)
    }

    @Test func timesThatDoNotFitAreRefused() {
        let stream = Message().with(1, #"{a="b"}"#).with(2, entry(.max, 0, "x"))
        #expect(throws: DecodeError.self) { try decode(Message().with(1, stream)) }
    }

    @Test(
        arguments: [
            [8], [0], [0x0A], [0x0A, 5, 1], [0x0B], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
            Array(repeating: 0xFF, count: 12), [0x12, 0xFF], [0x11, 1, 2],
        ] as [[UInt8]])
    func whatIsNoMessageIsRefused(_ bytes: [UInt8]) {
        let error = #expect(throws: DecodeError.self) { try bytes.withUnsafeBytes { try LokiProtobuf.decode($0) } }
        #expect(error?.code == .malformed)
    }

    @Test func damagedMessagesTrapNothing() {
        let bytes = push.bytes
        for count in bytes.indices {
            _ = Array(bytes[..<count]).withUnsafeBytes { try? LokiProtobuf.decode($0) }
        }
        for place in bytes.indices {
            for byte in UInt8.min...UInt8.max {
                var damaged = bytes
                damaged[place] = byte
                _ = damaged.withUnsafeBytes { try? LokiProtobuf.decode($0) }
            }
        }
    }
}
