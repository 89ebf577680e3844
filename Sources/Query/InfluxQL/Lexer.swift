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
        let pair = String(String.UnicodeScalarView([scalar] + (current.map { [$0] } ?? [])))
        switch pair {
        case "=~", "!~", "!=", ">=", "<=", "<>":
            advance()
            return Token(kind: .operation(Operator(rawValue: pair) ?? .notEqual), position: start)
        case "::":
            advance()
            return Token(kind: .doubleColon, position: start)
        default: break
        }
        switch scalar {
        case "(": return Token(kind: .openParenthesis, position: start)
        case ")": return Token(kind: .closeParenthesis, position: start)
        case ",": return Token(kind: .comma, position: start)
        case ";": return Token(kind: .semicolon, position: start)
        case ":": return Token(kind: .colon, position: start)
        case ".": return Token(kind: .dot, position: start)
        default:
            if let operation = Operator(rawValue: String(scalar)) {
                return Token(kind: .operation(operation), position: start)
            }
            return Token(kind: .illegal, position: start, literal: String(scalar))
        }
    }

    private mutating func whitespace(_ start: TextPosition) -> Token {
        var text = String.UnicodeScalarView()
        while let scalar = peek(), isWhitespace(scalar) {
            text.append(scalar)
            advance()
        }
        return Token(kind: .whitespace, position: start, literal: String(text))
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
        var text = String.UnicodeScalarView()
        while let scalar = peek() {
            if scalar == "\"" {
                let quoted = string()
                guard quoted.kind == .string else { return quoted }
                return Token(kind: .identifier, position: start, literal: quoted.literal)
            }
            guard isLetter(scalar) || isDigit(scalar) || scalar == "_" else { break }
            text.append(scalar)
            advance()
        }
        let literal = String(text)
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
        var text = String.UnicodeScalarView()
        while let scalar = current, isDigit(scalar) {
            text.append(scalar)
            advance()
        }
        return String(text)
    }
}

/// What a bare word is, if not a name.
func reservedKind(_ word: String) -> TokenKind? {
    // The longest word with a meaning has 13 letters.
    guard word.utf8.count <= 13 else { return nil }
    switch word.uppercased() {
    case "TRUE": return .true
    case "FALSE": return .false
    case "AND": return .operation(.and)
    case "OR": return .operation(.or)
    case let upper: return Keyword.byText[upper].map { .keyword($0) }
    }
}

func isWhitespace(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\n" }

func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    (scalar >= "a" && scalar <= "z") || (scalar >= "A" && scalar <= "Z")
}

func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }
