import Bytes
import Patterns
import Telemetry

/// Decides whether lines satisfy a condition, from their bytes: for lines of the head, and for those of blocks whose
/// columns do not decide. One thread at a time uses it.
struct LineEvaluator {
    let condition: LineCondition
    private let reader = FieldReader()
    /// The patterns of the condition, which may give up.
    private let patterns: [Pattern]

    init(_ condition: LineCondition) {
        self.condition = condition
        patterns = condition.patterns
    }

    /// Whether the condition holds for every line.
    var isTrivial: Bool {
        if case .all = condition { return true }
        return false
    }

    /// Whether a line satisfies the condition.
    @inline(__always)
    func holds(_ line: UnsafeRawBufferPointer, level: LineLevel) -> Bool {
        switch condition {
        case .all: true
        case .contains(let text): Self.contains(line, text)
        default: holds(condition, line, level)
        }
    }

    /// - Throws: `.limitReached` if a pattern gave a match up: then what was found is not the answer.
    func checkPatterns() throws(SearchError) {
        for pattern in patterns where pattern.gaveUp {
            throw SearchError(.limitReached, pattern.exhaustion.description)
        }
    }

    private func holds(_ condition: LineCondition, _ line: UnsafeRawBufferPointer, _ level: LineLevel) -> Bool {
        switch condition {
        case .all: true
        case .contains(let text): Self.contains(line, text)
        case .containsIgnoringCase(let text): Self.containsFolded(line, text)
        case .matches(let pattern, let needs):
            (needs.isEmpty || needs.contains { Self.contains(line, $0) }) && pattern.matches(line)
        case .field(let field, let test): holds(field, test, line)
        case .malformed(let format): reader.visit(format, line) { _, _ in true } != nil
        case .level(let levels): levels.contains(level)
        case .and(let parts): parts.allSatisfy { holds($0, line, level) }
        case .or(let parts): parts.contains { holds($0, line, level) }
        case .not(let part): !holds(part, line, level)
        }
    }

    private func holds(_ field: FieldReference, _ test: FieldTest, _ line: UnsafeRawBufferPointer) -> Bool {
        value(of: field, in: line) { text in text.map { Self.satisfies($0, test) } ?? false }
    }

    /// Gives a field's text, or nil if the line has none.
    func value<R>(
        of field: FieldReference, in line: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer?) -> R
    ) -> R {
        var name = field.name
        return name.withUTF8 { name in
            var failure: FieldFailure?
            return body(reader.find(UnsafeRawBufferPointer(name), field.format, line, failure: &failure))
        }
    }

    /// Whether a field's text satisfies a test.
    static func satisfies(_ text: UnsafeRawBufferPointer, _ test: FieldTest) -> Bool {
        switch test {
        case .exists: return true
        case .equals(let wanted): return wanted.withUnsafeBytes { ByteSearch.areEqual(text, $0) }
        case .matches(let pattern): return pattern.matches(text)
        case .number(let comparison, let wanted):
            guard let number = DecimalText.number(text) else { return false }
            return comparison.holds(number, wanted)
        }
    }

    /// Whether a text occurs in a line.
    @inline(__always)
    static func contains(_ line: UnsafeRawBufferPointer, _ text: [UInt8]) -> Bool {
        text.withUnsafeBytes { ByteSearch.first($0, in: line) != nil }
    }

    /// Whether a text in lower case occurs in a line, ASCII letters of either case alike.
    static func containsFolded(_ line: UnsafeRawBufferPointer, _ text: [UInt8]) -> Bool {
        guard let first = text.first else { return true }
        guard line.count >= text.count else { return false }
        for start in 0...(line.count - text.count) where folded(line[start]) == first {
            var index = 1
            while index < text.count, folded(line[start &+ index]) == text[index] { index += 1 }
            if index == text.count { return true }
        }
        return false
    }

    @inline(__always)
    private static func folded(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }
}

extension LineCondition {
    /// All patterns in it.
    var patterns: [Pattern] {
        switch self {
        case .all, .contains, .containsIgnoringCase, .malformed, .level: []
        case .matches(let pattern, _): [pattern]
        case .field(_, .matches(let pattern)): [pattern]
        case .field: []
        case .and(let parts), .or(let parts): parts.flatMap(\.patterns)
        case .not(let part): part.patterns
        }
    }

    /// A text that every line that satisfies it holds: the longest, if several are known.
    var requiredText: [UInt8]? {
        switch self {
        case .contains(let text): text.isEmpty ? nil : text
        case .matches(_, let needs): needs.count == 1 ? needs[0] : nil
        case .and(let parts): parts.compactMap(\.requiredText).max { $0.count < $1.count }
        default: nil
        }
    }
}

extension FieldTest.Comparison {
    /// Whether two numbers compare so.
    func holds(_ left: Double, _ right: Double) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }
}
