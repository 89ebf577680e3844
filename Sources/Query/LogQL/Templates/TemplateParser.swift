import Telemetry

/// Reads templates.
struct TemplateParser {
    /// A word of an action.
    enum Word: Equatable {
        case name(String)
        case field([String])
        case variable(String, [String])
        case text(String)
        case integer(Int64)
        case float(Double)
        case dot
        case pipe
        case open
        case close
        case assign
    }

    private enum Piece {
        case text(String)
        case action([Word])
    }

    private var pieces: [Piece] = []
    private var place = 0
    private var words: [Word] = []
    private var wordPlace = 0
    private var depth = 0
    private(set) var labels: Set<String> = []
    private(set) var readsAll = false
    private var isInsideWith = 0

    init(_ text: String) throws(QueryError) { pieces = try Self.pieces(text) }

    private static func fail(_ message: String) -> QueryError { QueryError(.syntax, "template: line:1: \(message)") }

    // MARK: - The tree

    mutating func template() throws(QueryError) -> [LineTemplate.Node] {
        let nodes = try nodes()
        guard place == pieces.count else { throw Self.fail("unexpected {{end}}") }
        return nodes
    }

    /// The nodes up to `end` or `else`, which stay.
    private mutating func nodes() throws(QueryError) -> [LineTemplate.Node] {
        var result: [LineTemplate.Node] = []
        while place < pieces.count {
            switch pieces[place] {
            case .text(let text):
                if !text.isEmpty { result.append(.text(text)) }
                place += 1
            case .action(let words):
                switch words.first {
                case nil: place += 1
                case .name("end"), .name("else"): return result
                case .name("if"), .name("with"): result.append(try branch())
                case .name(let word) where Self.unserved.contains(word):
                    throw Self.fail("{{\(word)}} is not served")
                default:
                    place += 1
                    result.append(.action(try pipeline(words, from: 0)))
                }
            }
        }
        return result
    }

    private static let unserved: Set<String> = ["range", "define", "template", "block", "break", "continue"]

    private mutating func branch() throws(QueryError) -> LineTemplate.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 50 else { throw Self.fail("template is nested too deeply") }
        guard case .action(let words) = pieces[place] else { throw Self.fail("unexpected text") }
        let isWith = words[0] == .name("with")
        place += 1
        return try branch(words, from: 1, isWith: isWith)
    }

    private mutating func branch(_ words: [Word], from start: Int, isWith: Bool) throws(QueryError) -> LineTemplate.Node
    {
        let condition = try pipeline(words, from: start)
        isInsideWith += isWith ? 1 : 0
        let then = try nodes()
        isInsideWith -= isWith ? 1 : 0
        var otherwise: [LineTemplate.Node] = []
        guard place < pieces.count, case .action(let next) = pieces[place] else { throw Self.fail("unexpected EOF") }
        place += 1
        if next.first == .name("else") {
            if next.count > 1, next[1] == .name("if") || next[1] == .name("with") {
                otherwise = [try branch(next, from: 2, isWith: next[1] == .name("with"))]
                return .branch(isWith: isWith, condition, then: then, otherwise: otherwise)
            }
            otherwise = try nodes()
            guard place < pieces.count, case .action([.name("end")]) = pieces[place] else {
                throw Self.fail("unexpected EOF")
            }
            place += 1
        }
        return .branch(isWith: isWith, condition, then: then, otherwise: otherwise)
    }

    // MARK: - Pipelines

    private mutating func pipeline(_ words: [Word], from start: Int) throws(QueryError) -> LineTemplate.Pipeline {
        self.words = words
        wordPlace = start
        let result = try pipeline()
        guard wordPlace == words.count else { throw Self.fail("unexpected \")\" in command") }
        return result
    }

    private mutating func pipeline() throws(QueryError) -> LineTemplate.Pipeline {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 50 else { throw Self.fail("template is nested too deeply") }
        var result = LineTemplate.Pipeline(variable: nil, commands: [])
        if wordPlace + 1 < words.count, case .variable(let name, []) = words[wordPlace], words[wordPlace + 1] == .assign
        {
            result.variable = name
            wordPlace += 2
        }
        repeat {
            result.commands.append(try command(isFirst: result.commands.isEmpty))
        } while take(.pipe)
        return result
    }

    private mutating func take(_ word: Word) -> Bool {
        guard wordPlace < words.count, words[wordPlace] == word else { return false }
        wordPlace += 1
        return true
    }

    private mutating func command(isFirst: Bool) throws(QueryError) -> LineTemplate.Command {
        var result = LineTemplate.Command(function: nil, arguments: [])
        if wordPlace < words.count, case .name(let name) = words[wordPlace], !Self.constants.contains(name) {
            result.function = try function(name)
            wordPlace += 1
        }
        while wordPlace < words.count, words[wordPlace] != .pipe, words[wordPlace] != .close {
            result.arguments.append(try argument())
        }
        if result.function == nil {
            guard result.arguments.count == 1, isFirst else {
                throw Self.fail(
                    result.arguments.isEmpty ? "missing value for command" : "can't give argument to non-function")
            }
        }
        return result
    }

    private static let constants: Set<String> = ["true", "false", "nil"]

    private func function(_ name: String) throws(QueryError) -> String {
        guard TemplateFunctions.names.contains(name) else { throw Self.fail("function \(goQuoted(name)) not defined") }
        return name
    }

    private mutating func argument() throws(QueryError) -> LineTemplate.Argument {
        let word = words[wordPlace]
        wordPlace += 1
        switch word {
        case .field(let path):
            if isInsideWith == 0, let first = path.first { labels.insert(first) }
            return .field(path)
        case .dot:
            readsAll = readsAll || isInsideWith == 0
            return .dot
        case .variable(let name, let path):
            if name == "" { path.first.map { _ = labels.insert($0) } }
            return .variable(name, path)
        case .text(let text): return .literal(.text(text))
        case .integer(let number): return .literal(.integer(number))
        case .float(let number): return .literal(.float(number))
        case .name("true"): return .literal(.boolean(true))
        case .name("false"): return .literal(.boolean(false))
        case .name("nil"): return .literal(.nothing)
        case .name(let name): return .call(try function(name))
        case .open:
            let inside = try pipeline()
            guard take(.close) else { throw Self.fail("unclosed left paren") }
            return .pipeline(inside)
        case .close, .pipe, .assign: throw Self.fail("unexpected token in operand")
        }
    }

    // MARK: - The text

    private static func pieces(_ text: String) throws(QueryError) -> [Piece] {
        var result: [Piece] = []
        var rest = Substring(text)
        var trims = false
        while true {
            guard let open = range(of: "{{", in: rest) else {
                result.append(.text(trims ? trimmingStart(rest) : String(rest)))
                return result
            }
            var before = String(rest[..<open.lowerBound])
            if trims { before = trimmingStart(Substring(before)) }
            rest = rest[open.upperBound...]
            if rest.hasPrefix("-"), rest.dropFirst().first?.isWhitespace == true {
                rest = rest.dropFirst(2)
                before = String(before.reversed().drop { $0.isWhitespace }.reversed())
            }
            result.append(.text(before))
            var words: [Word] = []
            let comment = rest.drop { $0.isWhitespace }
            if comment.hasPrefix("/*") {
                guard let end = range(of: "*/", in: comment) else { throw fail("unclosed comment") }
                rest = comment[end.upperBound...]
            } else {
                words = try self.words(&rest)
            }
            rest = rest.drop { $0.isWhitespace && rest.contains("}}") }
            trims = rest.hasPrefix("-}}")
            if trims { rest = rest.dropFirst() }
            guard rest.hasPrefix("}}") else { throw fail("unclosed action") }
            rest = rest.dropFirst(2)
            result.append(.action(words))
        }
    }

    private static func range(of needle: String, in text: Substring) -> Range<Substring.Index>? {
        var place = text.startIndex
        while place < text.endIndex {
            if text[place...].hasPrefix(needle) { return place..<text.index(place, offsetBy: needle.count) }
            place = text.index(after: place)
        }
        return nil
    }

    private static func trimmingStart(_ text: Substring) -> String { String(text.drop { $0.isWhitespace }) }

    /// The words up to `}}` or ` -}}`, which stay.
    private static func words(_ rest: inout Substring) throws(QueryError) -> [Word] {
        var result: [Word] = []
        while let first = rest.first {
            if rest.hasPrefix("}}") || rest.hasPrefix("-}}") { return result }
            if first.isWhitespace {
                rest = rest.dropFirst()
            } else {
                result.append(try word(first, &rest))
            }
        }
        throw fail("unclosed action")
    }

    private static func word(_ first: Character, _ rest: inout Substring) throws(QueryError) -> Word {
        switch first {
        case "|":
            rest = rest.dropFirst()
            return .pipe
        case "(":
            rest = rest.dropFirst()
            return .open
        case ")":
            rest = rest.dropFirst()
            return .close
        case "\"", "`": return .text(try string(first, &rest))
        case ":", "=":
            let sign = first == ":" ? ":=" : "="
            guard rest.hasPrefix(sign) else { throw fail("expected :=") }
            rest = rest.dropFirst(sign.count)
            return .assign
        case "$":
            rest = rest.dropFirst()
            let name = rest.prefix(while: isNameCharacter)
            rest = rest.dropFirst(name.count)
            return .variable(String(name), path(&rest))
        case ".":
            if rest.dropFirst().first.map(isDigit) == true { return try number(&rest) }
            let path = path(&rest)
            if !path.isEmpty { return .field(path) }
            rest = rest.dropFirst()
            return .dot
        default:
            if isDigit(first) || first == "-" || first == "+" { return try number(&rest) }
            let name = rest.prefix(while: isNameCharacter)
            guard !name.isEmpty else { throw fail("unexpected \(goQuoted(String(first))) in command") }
            rest = rest.dropFirst(name.count)
            return .name(String(name))
        }
    }

    /// `.a.b`.
    private static func path(_ rest: inout Substring) -> [String] {
        var path: [String] = []
        while rest.first == ".", let next = rest.dropFirst().first, isNameCharacter(next), !isDigit(next) {
            let name = rest.dropFirst().prefix(while: isNameCharacter)
            rest = rest.dropFirst(name.count + 1)
            path.append(String(name))
        }
        return path
    }

    private static func isNameCharacter(_ character: Character) -> Bool {
        character == "_" || character.isLetter || isDigit(character)
    }

    private static func isDigit(_ character: Character) -> Bool { character >= "0" && character <= "9" }

    private static func number(_ rest: inout Substring) throws(QueryError) -> Word {
        let text = rest.prefix { isDigit($0) || "+-.eExX_abcdefABCDEF".contains($0) }
        rest = rest.dropFirst(text.count)
        if let integer = Int64(text) { return .integer(integer) }
        if text.hasPrefix("0x"), let integer = Int64(text.dropFirst(2), radix: 16) { return .integer(integer) }
        guard let float = GoNumber.parse(String(text)) else {
            throw fail("bad number syntax: \(goQuoted(String(text)))")
        }
        return .float(float)
    }

    private static func string(_ quote: Character, _ rest: inout Substring) throws(QueryError) -> String {
        var end = rest.index(after: rest.startIndex)
        while end < rest.endIndex, rest[end] != quote {
            if rest[end] == "\\", quote == "\"" { end = rest.index(after: end) }
            guard end < rest.endIndex else { break }
            end = rest.index(after: end)
        }
        guard end < rest.endIndex else { throw fail("unterminated quoted string") }
        var inside = String(rest[rest.index(after: rest.startIndex)..<end])
        rest = rest[rest.index(after: end)...]
        if quote == "`" { return inside }
        guard let meant = inside.withUTF8({ QuotedText.unquote(UnsafeRawBufferPointer($0)) }) else {
            throw fail("invalid syntax")
        }
        return meant
    }
}
