import Patterns

/// The patterns that templates compile while they run, a few of them kept.
final class TemplatePatterns {
    private var matchers: [String: PatternMatcher] = [:]

    /// A pattern, ready.
    func matcher(_ text: String) throws(QueryError) -> PatternMatcher {
        if let matcher = matchers[text] { return matcher }
        let matcher = PatternMatcher(try QueryError.pattern(text))
        if matchers.count >= 32 { matchers = [:] }
        matchers[text] = matcher
        return matcher
    }

    /// A text with every match of a pattern replaced; `$1` and `${name}` stand for groups unless it is literal.
    func replaceAll(
        _ pattern: String, in text: String, by replacement: String, isLiteral: Bool
    ) throws(QueryError) -> String {
        let matcher = try matcher(pattern)
        let bytes = Array(text.utf8)
        let replacement = ReplacementText(replacement, isLiteral: isLiteral)
        var result: [UInt8] = []
        try forEachMatch(matcher, bytes) { previous, range in
            result += bytes[previous..<range.lowerBound]
            replacement.append(matcher, bytes, &result)
            return range.upperBound
        } rest: {
            result += bytes[$0...]
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// How many matches there are.
    func count(_ pattern: String, in text: String) throws(QueryError) -> Int {
        var count = 0
        try forEachMatch(try matcher(pattern), Array(text.utf8)) { _, range in
            count += 1
            return range.upperBound
        } rest: { _ in
        }
        return count
    }

    private func forEachMatch(
        _ matcher: PatternMatcher, _ bytes: [UInt8], _ body: (Int, Range<Int>) -> Int, rest: (Int) -> Void
    ) throws(QueryError) {
        var position = 0
        var done = 0
        bytes.withUnsafeBytes { subject in
            while position <= bytes.count, matcher.matches(subject, from: position), let range = matcher.range(of: 0) {
                // An empty match right behind another is none.
                if range.isEmpty, range.lowerBound == done, done > 0 {
                    position = range.upperBound + 1
                    continue
                }
                done = body(done, range)
                position = range.isEmpty ? range.upperBound + 1 : range.upperBound
            }
        }
        if matcher.pattern.gaveUp { throw QueryError(matcher.pattern.exhaustion) }
        rest(done)
    }
}

/// What stands in for a match.
struct ReplacementText {
    private enum Piece {
        case text([UInt8])
        case group(Int)
        case name(String)
    }

    private var pieces: [Piece] = []

    init(_ text: String, isLiteral: Bool) {
        guard !isLiteral else {
            pieces = [.text(Array(text.utf8))]
            return
        }
        var plain: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            guard byte == UInt8(ascii: "$"), let (piece, length) = Self.reference(rest) else {
                plain.append(byte)
                rest = rest.dropFirst()
                continue
            }
            pieces.append(.text(plain))
            plain = []
            pieces.append(piece)
            rest = rest.dropFirst(length)
        }
        pieces.append(.text(plain))
    }

    private static func reference(_ text: ArraySlice<UInt8>) -> (Piece, Int)? {
        let behind = text.dropFirst()
        if behind.first == UInt8(ascii: "$") { return (.text([UInt8(ascii: "$")]), 2) }
        let isBraced = behind.first == UInt8(ascii: "{")
        let start = isBraced ? behind.dropFirst() : behind
        let name = start.prefix { byte in
            byte == UInt8(ascii: "_") || (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122)
        }
        guard !name.isEmpty else { return nil }
        let word = String(decoding: name, as: UTF8.self)
        let piece: Piece = Int(word).map { .group($0) } ?? .name(word)
        guard isBraced else { return (piece, name.count + 1) }
        guard start.dropFirst(name.count).first == UInt8(ascii: "}") else { return nil }
        return (piece, name.count + 3)
    }

    /// Appends it for the last match.
    func append(_ matcher: PatternMatcher, _ bytes: [UInt8], _ result: inout [UInt8]) {
        for piece in pieces {
            switch piece {
            case .text(let text): result += text
            case .group(let number):
                if let range = matcher.range(of: number) { result += bytes[range] }
            case .name(let name):
                guard let place = matcher.pattern.groupNames.firstIndex(of: name) else { continue }
                if let range = matcher.range(of: place + 1) { result += bytes[range] }
            }
        }
    }
}
