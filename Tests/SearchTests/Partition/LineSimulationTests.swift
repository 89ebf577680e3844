import KafkaWire
import MillraceTesting
import Patterns
import Search
import SimulatedMachine
import Telemetry
import Testing
import View

/// Random lines, deletions, cuts, compactions and crashes against `LineModel`. A failure names its seed:
/// `MILLRACE_SEED` replays it.
@Suite struct LineSimulationTests {
    @Test(arguments: SimulationSeeds.chosen(8))
    func aPartitionAnswersAsTheModel(seed: UInt64) throws {
        var run = try LineRun(seed: seed)
        for step in 0..<60 {
            try run.act()
            if step % 10 == 9 { try run.compare("seed \(seed), step \(step)") }
        }
    }
}

struct LineRun {
    var site: LineSite
    var model = LineModel()
    var random: SeededGenerator
    /// Nanoseconds.
    var now: Int64 = 20_000 * Self.day + 5
    /// Whether lines are pushed again: then those that are in several blocks are found several times.
    let repeats: Bool
    var pushed: [LineSite.Record] = []
    var count = 0

    static let day: Int64 = 86_400_000_000_000
    static let minute: Int64 = 60_000_000_000
    static let streams = [
        "{app=\"api\",host=\"x\"}", "{app=\"api\",host=\"y\"}", "{app=\"db\",level=\"warn\"}", "{class=\"audit\"}",
        "{app=\"web\",host=\"x\"}",
    ]

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        repeats = seed % 2 == 0
        site = try LineSite()
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func pick<T>(_ list: [T]) -> T { list[Int.random(in: list.indices, using: &random)] }
    private mutating func number(_ range: Range<Int64>) -> Int64 { Int64.random(in: range, using: &random) }

    mutating func act() throws {
        now += number(0..<Self.day / 8)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<62: try push()
        case 62..<72: try site.cut()
        case 72..<75: site.freeze()
        case 75..<79: try site.commitFrozen()
        case 79..<88: while try site.compact(now: now / 1_000_000), chance(70) {}
        case 88..<92: #expect(try site.restart().isEmpty)
        case 92..<97: try delete()
        default: try setRetention()
        }
    }

    private mutating func push() throws {
        var records: [LineSite.Record] = []
        for _ in 0..<Int(number(1..<80)) {
            if repeats, !pushed.isEmpty, chance(10) {
                records.append(pick(pushed))
                continue
            }
            let time =
                switch Int.random(in: 0..<12, using: &random) {
                case 0: now - number(0..<30 * Self.day)
                case 1: now / Self.day * Self.day - number(0..<3)
                case 2: number(-5..<5)
                case 3: now + number(0..<Self.day)
                default: now / Self.minute * Self.minute - number(0..<5) * Self.minute - number(0..<4)
                }
            let metadata: [(String, String)] =
                chance(80) ? [] : [("trace", "\(number(0..<4))")] + (chance(30) ? [("level", "error")] : [])
            records.append(LineSite.record(pick(Self.streams), time, line(), metadata))
        }
        pushed += records.prefix(20)
        for record in records { model.push(Self.found(record)) }
        #expect(try site.append(.init(records: records, time: now / 1_000_000)).isEmpty)
    }

    private static func found(_ record: LineSite.Record) -> FoundLine {
        var line = FoundLine(stream: record.key ?? "", time: record.timestamp * 1_000_000, line: record.value)
        for header in record.headers {
            let text = String(decoding: header.value ?? [], as: UTF8.self)
            if header.key == "ns" { line.time += Int64(text) ?? 0 } else { line.metadata[header.key] = text }
        }
        return line
    }

    private mutating func line() -> [UInt8] {
        count += 1
        // No line comes twice unless it is meant to.
        let id = repeats ? number(0..<50) : Int64(count)
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            return bytes(
                #"{"id":\#(id),"status":\#(200 + number(0..<5) * 100),"user":{"name":"\#(pick(["Bob", "Eve \\\"q\\\"", "ö"]))"}}"#
            )
        case 1:
            return bytes(
                "ts=\(id) level=\(pick(["info", "error", "debug"])) msg=\"slow query\" dur=\(number(0..<900))ms")
        case 2: return bytes("10.0.0.\(number(0..<9)) - - \"GET /\(id) HTTP/1.1\" 200 \(number(0..<9_999))")
        case 3: return bytes("needle-\(id) \(pick(["Refused", "refused", "timeout after 12345ms"]))")
        case 4:
            var line = bytes("\(id) ")
            for _ in 0..<number(0..<30) { line.append(UInt8.random(in: 0...255, using: &random)) }
            return line
        default: return bytes("\(id) ") + [UInt8](repeating: 0x61, count: Int(number(0..<3_000)))
        }
    }

    private mutating func selector() -> String {
        pick([
            "{}", "{app=\"api\"}", "{host=~\"x|z\"}", "{app!=\"api\"}", "{class=\"audit\"}", "{app=~\".+\",host=\"\"}",
        ])
    }

    private mutating func delete() throws {
        let first = chance(30) ? .min : now - number(0..<3 * Self.day)
        let last = chance(30) ? Int64.max : max(first, now - number(0..<Self.day))
        let deletion = SearchDeletion(
            selector: selector(), first: first, last: last,
            containing: chance(40) ? pick([bytes("Bob"), bytes("refused"), bytes("0"), [0xC3]]) : [])
        try site.command(.delete(deletion), now: now / 1_000_000)
        try model.delete(deletion)
    }

    private mutating func setRetention() throws {
        // Never shorter than before: what has expired once does not come back.
        guard model.retention == SearchRetention() else { return }
        let retention = SearchRetention(
            rules: [
                .init(selector: "{class=\"audit\"}", nanoseconds: 0),
                .init(selector: "{app=\"db\"}", nanoseconds: 2 * Self.day),
            ],
            nanoseconds: chance(50) ? 10 * Self.day : 0)
        try site.command(.setRetention(retention), now: now / 1_000_000)
        model.retention = retention
    }

    mutating func compare(_ place: String) throws {
        for condition in try conditions().shuffled(using: &random).prefix(4) {
            let selector = self.selector()
            var request = LineRequest(matchers: try StreamSelector(selector).matchers, range: .all)
            if chance(50) {
                request.range = TimeWindow(start: now - number(0..<4 * Self.day), end: now - number(0..<Self.day))
            }
            request.condition = condition
            request.descending = chance(50)
            try compare("\(place): \(selector) \(condition) in \(request.range)", request)
        }
        try compareTotals(place)
        try compareStreams(place)
        let names = Set(model.lines.flatMap(\.metadata.keys))
        #expect(site.partition.metadataNames?.isSuperset(of: names) == true)
        #expect(site.partition.metadataNames?.isSubset(of: ["trace", "level"]) == true)
    }

    private mutating func conditions() throws -> [LineCondition] {
        [
            .all, .contains(bytes("needle-\(number(0..<Int64(max(1, count))))")), .contains(bytes("eedl")),
            .containsIgnoringCase(bytes("refused")), .level([.error, .warn]),
            .matches(try Pattern("timeout after [0-9]{5}ms"), needs: [bytes("timeout after ")]),
            .field(FieldReference(.json, "user_name"), .equals(bytes("Bob"))),
            .field(FieldReference(.json, "status"), .number(.greater, 300)),
            .field(FieldReference(.logfmt, "level"), .exists),
            .and([.not(.contains(bytes("GET"))), .or([.contains(bytes("1")), .level([.debug])])]),
        ]
    }

    private func compare(_ place: String, _ request: LineRequest) throws {
        let all = try site.partition.lines(request)
        let found = Set(all)
        if !repeats, found.count != all.count { Issue.record("\(place): lines come twice") }
        var known: [String: StreamLabels] = [:]
        for stream in Self.streams { known[stream] = try StreamLabels(text: stream) }
        let wanted = model.lines.filter { line in
            guard let labels = known[line.stream] else { return false }
            return request.range.contains(line.time) && request.matchers.allSatisfy { $0.holds(for: labels) }
                && LineModel.holds(request.condition, line)
        }
        let missing = try wanted.subtracting(found).filter { try model.isKept($0, now: now) }
        let more = found.subtracting(wanted)
        if !missing.isEmpty || !more.isEmpty {
            Issue.record(
                "\(place): \(found.count) for \(wanted.count); missing \(Self.text(missing)); more \(Self.text(more))")
        }
    }

    private static func text(_ lines: Set<FoundLine>) -> String {
        lines.prefix(2).map { "\($0.stream) \($0.time) \(String(decoding: $0.line, as: UTF8.self))" }.joined(
            separator: "; ")
    }

    private mutating func compareTotals(_ place: String) throws {
        guard !repeats else { return }
        var request = TotalsRequest(
            matchers: [], start: now / Self.minute * Self.minute - 2 * Self.day + (chance(50) ? 0 : 7),
            bucketNanoseconds: pick([Self.minute, 5 * Self.minute, Self.day, 77_777_777_777]), bucketCount: 3_000)
        request.byLevel = chance(50)
        var expected: [String: [Int64: Int64]] = [:]
        var found: [String: [Int64: Int64]] = [:]
        for line in model.lines where line.time > request.start {
            let bucket = (line.time - request.start - 1) / request.bucketNanoseconds
            guard bucket < 3_000, try model.isKept(line, now: now) else { continue }
            let key = bucket * 8 + (request.byLevel ? Int64(line.level.rawValue) : 0)
            expected[line.stream, default: [:]][key, default: 0] += 1_000_000 + Int64(line.line.count)
        }
        for totals in try site.partition.totals(request) {
            for entry in totals.entries {
                found[totals.stream.text, default: [:]][Int64(entry.bucket) * 8 + Int64(entry.level.rawValue)] =
                    entry.lines * 1_000_000 + entry.bytes
            }
        }
        // Expired lines may still be counted.
        guard model.retention == SearchRetention() else { return }
        #expect(found == expected, "\(place): totals of \(request)")
    }

    private func compareStreams(_ place: String) throws {
        let found = Set(try site.partition.streams(matching: [], in: .all).map(\.text))
        let expected = Set(try model.lines.filter { try model.isKept($0, now: now) }.map(\.stream))
        #expect(found.isSuperset(of: expected), "\(place)")
    }
}
