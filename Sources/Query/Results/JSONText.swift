/// JSON as Go's encoding/json writes it.
public enum JSONText {
    private static let hexadecimal: [UInt8] = Array("0123456789abcdef".utf8)

    /// Appends a string in quotes. `<`, `>`, `&`, U+2028 and U+2029 are escaped, as Go does for HTML's sake; bytes that
    /// are no UTF-8 become U+FFFD.
    public static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                if let escape = escape(byte) {
                    bytes.append(contentsOf: text[start..<index])
                    escape.withUTF8Buffer { bytes.append(contentsOf: $0) }
                    start = index + 1
                } else if byte < 0x20 || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
                    || byte == UInt8(ascii: "&")
                {
                    bytes.append(contentsOf: text[start..<index])
                    bytes.append(contentsOf: [0x5C, 0x75, 0x30, 0x30])
                    bytes.append(hexadecimal[Int(byte >> 4)])
                    bytes.append(hexadecimal[Int(byte & 15)])
                    start = index + 1
                }
                index += 1
                continue
            }
            let length = sequence(text, index)
            if length == 0 {
                bytes.append(contentsOf: text[start..<index])
                bytes.append(contentsOf: "\\ufffd".utf8)
                index += 1
                start = index
            } else if length == 3, byte == 0xE2, text[index + 1] == 0x80, text[index + 2] & 0xFE == 0xA8 {
                bytes.append(contentsOf: text[start..<index])
                bytes.append(contentsOf: (text[index + 2] == 0xA8 ? "\\u2028" : "\\u2029").utf8)
                index += 3
                start = index
            } else {
                index += length
            }
        }
        bytes.append(contentsOf: text[start..<text.count])
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a string in quotes.
    public static func append(_ text: String, to bytes: inout [UInt8]) {
        append(Array(text.utf8), to: &bytes)
    }

    /// Appends a string in quotes.
    public static func append(_ text: [UInt8], to bytes: inout [UInt8]) {
        text.withUnsafeBytes { append($0, to: &bytes) }
    }

    private static func escape(_ byte: UInt8) -> StaticString? {
        switch byte {
        case UInt8(ascii: "\""): "\\\""
        case UInt8(ascii: "\\"): "\\\\"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\r"): "\\r"
        case UInt8(ascii: "\t"): "\\t"
        default: nil
        }
    }

    /// The length of the UTF-8 sequence at an index; 0 if it is none.
    private static func sequence(_ text: UnsafeRawBufferPointer, _ index: Int) -> Int {
        func following(_ distance: Int) -> UInt8 {
            index + distance < text.count ? text[index + distance] : 0
        }
        func continues(_ distance: Int) -> Bool { following(distance) & 0xC0 == 0x80 }
        let (first, second) = (text[index], following(1))
        switch first {
        case 0xC2...0xDF: return continues(1) ? 2 : 0
        case 0xE0...0xEF:
            guard continues(1), continues(2) else { return 0 }
            return (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ? 0 : 3
        case 0xF0...0xF4:
            guard continues(1), continues(2), continues(3) else { return 0 }
            return (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F) ? 0 : 4
        default: return 0
        }
    }
}

/// Lays compact JSON out over lines, as Go's MarshalIndent does with four spaces. Takes it in pieces.
struct JSONIndenter {
    private var depth = 0
    private var insideString = false
    private var escaped = false
    private var opened = false

    mutating func append(_ compact: [UInt8], to bytes: inout [UInt8]) {
        for byte in compact {
            if insideString {
                bytes.append(byte)
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    insideString = false
                }
                continue
            }
            let closes = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            if closes { depth -= 1 }
            if opened != closes { if opened || closes { breakLine(&bytes) } }
            opened = false
            bytes.append(byte)
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                opened = true
            case UInt8(ascii: ","): breakLine(&bytes)
            case UInt8(ascii: ":"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "\""): insideString = true
            default: break
            }
        }
    }

    private func breakLine(_ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 4 * depth))
    }
}
