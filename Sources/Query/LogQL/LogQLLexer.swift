import Telemetry

/// Cuts the text of a query into tokens. Positions are Loki's, with its quirks, because clients show them.
struct LogQLLexer {
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    private var column = 1

    /// - Parameter text: the query; bytes that are no UTF-8 have become U+FFFD.
    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    private func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        index + distance < scalars.count ? scalars[index + distance] : nil
    }

    private mutating func advance() {
        if scalars[index] == "\n" {
            line += 1
            column = 1
        } else {
            column += 1
        }
        index += 1
    }

    /// The next token.
    ///
    /// - Throws: "parse error at …" if the text is none.
    mutating func next() throws(QueryError) -> LogQLToken {
        skipSpaceAndComments()
        var token = LogQLToken(kind: .end, line: line, column: column)
        guard let scalar = peek() else { return token }
        if Self.isLetter(scalar) {
            word(&token)
        } else if Self.isDigit(scalar) || (scalar == "." && peek(1).map(Self.isDigit) == true) {
            number(&token)
        } else if scalar == "\"" || scalar == "`" {
            try string(&token, quote: scalar)
        } else if scalar == "[" {
            try range(&token)
        } else {
            sign(&token, scalar)
        }
        return token
    }

    private mutating func skipSpaceAndComments() {
        while let scalar = peek() {
            if scalar == "#" {
                while let scalar = peek(), scalar != "\n" {
                    _ = scalar
                    advance()
                }
            } else if scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" {
                advance()
            } else {
                return
            }
        }
    }

    private mutating func word(_ token: inout LogQLToken) {
        let start = index
        while let scalar = peek(), Self.isLetter(scalar) || scalar.properties.generalCategory == .decimalNumber {
            advance()
        }
        token.text = text(start)
        let lowered = token.text.lowercased()
        if let function = LogQLToken.functions[lowered] {
            token.kind = isFunction ? function : .identifier
        } else {
            token.kind = LogQLToken.keywords[lowered] ?? .identifier
        }
    }

    /// Whether `(`, `by (` or `without (` follows.
    private var isFunction: Bool {
        var place = index
        func skipSpace() {
            while place < scalars.count, scalars[place].properties.isWhitespace { place += 1 }
        }
        skipSpace()
        guard place < scalars.count else { return false }
        if scalars[place] == "(" { return true }
        for word in ["by", "without"] {
            let end = place + word.count
            guard end <= scalars.count else { continue }
            guard String(String.UnicodeScalarView(scalars[place..<end])).lowercased() == word else { continue }
            place = end
            skipSpace()
            return place < scalars.count && scalars[place] == "("
        }
        return false
    }

    private func text(_ start: Int) -> String { String(String.UnicodeScalarView(scalars[start..<index])) }

    private mutating func sign(_ token: inout LogQLToken, _ scalar: Unicode.Scalar) {
        if scalar == "-", flagOrDuration(&token) { return }
        advance()
        if let following = peek(), let pair = LogQLToken.pairs[String(scalar) + String(following)] {
            advance()
            token.kind = pair
            token.line = 0
            return
        }
        token.kind = LogQLToken.signs[scalar] ?? .identifier
        token.text = String(scalar)
    }

    /// `--strict`, `-5m`.
    private mutating func flagOrDuration(_ token: inout LogQLToken) -> Bool {
        if peek(1) == "-" {
            for flag in ["--strict", "--keep-empty"] where starts(with: flag) {
                for _ in flag.unicodeScalars { advance() }
                token.kind = .functionFlag
                token.text = flag
                token.line = 0
                return true
            }
        }
        return measure(&token, from: index, behind: index + 1)
    }

    private func starts(with flag: String) -> Bool {
        let expected = Array(flag.unicodeScalars)
        guard index + expected.count <= scalars.count,
            Array(scalars[index..<index + expected.count]) == expected
        else { return false }
        guard let following = peek(expected.count) else { return true }
        return !Self.isLetter(following) && following != "-"
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || (scalar.isASCII ? (scalar.properties.isAlphabetic) : isWideLetter(scalar))
    }

    private static func isWideLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }
}

/// Numbers, durations, sizes, strings and ranges.
extension LogQLLexer {
    private mutating func number(_ token: inout LogQLToken) {
        let start = index
        if peek() == "0", peek(1) == "x" || peek(1) == "X", peek(2)?.properties.isASCIIHexDigit == true {
            advance()
            advance()
            while let scalar = peek(), scalar.properties.isASCIIHexDigit { advance() }
        } else {
            skipDigits()
            if peek() == "." {
                advance()
                skipDigits()
            }
            skipExponent()
        }
        if measure(&token, from: start, behind: index) { return }
        token.kind = .number
        token.text = text(start)
    }

    private mutating func skipDigits() {
        while let scalar = peek(), Self.isDigit(scalar) { advance() }
    }

    private mutating func skipExponent() {
        guard peek() == "e" || peek() == "E" else { return }
        let signed = peek(1) == "+" || peek(1) == "-"
        guard peek(signed ? 2 : 1).map(Self.isDigit) == true else { return }
        advance()
        if signed { advance() }
        skipDigits()
    }

    /// A duration or a size: the number and what follows it without a space.
    private mutating func measure(_ token: inout LogQLToken, from start: Int, behind numberEnd: Int) -> Bool {
        func run(_ letters: String) -> String? {
            var end = numberEnd
            while end < scalars.count {
                let scalar = scalars[end]
                guard Self.isDigit(scalar) || scalar == "." || letters.unicodeScalars.contains(scalar) else { break }
                end += 1
            }
            return end > numberEnd ? String(String.UnicodeScalarView(scalars[start..<end])) : nil
        }
        if let text = run("nuµmshdwy"), let nanoseconds = GoDuration.parse(text) {
            take(text, from: start)
            token.kind = .duration
            token.nanoseconds = nanoseconds
        } else if scalars[start] != "-", let text = run("BikKMGTP"), let bytes = ByteSize.parse(text) {
            take(text, from: start)
            token.kind = .bytes
            token.byteCount = bytes
        } else {
            return false
        }
        token.line = 0
        return true
    }

    private mutating func take(_ text: String, from start: Int) {
        let end = start + text.unicodeScalars.count
        while index < end { advance() }
    }

    private mutating func string(_ token: inout LogQLToken, quote: Unicode.Scalar) throws(QueryError) {
        let start = index
        advance()
        while let scalar = peek(), scalar != quote {
            if quote == "\"" {
                if scalar == "\n" { break }
                if scalar == "\\" {
                    advance()
                    guard peek() != nil else { break }
                }
            }
            advance()
        }
        guard peek() == quote else { throw .logQL("literal not terminated", token.line, token.column) }
        advance()
        let inside = scalars[start + 1..<index - 1]
        if inside.contains("\u{FFFD}") { throw .logQL("invalid UTF-8 encoding", token.line, token.column) }
        token.kind = .string
        if quote == "`" {
            token.text = String(String.UnicodeScalarView(inside))
        } else {
            var text = String(String.UnicodeScalarView(inside))
            let meant = text.withUTF8 { QuotedText.unquote(UnsafeRawBufferPointer($0)) }
            guard let meant else { throw .logQL("invalid char escape", token.line, token.column) }
            token.text = meant
        }
    }

    private mutating func range(_ token: inout LogQLToken) throws(QueryError) {
        advance()
        let start = index
        while let scalar = peek(), scalar != "]" {
            _ = scalar
            advance()
        }
        guard peek() == "]" else { throw .logQL("missing closing ']' in duration", 0, token.column) }
        let inside = text(start)
        advance()
        do throws(QueryError) {
            token.nanoseconds = try GoDuration.parsePrometheus(inside)
        } catch {
            throw .logQL(error.message, 0, token.column)
        }
        token.kind = .range
        token.line = 0
    }
}

extension QueryError {
    /// A query that is none: "parse error at line 1, col 5: …", or "parse error : …" if it has no place.
    static func logQL(_ message: String, _ line: Int = 0, _ column: Int = 0) -> QueryError {
        let place = line == 0 && column == 0 ? "parse error : " : "parse error at line \(line), col \(column): "
        return QueryError(.syntax, place + message)
    }
}

/// Text between quotes as Go's `%q` writes it.
func goQuoted(_ text: String) -> String { QuotedText.quote(text) }
