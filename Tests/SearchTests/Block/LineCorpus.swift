import Search
import SimulatedMachine
import Telemetry

/// A line as a test knows it.
struct TestLine: Equatable {
    var time: Int64
    var level: LineLevel
    var text: [UInt8]
    var metadata: [StreamLabels.Label] = []
}

/// Lines of all kinds, from a seed.
struct LineCorpus {
    private var generator: SeededGenerator
    /// A time of 2026.
    static let start: Int64 = 1_780_000_000_000_000_000

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    /// The lines of a stream, in the order of time.
    mutating func lines(_ count: Int) -> [TestLine] {
        let kind = generator.upTo(7)
        var time = Self.start + Int64(generator.upTo(1_000_000_000))
        return (0..<count).map { _ in
            // Some lines share a time.
            time += generator.chance(0.1) ? 0 : Int64(generator.upTo(90_000)) * 1_000_000
            let level = LineLevel(rawValue: UInt8(generator.chance(0.9) ? 3 : generator.upTo(7))) ?? .info
            var line = TestLine(time: time, level: level, text: text(generator.chance(0.97) ? kind : generator.upTo(7)))
            if kind % 3 == 0 { line.metadata = metadata() }
            return line
        }
    }

    private mutating func text(_ kind: Int) -> [UInt8] {
        switch kind {
        case 0: Array(json().utf8)
        case 1: Array(logfmt().utf8)
        case 2: Array(access().utf8)
        case 3: Array(sentence().utf8)
        case 4: garbage()
        case 5: Array(oddJSON().utf8)
        case 6: generator.coin() ? [] : [UInt8](repeating: UInt8(generator.upTo(255)), count: generator.upTo(3_000))
        default: Array(number().utf8)
        }
    }

    private mutating func metadata() -> [StreamLabels.Label] {
        switch generator.upTo(3) {
        case 0: []
        case 1: [.init("trace_id", hex(32))]
        case 2: [.init("quote", "a\"b\\c"), .init("user", "u\(generator.upTo(5))")]
        default: [.init("user", "")]
        }
    }

    private mutating func hex(_ count: Int) -> String {
        String((0..<count).map { _ in Array("0123456789abcdef")[generator.upTo(15)] })
    }

    private mutating func pick(_ words: [String]) -> String { words[generator.upTo(words.count - 1)] }

    private mutating func sentence() -> String {
        let verb = pick(["opened", "closed", "refused", "lost"])
        return "connection \(verb) by user\(generator.upTo(90)) after \(generator.upTo(9_999))ms (\(hex(4)))"
    }

    private mutating func json() -> String {
        var line = "{\"ts\":\"2026-05-30T12:\(10 + generator.upTo(49)):\(10 + generator.upTo(49)).\(number())Z\""
        line += ",\"level\":\"\(pick(["info", "warn", "error"]))\",\"msg\":\"\(sentence())\""
        line +=
            ",\"status\":\(pick(["200", "404", "503"])),\"took\":\(number()),\"ok\":\(pick(["true", "false", "null"]))"
        if generator.chance(0.3) { line += ",\"http\":{\"path\":\"/a/\(number())\",\"tags\":[1,\"x]\",{}]}" }
        return line + ",\"trace_id\":\"\(hex(32))\"}"
    }

    private mutating func oddJSON() -> String {
        switch generator.upTo(5) {
        case 0: "{\"a\":\"x\\\"y\\\\\",\"b\": [1, 2], \"a\":\"\(number())\"}"
        case 1: "{\"a\":\"null\",\"b\":null,\"c d\":\"\(pick(["", "é", "\u{FFFD}"]))\"}"
        case 2: "{\"a\":nul,\"b\":\"\(number())\"}"
        case 3: "{\"a\":{\"b\":\(number()),\"b\":\"z\"},\"\":\"empty\"} "
        case 4: "{\"a\":\"\(number())\""
        default: "{\"\(pick(["k1", "k2", "k3"]))\":\"[\(number())\"}"
        }
    }

    private mutating func logfmt() -> String {
        var line = "level=\(pick(["info", "debug"])) msg=\"\(sentence())\" took=\(number())ms id=\(hex(8))"
        if generator.chance(0.2) { line += " empty= odd=a=b quoted=\"a \\\"b\\\" c\"" }
        return line
    }

    private mutating func access() -> String {
        "10.0.\(generator.upTo(255)).\(generator.upTo(255)) - - [30/May/2026:12:00:00 +0000] "
            + "\"GET /v1/items/\(number())?x=\(number()) HTTP/1.1\" \(pick(["200", "500"])) \(number()) \"-\" \"curl/8\""
    }

    private mutating func number() -> String {
        switch generator.upTo(5) {
        case 0: "0"
        case 1: "00\(generator.upTo(99))"
        case 2: "-\(generator.upTo(99))"
        case 3: "\(generator.upTo(999)).\(generator.upTo(9))"
        default: "\(generator.upTo(100_000))"
        }
    }

    private mutating func garbage() -> [UInt8] {
        (0..<generator.upTo(200)).map { _ in UInt8(generator.upTo(255)) }
    }

    /// Something to search for: a part of one of the lines as a rule.
    mutating func needle(in lines: [TestLine]) -> [UInt8] {
        let line = lines[generator.upTo(lines.count - 1)].text
        guard line.count > 1, generator.chance(0.9) else { return Array(pick(["", "x", "\"", "nothing", ":"]).utf8) }
        let start = generator.upTo(line.count - 1)
        var needle = Array(line[start..<min(line.count, start + 1 + generator.upTo(generator.coin() ? 6 : 40))])
        if generator.chance(0.1) { needle[needle.count - 1] ^= 1 }
        return needle
    }
}
