import Testing

@testable import millrace

@Suite struct LogsQueryTests {
    static func line(_ time: Int64, _ text: String, _ labels: [String: String] = ["app": "x"]) -> LokiAnswer.Line {
        LokiAnswer.Line(stream: labels, labels: labels, time: time, text: text)
    }

    @Test func answersOfAllKindsAreRead() throws {
        let streams = try LokiAnswer.read(
            Array(
                #"""
                {"status":"success","data":{"resultType":"streams","result":[{"stream":{"app":"x"},"values":[
                ["12","a \"b\"",{"structuredMetadata":{"pod":"p"},"parsed":{"status":"500"}}],["11","c"]]}],"stats":{}}}
                """#.utf8))
        #expect(streams.lines.map(\.text) == ["a \"b\"", "c"])
        #expect(streams.lines[0].labels == ["app": "x", "pod": "p", "status": "500"])
        #expect(streams.lines[0].stream == ["app": "x"])
        let vector = try LokiAnswer.read(
            Array(#"{"data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"7"]}]}}"#.utf8))
        #expect(vector.samples == [.init(labels: ["a": "b"], seconds: 1.5, value: "7")])
        let matrix = try LokiAnswer.read(
            Array(#"{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[61,"3"]]}]}}"#.utf8))
        #expect(matrix.samples.map(\.value) == ["2", "3"])
        let scalar = try LokiAnswer.read(Array(#"{"data":{"resultType":"scalar","result":[3,"2"]}}"#.utf8))
        #expect(scalar.samples.map(\.value) == ["2"])
        #expect(throws: CommandFailure.self) { try LokiAnswer.read(Array("404 page".utf8)) }
    }

    @Test func aFollowerShowsEveryLineOnceAndTheLateOnes() {
        let window = LogsFollowing.windowNanoseconds
        var following = LogsFollowing([Self.line(window, "a")], end: window + 9, isCut: false)
        #expect(following.start == 9)
        let late = [Self.line(10, "late"), Self.line(window, "a"), Self.line(window + 20, "b")]
        #expect(following.new(late).map(\.text) == ["late", "b"])
        #expect(following.new(late).isEmpty)
        following.advance(to: window + 30)
        #expect(following.start == 30)
        #expect(following.new([Self.line(window + 20, "b"), Self.line(window + 20, "c")]).map(\.text) == ["c"])
        following.advance(to: window)
        #expect(following.start == 30, "it never goes back")
        // What was left out because there were too many is not shown later.
        #expect(LogsFollowing([Self.line(window, "a")], end: window + 9, isCut: true).start == window)
    }

    @Test func contextOfHitsThatTouchIsOneGroup() {
        let lines = (0..<6).map { Self.line(Int64($0), "\($0)") }
        let other = Self.line(2, "elsewhere", ["app": "y"])
        let groups = LogContext.merge([
            (hit: lines[3], before: [lines[2]], after: [lines[4]]),
            (hit: lines[1], before: [lines[0]], after: [lines[2]]),
            (hit: other, before: [], after: []),
        ])
        #expect(groups.map { $0.map(\.line.text) } == [["0", "1", "2", "3", "4"], ["elsewhere"]])
        #expect(groups[0].map(\.isHit) == [false, true, false, true, false])
    }

    @Test func linesAreShownAsPeopleReadThem() {
        let labels = ["app": "x", "detected_level": "error"]
        let json = Self.line(1_500_000_000, #"{"ts":"t","level":"error","msg":"went wrong","status":500}"#, labels)
        #expect(LogLineFormat().text(json) == "1970-01-01T00:00:01.500Z x \(json.text)\n")
        #expect(LogLineFormat(foldsJSON: true).text(json) == "1970-01-01T00:00:01.500Z x went wrong status=500\n")
        #expect(LogLineFormat(isRaw: true).text(json) == json.text + "\n")
        #expect(LogLineFormat(showsLabels: true).text(json).contains(#"{app="x",detected_level="error"}"#))
        let coloured = LogLineFormat(isColoured: true).text(Self.line(0, "a\u{1B}[2Jb", labels))
        #expect(coloured.contains("\u{1B}[31merror"))
        #expect(!coloured.contains("\u{1B}[2J"), "a line cannot clear the terminal")
    }

    @Test func bracesMakeLogQL() throws {
        #expect(try LogsQuery.logQL(#" {app="x"} |= "a""#) == #"{app="x"} |= "a""#)
        #expect(try LogsQuery.logQL(#"sum by (a) (rate({app="x"}[1m]))"#).hasPrefix("sum"))
        #expect(!LogsQuery.isLogQuery(#"rate({app="x"}[1m])"#))
        #expect(try LogsQuery.logQL(#"error "connection refused" app:api"#).hasPrefix("{"))
    }
}
