import Telemetry

/// The search language for people, `error "connection refused" app:api -debug status>=500`, as LogQL.
///
/// Words and quoted texts must occur in the line, with `-` in front they must not; `OR` stands between alternatives.
/// `/…/` is a regular expression. `name:value` is a label of the stream (`a,b` one of several, `*` anything), `level:`
/// the line's level; `name=value`, `name>5` and their like ask a field of a JSON or logfmt line.
public struct PlainSearch: Sendable {
    /// The longest text, in bytes.
    public static let maximumBytes = 8 << 10

    /// What the text means. Without a label of streams there are no matchers, which means every stream.
    public let selector: LogSelector

    /// The query in LogQL; `{}` selects every stream, which `LogQL.parse` takes with `needsMatcher: false`.
    public var text: String { "\(selector)" }

    /// Reads a text.
    ///
    /// - Throws: `syntax`: what is wrong, and at which character from 1.
    public init(_ text: String) throws(QueryError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw QueryError(.syntax, "search is longer than \(Self.maximumBytes) bytes")
        }
        var reader = PlainSearchReader(text)
        selector = try reader.selector()
    }
}

/// Reads a search.
private struct PlainSearchReader {
    private let characters: [Character]
    private var place = 0
    private var matchers: [LogMatcher] = []
    private var lineFilters: [LineFilter] = []
    private var levels: [LogStage] = []
    private var fields: [LogStage] = []

    init(_ text: String) { characters = Array(text) }

    mutating func selector() throws(QueryError) -> LogSelector {
        skipSpace()
        while place < characters.count {
            try term()
            skipSpace()
        }
        var stages = lineFilters.map { LogStage.lineFilter($0) } + levels
        if !fields.isEmpty {
            // A line is one or the other. What the wrong parser complains of is no error.
            stages += [
                .json([]), .logfmt([], isStrict: false, keepsEmpty: false),
                .drop([.name("__error__"), .name("__error_details__")]),
            ]
            stages += fields
        }
        return LogSelector(matchers: matchers, stages: stages)
    }

    private func fail(_ message: String, at place: Int? = nil) -> QueryError {
        QueryError(.syntax, "search, character \((place ?? self.place) + 1): \(message)")
    }

    private var next: Character? { place < characters.count ? characters[place] : nil }

    private mutating func skipSpace() {
        while let character = next, character.isWhitespace { place += 1 }
    }

    private mutating func term() throws(QueryError) {
        let start = place
        let isNegative = next == "-"
        if isNegative { place += 1 }
        guard let first = next, !first.isWhitespace else { throw fail("a text must follow \"-\"", at: start) }
        if first == "\"" || first == "'" || first == "/" { return try texts(isNegative, from: start) }
        if first == "(" || first == ")" { throw fail("parentheses are not served; LogQL has them") }
        let nameStart = place
        let name = characters[place...].prefix(while: isName)
        let behind = place + name.count
        guard !name.isEmpty, behind < characters.count, let sign = sign(at: behind) else {
            return try texts(isNegative, from: start)
        }
        if first.isNumber { return try texts(isNegative, from: start) }
        place = behind + sign.count
        if sign == ":" {
            // `http://…` and `12:30` are no labels.
            if next == "/" {
                place = nameStart
                return try texts(isNegative, from: start)
            }
            return try label(String(name), isNegative)
        }
        try field(String(name), sign, isNegative, from: start)
    }

    private func isName(_ character: Character) -> Bool {
        character == "_" || character == "." || (character.isASCII && (character.isLetter || character.isNumber))
    }

    private func sign(at place: Int) -> String? {
        let pair = String(characters[place...].prefix(2))
        if ["=~", "!~", "!=", ">=", "<=", "=="].contains(pair) { return pair }
        return [":", "=", ">", "<"].contains(pair.prefix(1)) ? String(pair.prefix(1)) : nil
    }

    /// A text, or several with `OR` between them.
    private mutating func texts(_ isNegative: Bool, from start: Int) throws(QueryError) {
        let isPattern = next == "/"
        var found = [LineFilter.Text(try text())]
        while takesOr() {
            guard let following = next, following != "-" else { throw fail("a text must follow \"OR\"") }
            guard (following == "/") == isPattern else {
                throw fail("\"OR\" stands between texts, or between patterns")
            }
            found.append(LineFilter.Text(try text()))
        }
        guard isNegative else { return lineFilters.append(LineFilter(isPattern ? .matches : .contains, found)) }
        for text in found { lineFilters.append(LineFilter(isPattern ? .matchesNot : .containsNot, [text])) }
    }

    private mutating func takesOr() -> Bool {
        let mark = place
        skipSpace()
        guard characters[place...].starts(with: "OR"), place + 2 < characters.count,
            characters[place + 2].isWhitespace
        else {
            place = mark
            return false
        }
        place += 2
        skipSpace()
        return true
    }

    /// A word, a quoted text or a pattern.
    private mutating func text() throws(QueryError) -> String {
        if next == "\"" || next == "'" { return try quoted() }
        if next == "/" { return try pattern() }
        let word = characters[place...].prefix { !$0.isWhitespace }
        place += word.count
        return String(word)
    }

    private mutating func quoted() throws(QueryError) -> String {
        let start = place
        let quote = characters[place]
        place += 1
        var result = ""
        while let character = next, character != quote {
            if character == "\\", place + 1 < characters.count {
                let escaped = characters[place + 1]
                result += escaped == quote || escaped == "\\" ? String(escaped) : "\\\(escaped)"
                place += 2
            } else {
                result.append(character)
                place += 1
            }
        }
        guard next == quote else { throw fail("the quote is not closed", at: start) }
        place += 1
        return result
    }

    private mutating func pattern() throws(QueryError) -> String {
        let start = place
        place += 1
        var result = ""
        while let character = next, character != "/" {
            if character == "\\", place + 1 < characters.count, characters[place + 1] == "/" { place += 1 }
            result.append(characters[place])
            place += 1
        }
        // A lone slash begins a path.
        guard next == "/", !result.isEmpty, place + 1 == characters.count || characters[place + 1].isWhitespace else {
            place = start
            let word = characters[place...].prefix { !$0.isWhitespace }
            place += word.count
            return LogQLEscaping.pattern(String(word))
        }
        place += 1
        do throws(QueryError) {
            _ = try QueryError.pattern(result)
        } catch {
            throw fail(error.message, at: start)
        }
        return result
    }
}

/// Labels and fields.
extension PlainSearchReader {
    /// One value, or several with commas between them.
    private mutating func values() throws(QueryError) -> [(text: String, isQuoted: Bool)] {
        var result: [(text: String, isQuoted: Bool)] = []
        repeat {
            if next == "," { place += 1 }
            if next == "\"" || next == "'" {
                result.append((try quoted(), true))
            } else {
                let word = characters[place...].prefix { !$0.isWhitespace && $0 != "," }
                guard !word.isEmpty else { throw fail("a value is missing") }
                place += word.count
                result.append((String(word), false))
            }
        } while next == ","
        return result
    }

    private mutating func label(_ name: String, _ isNegative: Bool) throws(QueryError) {
        try checkName(name)
        let isLevel = name == "level" || name == "detected_level"
        let values = try values().map { (text: isLevel ? $0.text.lowercased() : $0.text, isQuoted: $0.isQuoted) }
        let hasWildcard = values.contains { !$0.isQuoted && $0.text.contains("*") }
        let isSingle = values.count == 1 && !hasWildcard
        let operation: LogMatcher.Operation =
            isNegative ? (isSingle ? .notEqual : .matchesNot) : (isSingle ? .equal : .matches)
        let text =
            isSingle
            ? values[0].text
            : values.map { LogQLEscaping.pattern($0.text, wildcards: !$0.isQuoted) }.joined(separator: "|")
        if isLevel {
            levels.append(.labelFilter(.text(LogMatcher("detected_level", operation, text))))
        } else {
            matchers.append(LogMatcher(name, operation, text))
        }
    }

    /// A name that LogQL reads as one.
    private func checkName(_ name: String) throws(QueryError) {
        guard !name.contains(".") else { throw fail("\(name) is no label's name") }
        guard LogQLToken.keywords[name.lowercased()] == nil else {
            throw fail("\(name) is a word of LogQL, and no name there")
        }
    }

    private mutating func field(
        _ name: String, _ sign: String, _ isNegative: Bool, from start: Int
    ) throws(QueryError) {
        guard !isNegative else { throw fail("\"-\" goes before texts and labels; use != for fields", at: start) }
        let label = String(name.map { $0 == "." ? "_" : $0 })
        try checkName(label)
        let isQuoted = next == "\"" || next == "'"
        let text: String
        if isQuoted {
            text = try quoted()
        } else {
            let word = characters[place...].prefix { !$0.isWhitespace }
            guard !word.isEmpty else { throw fail("a value is missing") }
            place += word.count
            text = String(word)
        }
        if sign == "=~" || sign == "!~" {
            do throws(QueryError) {
                _ = try QueryError.pattern(text)
            } catch {
                throw fail(error.message, at: start)
            }
            return fields.append(.labelFilter(.text(LogMatcher(label, sign == "=~" ? .matches : .matchesNot, text))))
        }
        let comparison = LabelFilter.Comparison(rawValue: sign == "=" ? "==" : sign) ?? .equal
        if !isQuoted, let measured = measure(label, comparison, text) { return fields.append(.labelFilter(measured)) }
        guard comparison == .equal || comparison == .notEqual else {
            throw fail("\(text) is no number, duration or size to compare with", at: start)
        }
        fields.append(.labelFilter(.text(LogMatcher(label, comparison == .equal ? .equal : .notEqual, text))))
    }

    private func measure(_ name: String, _ comparison: LabelFilter.Comparison, _ text: String) -> LabelFilter? {
        if let number = GoNumber.parse(text), number.isFinite { return .number(name, comparison, number) }
        if let duration = GoDuration.parse(text) { return .duration(name, comparison, duration) }
        if let bytes = ByteSize.parse(text) { return .bytes(name, comparison, bytes) }
        return nil
    }
}

/// Texts within patterns.
enum LogQLEscaping {
    /// A pattern that matches a text; a star matches anything if it is a wildcard.
    static func pattern(_ text: String, wildcards: Bool = false) -> String {
        var result = ""
        for character in text {
            if character == "*", wildcards {
                result += ".*"
            } else {
                if #"\.+*?()|[]{}^$"#.contains(character) { result += "\\" }
                result.append(character)
            }
        }
        return result
    }
}
