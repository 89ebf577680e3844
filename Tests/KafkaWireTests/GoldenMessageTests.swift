import Bytes
import FoundationEssentials
import KafkaWire
import Testing

/// A line of a file in `Golden`, which `Golden/make_messages.py` writes from Kafka's own definitions.
struct GoldenMessage {
    var name: String
    var version: Int16
    var isFull: Bool
    var bytes: [UInt8]

    static func all(in file: String) throws -> [GoldenMessage] {
        let directory = #filePath.prefix(through: #filePath.lastIndex(of: "/") ?? #filePath.startIndex)
        let text = try String(contentsOfFile: directory + "Golden/\(file)", encoding: .utf8)
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 4, let version = Int16(words[1]) else { return nil }
            return GoldenMessage(
                name: String(words[0]), version: version, isFull: words[2] == "full", bytes: hex(String(words[3])))
        }
    }
}

/// What a full message holds in a field of this name; see `make_messages.py`.
private struct NamedValue {
    let name: String
    let hash: UInt32
    var wide: UInt64 { UInt64(hash) << 32 | UInt64(hash) }

    init(_ name: String) {
        self.name = name
        hash = name.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }

    /// Whether `value` is the one for the name; for arrays and structures, the same of everything in them.
    func matches(_ value: Any) -> Bool {
        switch value {
        case let value as Int8: value == Int8(truncatingIfNeeded: hash & 0x7F)
        case let value as Int16: value == Int16(truncatingIfNeeded: hash & 0x7FFF)
        case let value as Int32: value == Int32(truncatingIfNeeded: hash & 0x7FFF_FFFF)
        case let value as Int64: value == Int64(wide & UInt64(Int64.max))
        case let value as Bool: value
        case let value as String: value == name
        case let value as ErrorCode: matches(value.rawValue)
        case let value as Uuid: value == Uuid(high: wide, low: ~wide)
        case let value as RecordsField: value == .bytes(Array(name.utf8))
        case let value as [UInt8]: value == Array(name.utf8)
        case let value as [Any]: value.count == 2 && value.allSatisfy(matches)
        case let value as any RandomValue: mismatches(in: value).isEmpty
        default: Mirror(reflecting: value).children.first.map { matches($0.value) } ?? false
        }
    }
}

/// The fields of a structure that hold neither what their name says nor, because the version lacks them, the default.
///
/// That a field which the version has was not left at its default follows from encoding the same bytes again.
func mismatches(in structure: any RandomValue) -> [String] {
    let fresh = Mirror(reflecting: type(of: structure).init()).children
    return zip(Mirror(reflecting: structure).children, fresh).compactMap { field, fresh in
        let name = field.label ?? ""
        let isDefault = "\(field.value)" == "\(fresh.value)"
        return isDefault || NamedValue(name).matches(field.value) ? nil : "\(name): \(field.value)"
    }
}

struct GoldenMessageTests {
    @Test func everyMessageOfKafkasDefinitionsIsReadAndWrittenByteForByte() throws {
        let messages = try GoldenMessage.all(in: "messages.txt")
        for golden in messages {
            let type = try #require(randomMessageTypes.first { "\($0)" == golden.name })
            try check(type, golden)
        }
        let versions = randomMessageTypes.reduce(0) { $0 + $1.versions.count }
        #expect(messages.count == 2 * versions, "a message for every version, full and null")
    }

    private func check<Message: RandomMessage>(_ type: Message.Type, _ golden: GoldenMessage) throws {
        let message = try decode(type, golden.bytes, golden.version)
        #expect(encode(message, golden.version) == golden.bytes, "\(golden.name) \(golden.version)")
        guard golden.isFull else { return }
        #expect(mismatches(in: message).isEmpty, "\(golden.name) \(golden.version)")
    }
}
