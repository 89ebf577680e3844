import Telemetry
import Testing

private func level(
    _ line: String, labels: [String: String] = [:], metadata: [String: String] = [:]
) -> LineLevel {
    let stream = LevelDetection.level(ofStream: labels.map { StreamLabels.Label($0.key, $0.value) })
    return Array(line.utf8).withUnsafeBytes {
        LevelDetection.level(
            of: $0, stream: stream, metadata: metadata.map { StreamLabels.Label($0.key, $0.value) })
    }
}

@Suite("Level of a line")
struct LevelDetectionTests {
    @Test(arguments: [
        ("this is an ERROR message", LineLevel.error), ("err: no", .error), ("no err", .error), ("errors", .unknown),
        ("Warning! debug", .debug), ("a warning", .warn), ("warnings", .unknown), ("[info] x", .info),
        ("informal", .unknown), ("critical", .critical), ("FATAL", .fatal), ("Trace", .trace), ("tracer", .unknown),
        ("errors and an error", .unknown), ("error_code 5", .unknown), ("äerror", .error), ("", .unknown),
        ("info", .info), ("er", .unknown), ("err", .error), ("infox info", .unknown),
    ])
    func words(line: String, expected: LineLevel) {
        #expect(level(line) == expected)
    }

    @Test(arguments: [
        (#"{"level":"error","msg":"x"}"#, LineLevel.error), (#"{"msg":"debug","LEVEL":"WRN"}"#, .warn),
        (#"{"a":{"severity":"inf"},"level":"error"}"#, .info), (#"{"a":{"b":{"level":"fatal"}},"lvl":"warn"}"#, .warn),
        (#"{"level":30,"lvl":"fatal"}"#, .fatal), (#"{"level":"odd","msg":"an error"}"#, .error),
        (#"{"log.level":"Information"}"#, .info), (#" {"level":"dbg"} "#, .debug),
        (#"{"level":"debug","an":error"#, .debug),
        ("level=warn msg=error", .warn), ("msg=error severity=trc lvl=info", .trace), ("Level=critical", .critical),
        ("msg=\"a fatal thing\"", .fatal), ("level= info", .info), (#"x"y level=warn a debug"#, .debug),
    ])
    func fields(line: String, expected: LineLevel) {
        #expect(level(line) == expected)
    }

    @Test func labelsAndMetadataGoFirst() {
        #expect(level("error", labels: ["level": "info"]) == .info)
        #expect(level("error", labels: ["level": "notice"]) == .unknown)
        #expect(level("error", metadata: ["severity": "debug"]) == .debug)
        #expect(level("error", labels: ["level": "info"], metadata: ["severity": "debug"]) == .info)
        #expect(level("error", labels: ["level": "info"], metadata: ["detected_level": "warn"]) == .warn)
        #expect(level("error", metadata: ["severity_number": "9"]) == .info)
        #expect(level("error", metadata: ["severity_number": "21"]) == .fatal)
        #expect(level("error", metadata: ["severity_number": "x"]) == .info)
        #expect(level("error", metadata: ["other": "x"]) == .error)
    }
}
