internal import Patterns
internal import Search

/// Conditions of queries on the text of lines, as conditions of the source.
enum LineFilterLowering {
    /// The matchers of streams.
    static func matchers(_ matchers: [LogMatcher]) throws(QueryError) -> [LabelMatcher] {
        var result: [LabelMatcher] = []
        for matcher in matchers {
            let test: LabelMatcher.Test =
                switch matcher.operation {
                case .equal: .equals(matcher.value)
                case .notEqual: .differs(matcher.value)
                case .matches: .matches(try LogQLPattern.whole(matcher.value))
                case .matchesNot: .matchesNot(try LogQLPattern.whole(matcher.value))
                }
            result.append(LabelMatcher(matcher.name, test))
        }
        return result
    }

    /// A line filter; nil if the source cannot decide it.
    static func condition(_ filter: LineFilter) throws(QueryError) -> LineCondition? {
        guard !filter.alternatives.contains(where: \.isAddress) else { return nil }
        var parts: [LineCondition] = []
        for alternative in filter.alternatives {
            switch filter.operation {
            case .contains, .containsNot: parts.append(contains(alternative.value))
            case .matches, .matchesNot: parts.append(try matches(alternative.value))
            case .hasPattern, .hasNotPattern: return nil
            }
        }
        let either = parts.count == 1 ? parts[0] : .or(parts)
        return filter.operation.isNegative ? .not(either) : either
    }

    private static func contains(_ text: String) -> LineCondition { text.isEmpty ? .all : .contains(Array(text.utf8)) }

    private static func matches(_ pattern: String) throws(QueryError) -> LineCondition {
        let compiled = try QueryError.pattern(pattern)
        if let folded = foldedText(pattern) { return .containsIgnoringCase(folded) }
        let texts = PatternTexts.equivalent(to: pattern)
        if !texts.isEmpty {
            return texts.contains([]) ? .all : texts.count == 1 ? .contains(texts[0]) : .or(texts.map { .contains($0) })
        }
        return .matches(compiled, needs: PatternTexts.required(by: pattern))
    }

    /// `(?i)text` with plain ASCII behind it.
    static func foldedText(_ pattern: String) -> [UInt8]? {
        guard pattern.hasPrefix("(?i)") else { return nil }
        let text = Array(pattern.utf8.dropFirst(4))
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-:;,/=<>@#%&\"'!~`".utf8)
        guard !text.isEmpty, text.allSatisfy(plain.contains) else { return nil }
        return text.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
    }
}
