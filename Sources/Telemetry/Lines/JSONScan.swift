/// Finding one's way in JSON without building anything. Lenient where Loki's parser is: what stands inside arrays is not
/// looked at, and neither is what follows the object.
enum JSONScan {
    /// The position of the next byte that is no white space, or nil.
    @inline(__always)
    static func skipSpace(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        var position = start
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return position
            }
        }
        return nil
    }

    /// The position of a string's closing quote; `start` is behind the opening one.
    @inline(__always)
    static func stringEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> (end: Int, isEscaped: Bool)? {
        var position = start
        var isEscaped = false
        while true {
            position = ByteSearch.firstOf(UInt8(ascii: "\""), UInt8(ascii: "\\"), in: bytes, from: position)
            guard position < bytes.count else { return nil }
            if bytes[position] == UInt8(ascii: "\"") { return (position, isEscaped) }
            isEscaped = true
            position += 2
            guard position <= bytes.count else { return nil }
        }
    }

    /// The position behind the bracket that closes the one at `start`. Only brackets of this kind are counted.
    static func blockEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int, open: UInt8, close: UInt8) -> Int? {
        var depth = 0
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                guard let string = stringEnd(bytes, position + 1) else { return nil }
                position = string.end
            } else if byte == open {
                depth += 1
            } else if byte == close {
                depth -= 1
                if depth == 0 { return position + 1 }
            }
            position += 1
        }
        return nil
    }

    /// The position behind a number or a word.
    @inline(__always)
    static func tokenEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var position = start
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): return position
            default: position += 1
            }
        }
        return position
    }

    /// What kind of value stands somewhere.
    enum Kind {
        case string(isEscaped: Bool)
        case number
        case boolean
        case null
        case object
        case array
    }

    /// A value: its kind, where it stands (a string's without its quotes) and where it ends.
    struct Value {
        var kind: Kind
        var range: Range<Int>
        var end: Int
    }

    /// The value at a position that holds no white space.
    @inline(__always)
    static func value(_ bytes: UnsafeRawBufferPointer, _ start: Int) throws(FieldFailure) -> Value {
        switch bytes[start] {
        case UInt8(ascii: "\""):
            guard let string = stringEnd(bytes, start + 1) else { throw .malformedString }
            return Value(
                kind: .string(isEscaped: string.isEscaped), range: start + 1..<string.end, end: string.end + 1)
        case UInt8(ascii: "{"):
            guard let end = blockEnd(bytes, start, open: UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
                throw .malformedObject
            }
            return Value(kind: .object, range: start..<end, end: end)
        case UInt8(ascii: "["):
            guard let end = blockEnd(bytes, start, open: UInt8(ascii: "["), close: UInt8(ascii: "]")) else {
                throw .malformedArray
            }
            return Value(kind: .array, range: start..<end, end: end)
        default: return try token(bytes, start)
        }
    }

    private static func token(_ bytes: UnsafeRawBufferPointer, _ start: Int) throws(FieldFailure) -> Value {
        let end = tokenEnd(bytes, start)
        let kind: Kind
        switch bytes[start] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): kind = .number
        case UInt8(ascii: "t") where isWord(bytes, start..<end, "true"): kind = .boolean
        case UInt8(ascii: "f") where isWord(bytes, start..<end, "false"): kind = .boolean
        case UInt8(ascii: "n") where isWord(bytes, start..<end, "null"): kind = .null
        default: throw .unknownValue
        }
        return Value(kind: kind, range: start..<end, end: end)
    }

    private static func isWord(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ word: StaticString) -> Bool {
        word.withUTF8Buffer {
            ByteOrder.equal(UnsafeRawBufferPointer(rebasing: bytes[range]), UnsafeRawBufferPointer($0))
        }
    }
}

/// Looking for bytes, eight at a time.
enum ByteSearch {
    /// The first position that holds one of two bytes, or the count.
    @inline(__always)
    static func firstOf(_ a: UInt8, _ b: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (manyA, manyB) = (ones &* UInt64(a), ones &* UInt64(b))
        var position = start
        while position &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let hits = zeroBytes(word ^ manyA) | zeroBytes(word ^ manyB)
            if hits != 0 { return position &+ hits.trailingZeroBitCount / 8 }
            position &+= 8
        }
        while position < bytes.count, bytes[position] != a, bytes[position] != b { position &+= 1 }
        return min(position, bytes.count)
    }

    /// The high bit of each byte that is zero; the lowest one that is set is right.
    @inline(__always)
    private static func zeroBytes(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }

    /// Whether a byte above 127 is among them.
    @inline(__always)
    static func hasHighBit(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        var all: UInt64 = 0
        while position &+ 8 <= bytes.count {
            all |= bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            position &+= 8
        }
        if all & 0x8080_8080_8080_8080 != 0 { return true }
        while position < bytes.count {
            if bytes[position] >= 0x80 { return true }
            position &+= 1
        }
        return false
    }
}
