import Patterns
import Testing

@Suite struct PatternTests {
    @Test(arguments: [
        ("a.c", "xabcx", true), ("^a$", "a\n", false), ("(?i)ERROR", "an error", true), ("a{2,3}", "baab", true),
        ("[[:alpha:]]+\\d", "ab1", true), ("\\Qa.b\\E", "a.b", true), ("\\Qa.b\\E", "axb", false), ("[^]]", "]", false),
        ("\\x{e9}", "é", true), (".", "é", true), ("^.$", "é", true), ("\\s", "\u{0B}", false), ("[a[]", "[", true),
        ("(?P<name>x)", "x", true), ("a*?b", "aab", true), ("\\pL", "é", true), ("", "anything", true),
        ("(?s).", "\n", true), (".", "\n", false), ("\\141", "a", true), ("a|b", "b", true),
    ])
    func matchesAsRE2(pattern: String, text: String, matches: Bool) throws {
        #expect(try Pattern(pattern).matches(Array(text.utf8)) == matches)
    }

    @Test(arguments: [
        ("(", "missing closing ): `(`"), ("[a", "missing closing ]: `[a`"),
        ("*", "missing argument to repetition operator: `*`"), ("a)", "unexpected ): `a)`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"), ("(?<!a)", "invalid or unsupported Perl syntax: `(?<`"),
        ("(a)\\1", "invalid escape sequence: `\\1`"), ("a**", "invalid nested repetition operator: `**`"),
        ("a++", "invalid nested repetition operator: `++`"), ("(?>a)", "invalid or unsupported Perl syntax: `(?>`"),
        ("a{1001}", "invalid repeat count: `{1001}`"), ("\\", "trailing backslash at end of expression: ``"),
        ("(*UTF)a", "missing argument to repetition operator: `*`"), ("\\K", "invalid escape sequence: `\\K`"),
    ])
    func refusesWhatRE2Lacks(pattern: String, reason: String) {
        do throws(PatternError) {
            _ = try Pattern(pattern)
            Issue.record("\(pattern) was taken")
        } catch {
            #expect(error.message == "error parsing regexp: \(reason)")
        }
    }

    @Test func anEvilPatternIsGivenUp() throws {
        let pattern = try Pattern("^(a+)+$")
        #expect(!pattern.matches(Array((String(repeating: "a", count: 60) + "!").utf8)))
        #expect(pattern.gaveUp)
        #expect(throws: PatternError.self) { try Pattern(String(repeating: "a", count: Pattern.maximumBytes + 1)) }
        #expect(throws: PatternError.self) { try Pattern(String(repeating: "(", count: 1_000)) }
    }
}

@Suite("Where groups matched")
struct PatternMatcherTests {
    @Test func groupsAndTheirNames() throws {
        let pattern = try Pattern(#"(?P<method>\w+) (/(\w*))?(?P<rest>.*)"#)
        #expect(pattern.groupNames == ["method", nil, nil, "rest"])
        let matcher = PatternMatcher(pattern)
        let found = Array("! GET x".utf8).withUnsafeBytes { matcher.matches($0) }
        #expect(found)
        #expect(matcher.range(of: 0) == 2..<7)
        #expect(matcher.range(of: 1) == 2..<5)
        #expect(matcher.range(of: 2) == nil)
        #expect(matcher.range(of: 4) == 6..<7)
        #expect(Array("GET".utf8).withUnsafeBytes { !matcher.matches($0) })
    }

    @Test func searchesOnFromAPlace() throws {
        let matcher = PatternMatcher(try Pattern("a+"))
        let bytes = Array("aa b aaa".utf8)
        #expect(bytes.withUnsafeBytes { matcher.matches($0, from: 2) })
        #expect(matcher.range(of: 0) == 5..<8)
        #expect(bytes.withUnsafeBytes { !matcher.matches($0, from: 8) })
        #expect(bytes.withUnsafeBytes { !matcher.matches($0, from: 9) })
    }
}
