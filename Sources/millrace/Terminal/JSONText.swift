/// Writes JSON (RFC 8259) into a byte buffer: objects and arrays by nesting closures, commas by itself.
struct JSONText {
    private(set) var bytes: [UInt8]
    private var needsComma = false

    init(into bytes: [UInt8] = []) { self.bytes = bytes }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// `{…}`
    mutating func object(_ members: (inout JSONText) -> Void) { nest("{", "}", members) }

    /// `[…]`
    mutating func array(_ elements: (inout JSONText) -> Void) { nest("[", "]", elements) }

    /// The name of the member whose value follows.
    mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func value(_ text: String) {
        separate()
        quote(text)
    }

    mutating func value(_ number: Int64) { literal("\(number)") }

    /// Infinite and undefined numbers, which JSON lacks, become null.
    mutating func value(_ number: Double) { literal(number.isFinite ? "\(number)" : "null") }

    mutating func value(_ truth: Bool) { literal(truth ? "true" : "false") }

    mutating func null() { literal("null") }

    mutating func member(_ name: String, _ text: String?) {
        key(name)
        if let text { value(text) } else { null() }
    }

    mutating func member(_ name: String, _ number: Int64?) {
        key(name)
        if let number { value(number) } else { null() }
    }

    /// Bytes: as text if they are UTF-8, otherwise in base64 under the name with `_base64` appended.
    mutating func member(_ name: String, bytes content: [UInt8]?) {
        guard let content else { return member(name, nil as String?) }
        if let text = String(validating: content, as: UTF8.self) {
            member(name, text)
        } else {
            key(name + "_base64")
            separate()
            bytes.append(UInt8(ascii: "\""))
            Base64.encode(content, into: &bytes)
            bytes.append(UInt8(ascii: "\""))
            needsComma = true
        }
    }

    /// Ends a line of JSON lines.
    mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    private mutating func nest(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONText) -> Void) {
        separate()
        bytes.append(UInt8(ascii: open))
        needsComma = false
        body(&self)
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\r"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case UInt8(ascii: "\t"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            case 0..<0x20, 0x7f:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes += [Self.hexadecimal[Int(byte >> 4)], Self.hexadecimal[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}

/// Base64 with padding (RFC 4648 section 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ source: [UInt8], into target: inout [UInt8]) {
        for start in stride(from: 0, to: source.count, by: 3) {
            let group = source[start..<min(start + 3, source.count)]
            var bits = group.reduce(0) { $0 << 8 | UInt32($1) }
            bits <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let digit = alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63]
                target.append(place <= group.count ? digit : UInt8(ascii: "="))
            }
        }
    }

    /// Nil if the text is not base64; padding may be missing.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        var digits = Array(text.utf8)
        while digits.last == UInt8(ascii: "=") { digits.removeLast() }
        guard digits.count % 4 != 1 else { return nil }
        for digit in digits {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }
}
