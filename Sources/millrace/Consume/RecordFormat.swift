import KafkaClient

/// How a record is printed: a text with directives, as kcat has them.
///
/// | directive | what |
/// |---|---|
/// | `%s` `%S` | value; its length in bytes, -1 for a tombstone |
/// | `%k` `%K` | key; its length in bytes, -1 for none |
/// | `%t` `%p` `%o` | topic, partition, offset |
/// | `%T` | timestamp in milliseconds since 1970 |
/// | `%D` | timestamp as RFC 3339 in UTC |
/// | `%h` | headers as `name=value`, separated by commas |
/// | `%R` | length of the value as 4 bytes, big-endian (-1 for a tombstone) |
/// | `%%` | a percent sign |
///
/// `\n`, `\r`, `\t`, `\0`, `\\` and `\xHH` stand for bytes.
struct RecordFormat: Equatable {
    enum Part: Equatable {
        case literal([UInt8])
        case value, valueLength, key, keyLength, topic, partition, offset, timestamp, date, headers, binaryLength
    }

    let parts: [Part]

    /// One value per line.
    static let valueLines = RecordFormat(parts: [.value, .literal([UInt8(ascii: "\n")])])

    /// Why a format cannot be read.
    struct Mistake: Error, Equatable {
        let message: String
    }

    private init(parts: [Part]) { self.parts = parts }

    init(_ text: String) throws(Mistake) {
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        func finishLiteral() {
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
        }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let directive = rest.popFirst() else { throw Mistake(message: "a % stands at the end") }
                if directive == UInt8(ascii: "%") {
                    literal.append(directive)
                } else {
                    finishLiteral()
                    parts.append(try Self.part(directive))
                }
            case UInt8(ascii: "\\"): literal.append(try Self.escape(&rest))
            default: literal.append(byte)
            }
        }
        finishLiteral()
        self.parts = parts
    }

    /// Appends a record in this format.
    func write(_ record: ConsumedRecord, into bytes: inout [UInt8]) {
        for part in parts { write(part, of: record, into: &bytes) }
    }

    private func write(_ part: Part, of record: ConsumedRecord, into bytes: inout [UInt8]) {
        switch part {
        case .literal(let literal): bytes += literal
        case .value: bytes += record.value ?? []
        case .key: bytes += record.key ?? []
        case .valueLength: bytes += "\(record.value?.count ?? -1)".utf8
        case .keyLength: bytes += "\(record.key?.count ?? -1)".utf8
        case .topic: bytes += record.topic.utf8
        case .partition: bytes += "\(record.partition)".utf8
        case .offset: bytes += "\(record.offset)".utf8
        case .timestamp: bytes += "\(record.timestampMilliseconds)".utf8
        case .date: bytes += timestamp(milliseconds: record.timestampMilliseconds).utf8
        case .headers:
            for (index, header) in record.headers.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += header.key.utf8
                bytes.append(UInt8(ascii: "="))
                bytes += header.value ?? Array("NULL".utf8)
            }
        case .binaryLength:
            let length = UInt32(bitPattern: Int32(clamping: record.value?.count ?? -1))
            for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        }
    }

    private static func part(_ directive: UInt8) throws(Mistake) -> Part {
        switch directive {
        case UInt8(ascii: "s"): .value
        case UInt8(ascii: "S"): .valueLength
        case UInt8(ascii: "k"): .key
        case UInt8(ascii: "K"): .keyLength
        case UInt8(ascii: "t"): .topic
        case UInt8(ascii: "p"): .partition
        case UInt8(ascii: "o"): .offset
        case UInt8(ascii: "T"): .timestamp
        case UInt8(ascii: "D"): .date
        case UInt8(ascii: "h"): .headers
        case UInt8(ascii: "R"): .binaryLength
        default:
            throw Mistake(
                message:
                    "%\(Character(Unicode.Scalar(directive))) is unknown; there are %s %S %k %K %t %p %o %T %D %h %R %%"
            )
        }
    }

    private static func escape(_ rest: inout ArraySlice<UInt8>) throws(Mistake) -> UInt8 {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): return UInt8(ascii: "\n")
        case UInt8(ascii: "r"): return UInt8(ascii: "\r")
        case UInt8(ascii: "t"): return UInt8(ascii: "\t")
        case UInt8(ascii: "0"): return 0
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "x"):
            let digits = rest.prefix(2)
            rest = rest.dropFirst(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                throw Mistake(message: "\\x needs two hexadecimal digits")
            }
            return value
        default: throw Mistake(message: "a backslash needs n, r, t, 0, x or another backslash")
        }
    }
}
