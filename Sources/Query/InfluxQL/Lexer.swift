/// Cuts the text of a query into tokens.
///
/// Positions are InfluxDB's, with its quirks, because clients show them: a string stands where the character before its
/// quote does, and the end of the text is one further if something has already looked at it.
struct Lexer {
    /// A place to which the lexer can go back.
    struct Mark {
        fileprivate var index: Int
        fileprivate var position: TextPosition
        fileprivate var previous: TextPosition
        fileprivate var sawEnd: Bool
    }

    /// The text in Unicode scalars; line ends are all "\n".
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var position = TextPosition()
    private var previous = TextPosition()
    private var sawEnd = false
    /// The last two tokens: the parser goes back over a space and a word whenever a clause is not the one it tried.
    private var known: (Known?, Known?)

    /// A token that was read, and where that led to.
    private struct Known {
        let start: Int
        let token: Token
        let end: Mark
    }

    init(_ text: String) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count)
        var afterReturn = false
        for scalar in text.unicodeScalars {
            if scalar == "\r" {
                scalars.append("\n")
            } else if !(scalar == "\n" && afterReturn) {
                scalars.append(scalar)
            }
            afterReturn = scalar == "\r"
        }
        self.scalars = scalars
    }

    var mark: Mark { Mark(index: index, position: position, previous: previous, sawEnd: sawEnd) }

    mutating func reset(_ mark: Mark) {
        (index, position, previous, sawEnd) = (mark.index, mark.position, mark.previous, mark.sawEnd)
    }

    /// The next character, or nil at the end (a NUL counts as the end). Remembers that the end was seen.
    mutating func peek() -> Unicode.Scalar? {
        let scalar = current
        if scalar == nil { sawEnd = true }
        return scalar
    }

    private var current: Unicode.Scalar? {
        guard index < scalars.count, scalars[index] != "\0" else { return nil }
        return scalars[index]
    }

    private var following: Unicode.Scalar? {
        guard index + 1 < scalars.count, scalars[index + 1] != "\0" else { return nil }
        return scalars[index + 1]
    }

    private mutating func advance() {
        previous = position
        if scalars[index] == "\n" {
            position.line += 1
            position.column = 0
        } else {
            position.column += 1
        }
        index += 1
    }

    /// The next token.
    mutating func next() -> Token {
        let start = position
        guard let scalar = current else {
            return Token(
                kind: .end, position: TextPosition(line: start.line, column: start.column + (sawEnd ? 1 : 0)))
        }
        let sawBefore = sawEnd
        defer { sawEnd = sawEnd || sawBefore }
        if let token = known.0?.start == index ? known.0 : known.1?.start == index ? known.1 : nil {
            reset(token.end)
            return token.token
        }
        sawEnd = false
        let first = index
        let token = read(scalar, start)
        known = (Known(start: first, token: token, end: mark), known.0)
        return token
    }

    private mutating func read(_ scalar: Unicode.Scalar, _ start: TextPosition) -> Token {
        if isWhitespace(scalar) { return whitespace(start) }
        if isLetter(scalar) || scalar == "_" || scalar == "\"" { return identifier(start, reserved: true) }
        if isDigit(scalar) { return number(start) }
        switch scalar {
        case "'": return string()
        case ".":
            if let following, isDigit(following) { return number(start) }
        case "$":
            advance()
            let name = identifier(start, reserved: false)
            let kind = name.kind == .identifier ? .boundParameter : name.kind
            return Token(kind: kind, position: start, literal: "$" + name.literal)
        case "-":
            if following == "-" { return lineComment(start) }
        case "/":
            if following == "*" { return blockComment(start) }
        default: break
        }
        return symbol(scalar, start)
    }

    private mutating func symbol(_ scalar: Unicode.Scalar, _ start: TextPosition) -> Token {
        advance()
        if let current, let kind = Self.kind(scalar, current) {
            advance()
            return Token(kind: kind, position: start)
        }
        if let kind = Self.kind(scalar) { return Token(kind: kind, position: start) }
        return Token(kind: .illegal, position: start, literal: String(scalar))
    }

    /// What two characters are together.
    private static func kind(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> TokenKind? {
        switch (first, second) {
        case ("=", "~"): .operation(.matches)
        case ("!", "~"): .operation(.matchesNot)
        case ("!", "="), ("<", ">"): .operation(.notEqual)
        case (">", "="): .operation(.greaterOrEqual)
        case ("<", "="): .operation(.lessOrEqual)
        case (":", ":"): .doubleColon
        default: nil
        }
    }

    /// What a character is alone.
    private static func kind(_ scalar: Unicode.Scalar) -> TokenKind? {
        switch scalar {
        case "(": .openParenthesis
        case ")": .closeParenthesis
        case ",": .comma
        case ";": .semicolon
        case ":": .colon
        case ".": .dot
        case "+": .operation(.add)
        case "-": .operation(.subtract)
        case "*": .operation(.multiply)
        case "/": .operation(.divide)
        case "%": .operation(.modulo)
        case "&": .operation(.bitwiseAnd)
        case "|": .operation(.bitwiseOr)
        case "^": .operation(.bitwiseXor)
        case "=": .operation(.equal)
        case "<": .operation(.less)
        case ">": .operation(.greater)
        default: nil
        }
    }

    private mutating func whitespace(_ start: TextPosition) -> Token {
        let first = index
        while let scalar = peek(), isWhitespace(scalar) { advance() }
        return Token(kind: .whitespace, position: start, literal: ascii(from: first))
    }

    private mutating func lineComment(_ start: TextPosition) -> Token {
        while let scalar = peek() {
            advance()
            if scalar == "\n" { break }
        }
        return Token(kind: .comment, position: start)
    }

    private mutating func blockComment(_ start: TextPosition) -> Token {
        advance()
        advance()
        while let scalar = peek() {
            if scalar == "*", following == "/" {
                advance()
                advance()
                return Token(kind: .comment, position: start)
            }
            advance()
        }
        return Token(kind: .illegal, position: start)
    }
}

/// Names, numbers, strings and patterns.
extension Lexer {
    private mutating func identifier(_ start: TextPosition, reserved: Bool) -> Token {
        let first = index
        while let scalar = peek() {
            if scalar == "\"" {
                let quoted = string()
                guard quoted.kind == .string else { return quoted }
                return Token(kind: .identifier, position: start, literal: quoted.literal)
            }
            guard isLetter(scalar) || isDigit(scalar) || scalar == "_" else { break }
            advance()
        }
        let literal = ascii(from: first)
        if reserved, let kind = reservedKind(literal) { return Token(kind: kind, position: start) }
        return Token(kind: .identifier, position: start, literal: literal)
    }

    /// A string up to the quote that it began with.
    private mutating func string() -> Token {
        let start = previous
        guard let ending = current else { return Token(kind: .badString, position: start) }
        advance()
        var text = String.UnicodeScalarView()
        while let scalar = peek() {
            advance()
            if scalar == ending { return Token(kind: .string, position: start, literal: String(text)) }
            if scalar == "\n" { break }
            guard scalar == "\\" else {
                text.append(scalar)
                continue
            }
            let escaped = peek()
            if escaped != nil { advance() }
            switch escaped {
            case "n": text.append("\n")
            case "\\", "\"", "'": text.append(escaped ?? "\\")
            default:
                let literal = "\\" + (escaped.map { String($0) } ?? "\0")
                return Token(kind: .badEscape, position: previous, literal: literal)
            }
        }
        return Token(kind: .badString, position: start, literal: String(text))
    }

    /// The pattern between two slashes; "\/" stands for a slash, every other escape stays as it is.
    mutating func regex() -> Token {
        let start = previous
        advance()
        var text = String.UnicodeScalarView()
        while let scalar = peek(), scalar != "\n" {
            advance()
            if scalar == "/" { return Token(kind: .regex, position: start, literal: String(text)) }
            if scalar == "\\", current == "/" {
                text.append("/")
                advance()
            } else {
                text.append(scalar)
            }
        }
        return Token(kind: .badRegex, position: start)
    }

    private mutating func number(_ start: TextPosition) -> Token {
        var text = digits()
        if current == "." {
            advance()
            if let scalar = current, isDigit(scalar) {
                text += "." + digits()
            }
            return Token(kind: .number, position: start, literal: text)
        }
        guard let scalar = current, isLetter(scalar) || scalar == "µ" else {
            return Token(kind: .integer, position: start, literal: text)
        }
        while let scalar = current, isLetter(scalar) || isDigit(scalar) || scalar == "µ" {
            text.unicodeScalars.append(scalar)
            advance()
        }
        return Token(kind: .duration, position: start, literal: text)
    }

    private mutating func digits() -> String {
        let first = index
        while let scalar = current, isDigit(scalar) { advance() }
        return ascii(from: first)
    }

    /// The text from an index up to here, all of it ASCII.
    private func ascii(from first: Int) -> String {
        String(unsafeUninitializedCapacity: index - first) { bytes in
            for place in first..<index { bytes[place - first] = UInt8(truncatingIfNeeded: scalars[place].value) }
            return index - first
        }
    }
}

/// What a bare word is, if not a name.
func reservedKind(_ word: String) -> TokenKind? { ReservedWord(word).flatMap { ReservedWord.kinds[$0] } }

/// A word of ASCII in upper case, up to 13 bytes of it, which is what the longest word with a meaning has. Cheaper to
/// look up than a String.
private struct ReservedWord: Hashable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init?(_ word: String) {
        guard word.utf8.count <= 13 else { return nil }
        for byte in word.utf8 {
            guard byte < 0x80 else { return nil }
            let upper = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte - 32 : byte
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(upper)
        }
    }

    static let kinds: [ReservedWord: TokenKind] = {
        var kinds: [ReservedWord: TokenKind] = [:]
        func add(_ text: String, _ kind: TokenKind) {
            guard let word = ReservedWord(text) else { preconditionFailure("a keyword that is too long: \(text)") }
            kinds[word] = kind
        }
        for keyword in Keyword.allCases { add(keyword.rawValue, .keyword(keyword)) }
        add("TRUE", .true)
        add("FALSE", .false)
        add("AND", .operation(.and))
        add("OR", .operation(.or))
        return kinds
    }()
}

func isWhitespace(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\n" }

func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    (scalar >= "a" && scalar <= "z") || (scalar >= "A" && scalar <= "Z")
}

func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }
