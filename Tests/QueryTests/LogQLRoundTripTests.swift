import Query
import SimulatedMachine
import Testing

/// What a query prints is read as the same query, and any text is read or refused.
@Suite struct LogQLRoundTripTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func generatedQueries(seed: UInt64) throws {
        var maker = QueryMaker(seed: seed)
        for _ in 0..<500 {
            let text = maker.query()
            guard let query = try? LogQL.parse(text), let again = try? LogQL.parse("\(query)") else {
                Issue.record("seed \(seed): not read: \(text)")
                continue
            }
            let printed = "\(query)"
            #expect("\(again)" == printed, "seed \(seed): \(text)")
            #expect(again == query || printed.contains("0 / 0"), "seed \(seed): \(text) prints \(printed)")
            for width in [20, 100] {
                #expect("\(try LogQL.parse(query.formatted(width: width)))" == printed, "seed \(seed): \(text)")
            }
        }
    }

    /// Queries with a piece cut out, doubled or moved: an error or a query, never a trap.
    @Test(arguments: [1, 2] as [UInt64])
    func damagedQueries(seed: UInt64) {
        var maker = QueryMaker(seed: seed)
        for _ in 0..<2_000 {
            var scalars = Array(maker.query().unicodeScalars)
            let start = maker.number(scalars.count)
            let end = min(scalars.count, start + maker.number(6))
            let piece = Array(scalars[start..<end])
            scalars.removeSubrange(start..<end)
            scalars.insert(contentsOf: piece, at: maker.number(scalars.count + 1))
            let text = String(String.UnicodeScalarView(scalars))
            if let search = try? PlainSearch(text) {
                let query = try? LogQL.parse(search.text, needsMatcher: false)
                #expect(query == .lines(search.selector), "\(text) means \(search.text)")
            }
            guard let query = try? LogQL.parse(text) else { continue }
            #expect((try? LogQL.parse("\(query)")) != nil, "\(text) prints \(query)")
            if case .lines(let selector) = query { _ = try? LinePipeline(selector.stages) }
        }
    }

    @Test func deepNestingIsRefused() {
        for text in ["(", "sum(", "1 + (", "{a=\"b\"} | (", "count_over_time(("] {
            let query = String(repeating: text, count: 10_000)
            #expect(throws: QueryError.self) { _ = try LogQL.parse(query) }
        }
        let long = "{a=\"b\"}" + String(repeating: " | x=\"y\"", count: 20_000)
        #expect(throws: QueryError.self) { _ = try LogQL.parse(long) }
    }
}

/// Makes queries from a seed.
private struct QueryMaker {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func number(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(generator.next() % UInt64(bound)) }

    private mutating func one(_ choices: [String]) -> String { choices[number(choices.count)] }

    private mutating func name() -> String { one(["app", "level", "status", "rate", "sum", "ip", "_x1", "bytes"]) }

    private mutating func string() -> String {
        one([#""a""#, #""a b""#, "`x\\d`", #""q\"u\\.o\n\u00e4""#, #""""#, #""(?i)err.*""#, #""a|b""#])
    }

    private mutating func matcher() -> String { name() + one(["=", "!=", "=~", "!~"]) + string() }

    private mutating func selector() -> String {
        var text = "{a=\"b\""
        for _ in 0..<number(3) { text += one([",", ", "]) + matcher() }
        return text + "}"
    }

    private mutating func filter(_ depth: Int = 0) -> String {
        switch number(depth > 3 ? 5 : 8) {
        case 0: return matcher()
        case 1: return name() + one([">", ">=", "<", "<=", "==", "=", "!="]) + one(["5", "-1.5", "1e9", "+2"])
        case 2: return name() + one([">", "<=", "=="]) + one(["5s", "1.5h", "250ms", "1w2d", "90m", "3us"])
        case 3: return name() + one([">", "<=", "!="]) + one(["5B", "2.5KiB", "10GB", "999kB", "1PB", "1234567B"])
        case 4: return name() + one(["=", "!="]) + "ip(\"10.0.0.0/8\")"
        case 5: return "(" + filter(depth + 1) + ")"
        default: return filter(depth + 1) + one([" and ", " or ", ", ", " "]) + filter(depth + 1)
        }
    }

    private mutating func stage() -> String {
        switch number(9) {
        case 0, 1:
            return one(["|= ", "!= ", "|~ ", "!~ "]) + string() + one(["", " or " + string()])
        case 2: return one(["|>", "!>"]) + " \"<_> x\""
        case 3: return "|= ip(\"1.2.3.4\")"
        case 4:
            return "| " + one(["json", "logfmt", "unpack", "decolorize", "logfmt --strict", "json a, b=\"c[0]\""])
        case 5: return "| " + one(["regexp \"(?P<x>a)\"", "pattern \"<x> <_>\"", "logfmt --keep-empty x=\"y\""])
        case 6:
            return "| "
                + one(["line_format \"{{.x}}\"", "label_format x=y,z=\"{{.w}}\"", "drop x,y=\"z\"", "keep x,y=\"z\""])
        default: return "| " + filter()
        }
    }

    private mutating func stages() -> String { (0..<number(4)).map { _ in stage() }.joined(separator: " ") }

    mutating func query() -> String { number(3) == 0 ? selector() + " " + stages() : metric(0) }

    private mutating func range() -> String {
        let window = one(["[5m]", "[1h30m]", "[1d]", "[90s]", "[500ms]"]) + one(["", " offset 1m", " offset -5m30s"])
        switch number(3) {
        case 0: return one(["rate", "count_over_time", "bytes_rate"]) + "(" + selector() + stages() + window + ")"
        case 1:
            return one(["sum_over_time", "rate"]) + "(" + selector() + stages() + " | unwrap "
                + one(["x", "bytes(x)", "duration(x)"]) + one(["", " | " + filter()]) + window + ")"
        default:
            return "quantile_over_time(0.95, " + selector() + "| unwrap x " + window + ")" + one(["", " by (a, b)"])
        }
    }

    private mutating func metric(_ depth: Int) -> String {
        switch number(depth > 3 ? 4 : 8) {
        case 0, 1: return range()
        case 2: return one(["1", "2.5", "vector(3)", "vector(0.125)", "-7", "1e30"])
        case 3: return "label_replace(" + range() + ", \"a\", \"$1\", \"b\", \"(.*)\")"
        case 4: return one(["sum", "max by (a)", "count without (a, b)"]) + " (" + metric(depth + 1) + ")"
        case 5: return "topk(3, " + metric(depth + 1) + ")" + one(["", " by (a)"])
        case 6: return "(" + metric(depth + 1) + ")"
        default:
            return range() + " "
                + one(["+", "-", "*", "/", "%", "^", ">", ">= bool", "== on (a)", "* on (a) group_left (b)"])
                + " " + metric(depth + 1)
        }
    }
}
