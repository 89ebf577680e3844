/// What Go's programs do with texts.
enum GoText {
    static func contains(_ text: String, _ part: String) -> Bool {
        var text = text
        let part = Array(part.utf8)
        return text.withUTF8 { ByteFinder.first(part, in: UnsafeRawBufferPointer($0), from: 0) != nil }
    }

    /// Replaces a part, `most` times at most; all if that is negative. An empty part stands around every character.
    static func replace(_ text: String, _ part: String, by other: String, most: Int) -> String {
        if part.isEmpty { return spread(text, other, most: most) }
        let (bytes, part, other) = (Array(text.utf8), Array(part.utf8), Array(other.utf8))
        var result: [UInt8] = []
        var position = 0
        var count = 0
        bytes.withUnsafeBytes { subject in
            while count != most, let found = ByteFinder.first(part, in: subject, from: position) {
                result += bytes[position..<found]
                result += other
                position = found + part.count
                count += 1
            }
        }
        result += bytes[position...]
        return String(decoding: result, as: UTF8.self)
    }

    private static func spread(_ text: String, _ other: String, most: Int) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count != most {
                result += other
                count += 1
            }
            result.unicodeScalars.append(scalar)
        }
        return count == most ? result : result + other
    }

    /// Without characters of a set at its ends.
    static func trim(_ text: String, _ set: String, start: Bool, end: Bool) -> String {
        let set = Set(set.unicodeScalars)
        var scalars = text.unicodeScalars[...]
        if start { scalars = scalars.drop { set.contains($0) } }
        if end { while let last = scalars.last, set.contains(last) { scalars.removeLast() } }
        return String(scalars)
    }

    static func trimSpace(_ text: String) -> String {
        var scalars = text.unicodeScalars[...].drop { $0.properties.isWhitespace }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }

    static func without(prefix: String, _ text: String) -> String {
        text.utf8.starts(with: prefix.utf8)
            ? String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : text
    }

    static func without(suffix: String, _ text: String) -> String {
        text.utf8.reversed().starts(with: suffix.utf8.reversed())
            ? String(decoding: text.utf8.dropLast(suffix.utf8.count), as: UTF8.self) : text
    }

    /// Every word with a capital.
    static func title(_ text: String) -> String {
        var result = ""
        var isInWord = false
        for character in text {
            result += isInWord ? String(character) : character.uppercased()
            isInWord = character.isLetter || character.isNumber || character == "_" || character == "'"
        }
        return result
    }

    /// The first characters, or the last if the count is negative.
    static func truncate(_ text: String, _ count: Int) -> String {
        let scalars = Array(text.unicodeScalars)
        if count < 0, count > -scalars.count { return string(scalars[(scalars.count + count)...]) }
        return count >= 0 && scalars.count > count ? string(scalars[..<count]) : text
    }

    /// Characters from one place up to another; negative places mean the ends.
    static func part(_ text: String, _ start: Int, _ end: Int) -> String {
        let scalars = Array(text.unicodeScalars)
        if start < 0, end < 0 { return "" }
        let from = min(max(start, 0), scalars.count)
        let to = end < 0 ? scalars.count : min(end, scalars.count)
        return from > to ? "" : string(scalars[from..<to])
    }

    /// Cut or filled up to a width.
    static func align(_ text: String, _ width: Int, left: Bool) -> String {
        let scalars = Array(text.unicodeScalars)
        if width < 0 || width == scalars.count { return text }
        if width > scalars.count {
            let filler = String(repeating: " ", count: width - scalars.count)
            return left ? text + filler : filler + text
        }
        return left ? string(scalars[..<width]) : string(scalars[(scalars.count - width)...])
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    static func indent(_ text: String, _ width: Int) -> String {
        let filler = String(repeating: " ", count: max(0, width))
        return filler + replace(text, "\n", by: "\n" + filler, most: -1)
    }

    /// As a query's parameter in a URL.
    static func urlEncoded(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                result.append(byte)
            case 0x20: result.append(UInt8(ascii: "+"))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%\(digits.count < 2 ? "0" : "")\(digits)".utf8
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func urlDecoded(_ text: String) -> String? {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            rest = rest.dropFirst()
            if byte == UInt8(ascii: "%") {
                let digits = rest.prefix(2)
                guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                    return nil
                }
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let base64Letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func base64(_ text: String) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let group = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            let bits =
                UInt32(group[0]) << 16 | UInt32(group.count > 1 ? group[1] : 0) << 8
                | UInt32(group.count > 2 ? group[2] : 0)
            for place in 0..<4 {
                let letter = base64Letters[Int(bits >> UInt32(18 - 6 * place)) & 63]
                result.append(place <= group.count ? letter : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func fromBase64(_ text: String) -> String? {
        var letters = Array(text.utf8.filter { $0 != 0x0A && $0 != 0x0D })
        guard letters.count % 4 == 0 else { return nil }
        var filler = 0
        while filler < 2, letters.last == UInt8(ascii: "=") {
            letters.removeLast()
            filler += 1
        }
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for letter in letters {
            guard let value = base64Letters.firstIndex(of: letter) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Printing.
extension GoText {
    /// Values one after the other, with a space between two that are both no text.
    static func joined(_ values: [TemplateValue]) -> String {
        var result = ""
        var wasText = true
        for (index, value) in values.enumerated() {
            var isText = false
            if case .text = value { isText = true }
            if index > 0, !isText, !wasText { result += " " }
            result += value.text
            wasText = isText
        }
        return result
    }

    /// A format as printf has it: `%s %d %5.2f %-10s %x %q %v %t %%`.
    static func formatted(_ format: String, _ values: [TemplateValue]) -> String {
        var result = ""
        var values = values[...]
        var rest = Substring(format)
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            let flags = rest.prefix { "-+ 0#".contains($0) }
            rest = rest.dropFirst(flags.count)
            let width = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(width.count)
            var precision: Int?
            if rest.first == "." {
                let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
                rest = rest.dropFirst(digits.count + 1)
                precision = Int(digits) ?? 0
            }
            guard let verb = rest.popFirst() else {
                result += "%!(NOVERB)"
                break
            }
            if verb == "%" {
                result += "%"
            } else if let value = values.popFirst() {
                let text = self.text(value, verb, flags, precision.map { min($0, 1_000) })
                result += padded(text, min(Int(width) ?? 0, 1_000), flags, isNumber: isNumber(value))
            } else {
                result += "%!\(verb)(MISSING)"
            }
        }
        return result + rest
    }

    private static func isNumber(_ value: TemplateValue) -> Bool {
        switch value {
        case .integer, .float: true
        default: false
        }
    }

    private static func padded(_ text: String, _ width: Int, _ flags: Substring, isNumber: Bool) -> String {
        let missing = width - text.unicodeScalars.count
        guard missing > 0 else { return text }
        if flags.contains("-") { return text + String(repeating: " ", count: missing) }
        guard flags.contains("0") else { return String(repeating: " ", count: missing) + text }
        let sign = isNumber && (text.hasPrefix("-") || text.hasPrefix("+")) ? text.prefix(1) : ""
        return sign + String(repeating: "0", count: missing) + text.dropFirst(sign.count)
    }

    private static func text(_ value: TemplateValue, _ verb: Character, _ flags: Substring, _ precision: Int?) -> String
    {
        let plus = flags.contains("+")
        switch (verb, value) {
        case ("v", _), ("s", .text): return precision.map { truncate(value.text, $0) } ?? value.text
        case ("q", .text(let text)): return goQuoted(text)
        case ("t", .boolean): return value.text
        case ("d", .integer(let number)): return plus && number >= 0 ? "+\(number)" : "\(number)"
        case ("x", .integer(let number)): return String(number, radix: 16)
        case ("X", .integer(let number)): return String(number, radix: 16, uppercase: true)
        case ("b", .integer(let number)): return String(number, radix: 2)
        case ("o", .integer(let number)): return String(number, radix: 8)
        case ("x", .text(let text)):
            return text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case ("f", .float(let number)), ("F", .float(let number)):
            let text = GoNumber.fixed(number, digits: min(precision ?? 6, 15))
            return plus && number >= 0 ? "+" + text : text
        case ("g", .float(let number)): return GoNumber.text(number)
        default: return "%!\(verb)(\(typeName(value))=\(value.text))"
        }
    }

    private static func typeName(_ value: TemplateValue) -> String {
        switch value {
        case .nothing: "<nil>"
        case .text: "string"
        case .integer: "int"
        case .float: "float64"
        case .boolean: "bool"
        case .time: "time.Time"
        }
    }
}
