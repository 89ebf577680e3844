import Patterns
public import Telemetry

/// Matchers in their text, `{app="x", host=~"a.*"}`: what deletions and retention name streams by.
public struct StreamSelector: Sendable, Equatable {
    /// The text.
    public let text: String
    /// All of them have to hold; empty for every stream.
    public let matchers: [LabelMatcher]

    /// Reads a text.
    ///
    /// - Throws: `SearchError` `.invalid`, with the byte at which the text is wrong.
    public init(_ text: String) throws(SearchError) {
        self.text = text
        var reader = SelectorReader(Array(text.utf8))
        matchers = try reader.matchers()
    }

    /// Whether a stream satisfies all of them.
    public func matches(_ stream: StreamLabels) -> Bool { matchers.allSatisfy { $0.holds(for: stream) } }

    /// Whether the texts are equal.
    public static func == (left: Self, right: Self) -> Bool { left.text == right.text }
}

/// Reads `{name="value", …}` with `=`, `!=`, `=~`, `!~`.
private struct SelectorReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func matchers() throws(SearchError) -> [LabelMatcher] {
        try expect("{")
        var matchers: [LabelMatcher] = []
        while !take("}") {
            if !matchers.isEmpty {
                try expect(",")
                if take("}") { break }
            }
            matchers.append(try matcher())
        }
        skipSpace()
        guard position == bytes.count else { throw failure("the end") }
        return matchers
    }

    private mutating func matcher() throws(SearchError) -> LabelMatcher {
        let name = try name()
        if take("=~") { return LabelMatcher(name, .matches(try pattern())) }
        if take("!~") { return LabelMatcher(name, .matchesNot(try pattern())) }
        if take("!=") { return LabelMatcher(name, .differs(try value())) }
        try expect("=")
        return LabelMatcher(name, .equals(try value()))
    }

    /// The whole value has to match, and a dot matches a line feed, as in Loki.
    private mutating func pattern() throws(SearchError) -> Pattern {
        let text = try value()
        do throws(PatternError) {
            return try Pattern("^(?s:\(text))$")
        } catch {
            throw SearchError(.invalid, "a selector's pattern `\(text)`", cause: error)
        }
    }

    private mutating func name() throws(SearchError) -> String {
        skipSpace()
        let start = position
        while position < bytes.count, Self.isName(bytes[position], isFirst: position == start) { position += 1 }
        guard position > start else { throw failure("a label's name") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func value() throws(SearchError) -> String {
        skipSpace()
        let start = position
        let quote = position < bytes.count ? bytes[position] : 0
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "`") else { throw failure("a quoted value") }
        position += 1
        while position < bytes.count, bytes[position] != quote {
            if bytes[position] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") { position += 1 }
            position += 1
        }
        guard position < bytes.count else { throw failure("the end of a quoted value") }
        position += 1
        let text = bytes[start + 1..<position - 1].withUnsafeBytes { QuotedText.unquote($0, quote: quote) }
        guard let text else {
            position = start
            throw failure("a quoted value")
        }
        return text
    }

    private static func isName(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
        default: false
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ symbol: String) -> Bool {
        skipSpace()
        guard bytes[position...].starts(with: symbol.utf8) else { return false }
        position += symbol.utf8.count
        return true
    }

    private mutating func expect(_ symbol: String) throws(SearchError) {
        guard take(symbol) else { throw failure(symbol) }
    }

    private func failure(_ wanted: String) -> SearchError {
        SearchError(.invalid, "a selector of streams: expected \(wanted) at byte \(position)")
    }
}
