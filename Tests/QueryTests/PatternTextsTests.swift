import Patterns
import Testing

@testable import Query

/// What texts a regular expression needs.
@Suite struct PatternTextsTests {
    private func required(_ pattern: String) -> [String] {
        PatternTexts.required(by: pattern).map { String(decoding: $0, as: UTF8.self) }
    }

    private func equivalent(_ pattern: String) -> [String] {
        PatternTexts.equivalent(to: pattern).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        ("timeout after [0-9]{5}ms", ["timeout after "]), ("a(b|c)d", ["abd", "acd"]), ("foo|bar", ["foo", "bar"]),
        ("foo|b.*", ["foo", "b"]), ("foo|.*", []), ("x+y", ["x"]), ("ab*c", ["a"]), ("ab?cde", ["cde"]),
        ("(?i)abc", []), ("(?i)a1(?-i)bcd", ["1bcd"]), ("(?i:abc)def", ["def"]), ("^abc$", ["abc"]),
        ("[ab]cd", ["cd"]), ("[]a]bc", ["bc"]), ("[[:alpha:]]bc", ["bc"]), ("\\d+ms", ["ms"]), ("a\\.b", ["a.b"]),
        ("\\x41bc", []), ("(?P<x>ab)c", ["abc"]), ("(abc){2,3}", ["abc"]), ("(abc){0,3}", []), ("a{b", ["a{b"]),
        ("(?:)", []), ("", []), ("äö?x", ["ä"]), ("a(?i)b", ["a"]),
    ])
    func mustOccur(_ pattern: String, _ texts: [String]) {
        #expect(required(pattern) == texts)
    }

    @Test(arguments: [
        ("foo", ["foo"]), ("foo|bar", ["foo", "bar"]), ("a(b|c)", ["ab", "ac"]), ("^foo", []), ("fo+", []),
        ("foo\\b", []), ("", [""]), ("a\\.b", ["a.b"]), ("(?i)foo", []),
    ])
    func areAll(_ pattern: String, _ texts: [String]) {
        #expect(equivalent(pattern) == texts)
    }

    /// What matches holds one of the texts: over texts of few letters, so that many match.
    @Test func whatMatchesHoldsOne() throws {
        let patterns = [
            "a(b|c)*d", "(ab|c)+", "a?b|cd", "(a|b)(c|d)", "[^a]b", "a.{1,2}b", "(a|)b", "(?i)a|b", "a(?i)b|c",
            "ab{0}c",
            "(a(b(c|d)|d)|c)b", "a|(b|)", "(?:ab|cd){1,}a",
        ]
        for pattern in patterns {
            let compiled = try Pattern(pattern)
            let texts = PatternTexts.required(by: pattern)
            guard !texts.isEmpty else { continue }
            for number in 0..<3_125 {
                var (rest, line) = (number, [UInt8]())
                for _ in 0..<5 {
                    line.append(UInt8(ascii: "a") + UInt8(rest % 5))
                    rest /= 5
                }
                if compiled.matches(line) {
                    #expect(texts.contains { line.firstRange(of: $0) != nil }, "\(pattern) \(line)")
                }
            }
        }
    }
}
