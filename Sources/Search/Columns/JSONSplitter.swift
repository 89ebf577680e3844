import Bytes

/// Finds the slots of a line that is a JSON object: the content of each string value, between its quotes; each number,
/// `true`, `false` and `null`; each array as a whole. Names and punctuation stay literal.
enum JSONSplitter {
    private static let maximumDepth = 16

    /// False if the text is no JSON object as far as a splitter needs it; the buffer is then of no use.
    static func split(_ base: UnsafeRawPointer, _ text: TextRange, into slots: inout SlotBuffer) -> Bool {
        var cursor = Cursor(base: base, place: Int(text.start), end: Int(text.end))
        cursor.skipSpace()
        guard cursor.take(UInt8(ascii: "{")) else { return false }
        var depth = 1
        var isFirst = true
        while depth > 0 {
            cursor.skipSpace()
            if cursor.take(UInt8(ascii: "}")) {
                (depth, isFirst) = (depth - 1, false)
                continue
            }
            if !isFirst {
                guard cursor.take(UInt8(ascii: ",")) else { return false }
                cursor.skipSpace()
            }
            guard cursor.take(UInt8(ascii: "\"")), cursor.skipString(allowingEscapes: false) else { return false }
            cursor.skipSpace()
            guard cursor.take(UInt8(ascii: ":")) else { return false }
            cursor.skipSpace()
            isFirst = cursor.take(UInt8(ascii: "{"))
            if isFirst {
                depth += 1
                guard depth <= maximumDepth else { return false }
            } else if !value(&cursor, &slots) {
                return false
            }
        }
        cursor.skipSpace()
        return cursor.place == cursor.end
    }

    private static func value(_ cursor: inout Cursor, _ slots: inout SlotBuffer) -> Bool {
        guard !slots.isFull, cursor.place < cursor.end else { return false }
        let start = cursor.place
        if cursor.take(UInt8(ascii: "\"")) {
            guard cursor.skipString(allowingEscapes: true) else { return false }
            slots.append(start + 1, cursor.place - 1)
            return true
        }
        if cursor.byte == UInt8(ascii: "[") {
            guard cursor.skipArray() else { return false }
        } else {
            cursor.skipScalar()
            // Whoever reads a field relies on it: what is no scalar ends Loki's parser.
            guard isScalar(UnsafeRawBufferPointer(start: cursor.base + start, count: cursor.place - start)) else {
                return false
            }
        }
        slots.append(start, cursor.place)
        return cursor.place > start
    }

    /// Whether it is a number, `true`, `false` or `null`.
    private static func isScalar(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first else { return false }
        switch first {
        case UInt8(ascii: "t"): return text.elementsEqual("true".utf8)
        case UInt8(ascii: "f"): return text.elementsEqual("false".utf8)
        case UInt8(ascii: "n"): return text.elementsEqual("null".utf8)
        default: break
        }
        var digits = 0
        for (place, byte) in text.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "-"):
                guard place == 0 || text[place - 1] | 0x20 == UInt8(ascii: "e") else { return false }
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"):
                guard digits > 0 else { return false }
            default: return false
            }
        }
        return digits > 0
    }

    struct Cursor {
        let base: UnsafeRawPointer
        var place: Int
        let end: Int

        // Safe because whoever reads it has seen that `place` is in front of `end`.
        var byte: UInt8 { base.load(fromByteOffset: place, as: UInt8.self) }

        @inline(__always)
        mutating func take(_ wanted: UInt8) -> Bool {
            guard place < end, byte == wanted else { return false }
            place &+= 1
            return true
        }

        @inline(__always)
        mutating func skipSpace() {
            while place < end, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { place &+= 1 }
        }

        /// Behind the opening quote; goes behind the closing one.
        @inline(__always)
        mutating func skipString(allowingEscapes: Bool) -> Bool {
            while place < end {
                let byte = byte
                place &+= 1
                if byte == UInt8(ascii: "\"") { return true }
                if byte == UInt8(ascii: "\\") {
                    guard allowingEscapes, place < end else { return false }
                    place &+= 1
                }
            }
            return false
        }

        mutating func skipScalar() {
            while place < end {
                switch byte {
                case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "["),
                    UInt8(ascii: "\""), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
                    return
                default: place &+= 1
                }
            }
        }

        /// Goes behind the bracket that closes the array.
        mutating func skipArray() -> Bool {
            var depth = 0
            while place < end {
                let byte = byte
                place &+= 1
                switch byte {
                case UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 { return true }
                case UInt8(ascii: "\""): guard skipString(allowingEscapes: true) else { return false }
                default: break
                }
            }
            return false
        }
    }
}
