/// Text in double quotes as Go writes it: what LogQL, Prometheus and the keys of log records use.
public enum QuotedText {
    /// Text between double quotes; what is not printable is escaped.
    public static func quote(_ text: String) -> String {
        var result = "\""
        result.reserveCapacity(text.utf8.count + 2)
        for scalar in text.unicodeScalars { append(scalar, to: &result) }
        result += "\""
        return result
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\u{7}": result += "\\a"
        case "\u{8}": result += "\\b"
        case "\u{C}": result += "\\f"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{B}": result += "\\v"
        // What stands for bytes that are no text must not look like them.
        case "\u{FFFD}": result += "\\ufffd"
        default:
            if isPrintable(scalar) {
                result.unicodeScalars.append(scalar)
            } else if scalar.value < 0x80 {
                result += "\\x" + hex(scalar.value, 2)
            } else {
                result += scalar.value < 0x10000 ? "\\u" + hex(scalar.value, 4) : "\\U" + hex(scalar.value, 8)
            }
        }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value >= 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    private static func hex(_ number: UInt32, _ width: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// What stands between quotes of a kind, without them; nil if an escape is none of Go's, or a line ends in it.
    ///
    /// - Parameter quote: the quote around it: that one may be escaped.
    public static func unquote(_ text: UnsafeRawBufferPointer, quote: UInt8 = UInt8(ascii: "\"")) -> String? {
        guard text.contains(UInt8(ascii: "\\")) else {
            return text.contains(0x0A) ? nil : String(decoding: text, as: UTF8.self)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let byte = text[position]
            if byte == 0x0A { return nil }
            if byte == UInt8(ascii: "\\") {
                guard let length = unescape(text, position, quote, &bytes) else { return nil }
                position += length
            } else {
                bytes.append(byte)
                position += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends what an escape means; its length.
    private static func unescape(
        _ text: UnsafeRawBufferPointer, _ position: Int, _ quote: UInt8, _ bytes: inout [UInt8]
    ) -> Int? {
        guard position + 1 < text.count else { return nil }
        let letter = text[position + 1]
        switch letter {
        case UInt8(ascii: "a"): bytes.append(7)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "v"): bytes.append(11)
        case UInt8(ascii: "\\"), quote: bytes.append(letter)
        case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"):
            let digits = letter == UInt8(ascii: "x") ? 2 : letter == UInt8(ascii: "u") ? 4 : 8
            guard let number = number(text, position + 2, digits, radix: 16) else { return nil }
            if digits == 2 {
                bytes.append(UInt8(truncatingIfNeeded: number))
            } else {
                guard let scalar = Unicode.Scalar(number) else { return nil }
                bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
            return digits + 2
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            guard let number = number(text, position + 1, 3, radix: 8), number < 256 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: number))
            return 4
        default: return nil
        }
        return 2
    }

    private static func number(
        _ text: UnsafeRawBufferPointer, _ start: Int, _ count: Int, radix: UInt32
    ) -> UInt32? {
        guard start + count <= text.count else { return nil }
        return UInt32(String(decoding: text[start..<start + count], as: UTF8.self), radix: Int(radix))
    }
}
