import Patterns
import Search
import Telemetry
import Testing

@Suite struct LabelMatcherTests {
    @Test func aMissingLabelIsTheEmptyText() throws {
        let stream = StreamLabels([.init("host", "a"), .init("app", "x"), .init("none", "")])
        #expect(stream.labels.map(\.name) == ["app", "host"])
        #expect(LabelMatcher("none", .equals("")).holds(for: stream))
        #expect(!LabelMatcher("none", .differs("")).holds(for: stream))
        #expect(LabelMatcher("app", .matches(try Pattern("^(?:x|y)$"))).holds(for: stream))
        #expect(!LabelMatcher("app", .matchesNot(try Pattern("^(?:x|y)$"))).holds(for: stream))
    }
}
