import Query
import Testing

@Suite struct PatternLimitTests {
    @Test func aQueryWithAnEvilPatternFails() async throws {
        let text = String(repeating: "a", count: 60)
        let databases = try await ExecutorTests.databases(["m,t=\(text)! s=\"\(text)!\" 1"])
        for condition in ["s =~ /^(a+)+$/", "t =~ /^(a+)+$/"] {
            let answer = try await ExecutorTests.answer("SELECT s FROM m WHERE \(condition)", over: databases)
            #expect(answer.contains("regular expression takes too many steps"), "\(answer)")
        }
    }
}
