internal import Patterns

/// Replaces a whole text by a template with what a pattern captured, as Go's `ExpandString` does: `$1`, `${name}`, `$$`.
struct PatternExpander {
    private enum Piece {
        case text(String)
        case group(Int)
    }

    private let matcher: PatternMatcher
    private var pieces: [Piece] = []

    /// - Throws: `syntax` if the pattern is wrong.
    init(_ pattern: String, template: String) throws(QueryError) {
        matcher = PatternMatcher(try QueryError.pattern("^(?:" + pattern + ")$"))
        var rest = Substring(template)
        while let dollar = rest.firstIndex(of: "$") {
            pieces.append(.text(String(rest[..<dollar])))
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                pieces.append(.text("$"))
                rest = rest.dropFirst()
            } else if let name = Self.name(&rest) {
                // A group that is not there is empty.
                if let group = group(named: name) { pieces.append(.group(group)) }
            } else {
                pieces.append(.text("$"))
            }
        }
        pieces.append(.text(String(rest)))
    }

    /// Takes `{name}`, or the longest run of letters, digits and underscores; nil if there is neither.
    private static func name(_ rest: inout Substring) -> String? {
        let isPart = { (character: Character) in character.isLetter || character.isNumber || character == "_" }
        if rest.first == "{", let end = rest.firstIndex(of: "}") {
            let name = rest[rest.index(after: rest.startIndex)..<end]
            guard !name.isEmpty, name.allSatisfy(isPart) else { return nil }
            rest = rest[rest.index(after: end)...]
            return String(name)
        }
        let name = rest.prefix(while: isPart)
        rest = rest.dropFirst(name.count)
        return name.isEmpty ? nil : String(name)
    }

    private func group(named name: String) -> Int? {
        if let number = Int(name) { return number <= matcher.pattern.groupNames.count ? number : nil }
        return matcher.pattern.groupNames.firstIndex(of: name).map { $0 + 1 }
    }

    /// The replacement of a text; nil if the pattern does not match all of it.
    func expand(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            guard matcher.matches(bytes) else { return nil }
            return pieces.map { piece in
                switch piece {
                case .text(let text): return text
                case .group(let number):
                    return matcher.range(of: number).map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
                }
            }.joined()
        }
    }
}
