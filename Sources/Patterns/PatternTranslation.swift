/// Rewrites RE2's syntax for PCRE2, and refuses what RE2 lacks: back references, lookaround, possessive and atomic groups,
/// conditions, recursion, verbs, comments.
struct PatternTranslation {
    private let source: [UInt8]
    private let text: String
    private var index = 0
    private var result: [UInt8] = []
    private var insideClass = false

    init(_ text: String) {
        self.text = text
        source = Array(text.utf8)
    }

    mutating func translate() throws(PatternError) -> [UInt8] {
        guard source.count <= Pattern.maximumBytes else {
            throw PatternError(.syntax, "error parsing regexp: expression is longer than \(Pattern.maximumBytes) bytes")
        }
        result.reserveCapacity(source.count + 16)
        while index < source.count {
            switch source[index] {
            case UInt8(ascii: "\\"): try escape()
            case UInt8(ascii: "[") where !insideClass: openClass()
            case UInt8(ascii: "[") where peek(1) == UInt8(ascii: ":"): copyNamedClass()
            case UInt8(ascii: "[") where insideClass:
                result.append(UInt8(ascii: "\\"))
                copy(1)
            case UInt8(ascii: "]") where insideClass:
                insideClass = false
                copy(1)
            case UInt8(ascii: "(") where !insideClass: try group()
            case UInt8(ascii: "{") where !insideClass: try count()
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "}"):
                if insideClass { copy(1) } else { try repetition() }
            default: copy(1)
            }
        }
        return result
    }

    private func peek(_ distance: Int) -> UInt8? {
        index + distance < source.count ? source[index + distance] : nil
    }

    private mutating func copy(_ count: Int) {
        result.append(contentsOf: source[index..<min(source.count, index + count)])
        index += count
    }

    private func refuse(_ reason: String, _ range: Range<Int>) -> PatternError {
        let part = String(decoding: source[range.clamped(to: 0..<source.count)], as: UTF8.self)
        return PatternError(.syntax, "error parsing regexp: \(reason): `\(part)`")
    }

    /// `[`, `[^`, and a `]` that stands first, which is a character.
    private mutating func openClass() {
        insideClass = true
        copy(1)
        if peek(0) == UInt8(ascii: "^") { copy(1) }
        if peek(0) == UInt8(ascii: "]") {
            result.append(UInt8(ascii: "\\"))
            copy(1)
        }
    }

    /// `[:alpha:]` inside a class.
    private mutating func copyNamedClass() {
        var end = index + 2
        while end + 1 < source.count, source[end] != UInt8(ascii: ":") || source[end + 1] != UInt8(ascii: "]") {
            end += 1
        }
        if end + 1 < source.count {
            copy(end + 2 - index)
        } else {
            result.append(UInt8(ascii: "\\"))
            copy(1)
        }
    }

    private mutating func escape() throws(PatternError) {
        guard let letter = peek(1) else { throw refuse("trailing backslash at end of expression", 0..<0) }
        switch letter {
        case UInt8(ascii: "s") where insideClass: replace("\\t\\n\\f\\r ")
        case UInt8(ascii: "s"): replace("[\\t\\n\\f\\r ]")
        case UInt8(ascii: "S") where !insideClass: replace("[^\\t\\n\\f\\r ]")
        case UInt8(ascii: "v"): replace("\\x0b")
        case UInt8(ascii: "Q"): quoted()
        case UInt8(ascii: "1")...UInt8(ascii: "9"): try octal()
        case UInt8(ascii: "A"), UInt8(ascii: "z"), UInt8(ascii: "b"), UInt8(ascii: "B"):
            if insideClass { throw refuse("invalid escape sequence", index..<index + 2) }
            copy(2)
        case UInt8(ascii: "a"), UInt8(ascii: "d"), UInt8(ascii: "D"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "p"), UInt8(ascii: "P"), UInt8(ascii: "r"), UInt8(ascii: "S"), UInt8(ascii: "t"),
            UInt8(ascii: "w"), UInt8(ascii: "W"), UInt8(ascii: "x"), UInt8(ascii: "0"):
            copy(2)
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            throw refuse("invalid escape sequence", index..<index + 2)
        case 0x80...:
            // A character beyond ASCII stands for itself.
            index += 1
            copy(1)
        default: copy(2)
        }
    }

    private mutating func replace(_ replacement: StaticString) {
        replacement.withUTF8Buffer { result.append(contentsOf: $0) }
        index += 2
    }

    /// `\Q…\E`: each character for itself.
    private mutating func quoted() {
        index += 2
        while index < source.count {
            if source[index] == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "E") {
                index += 2
                return
            }
            let isWord = source[index] >= 0x80 || Self.isWordByte(source[index])
            if !isWord { result.append(UInt8(ascii: "\\")) }
            copy(1)
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// `\123` is a character; `\1` alone would be a back reference.
    private mutating func octal() throws(PatternError) {
        let isDigit = { (byte: UInt8?) in byte.map { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "7") } ?? false }
        guard isDigit(peek(1)), isDigit(peek(2)) else { throw refuse("invalid escape sequence", index..<index + 2) }
        copy(isDigit(peek(3)) ? 4 : 3)
    }

    /// `(`, `(?:`, `(?flags)`, `(?flags:`, `(?P<name>`.
    private mutating func group() throws(PatternError) {
        guard peek(1) != UInt8(ascii: "*") else {
            throw refuse("missing argument to repetition operator", index + 1..<index + 2)
        }
        guard peek(1) == UInt8(ascii: "?") else { return copy(1) }
        if peek(2) == UInt8(ascii: "P"), peek(3) == UInt8(ascii: "<") { return copy(4) }
        var end = index + 2
        while end < source.count, [UInt8]("imsU-".utf8).contains(source[end]) { end += 1 }
        guard end < source.count else { throw refuse("missing argument to repetition operator", index + 1..<index + 2) }
        guard source[end] == UInt8(ascii: ":") || (source[end] == UInt8(ascii: ")") && end > index + 2) else {
            throw refuse("invalid or unsupported Perl syntax", index..<end + 1)
        }
        copy(end + 1 - index)
    }

    /// `{2,5}`: RE2 counts to a thousand.
    private mutating func count() throws(PatternError) {
        var end = index + 1
        var numbers = [0]
        while end < source.count, source[end] == UInt8(ascii: ",") || (source[end] >= 48 && source[end] <= 57) {
            if source[end] == UInt8(ascii: ",") {
                numbers.append(0)
            } else {
                numbers[numbers.count - 1] = min(10_000, numbers[numbers.count - 1] * 10 + Int(source[end] - 48))
            }
            end += 1
        }
        if end < source.count, source[end] == UInt8(ascii: "}"), numbers.contains(where: { $0 > 1_000 }) {
            throw refuse("invalid repeat count", index..<end + 1)
        }
        copy(1)
    }

    /// A repetition; another may not follow, which PCRE2 would take for a possessive one.
    private mutating func repetition() throws(PatternError) {
        let start = index
        copy(1)
        if start > 0, peek(0) == UInt8(ascii: "?") { copy(1) }
        guard let following = peek(0), following == UInt8(ascii: "*") || following == UInt8(ascii: "+") else { return }
        if source[start] == UInt8(ascii: "}"), !source[..<start].contains(UInt8(ascii: "{")) { return }
        throw refuse("invalid nested repetition operator", start..<index + 1)
    }
}
