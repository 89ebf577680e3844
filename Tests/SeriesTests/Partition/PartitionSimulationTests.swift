import MillraceTesting
import Series
import SimulatedMachine
import Telemetry
import Testing
import View

/// Random lines, deletions, cuts, compactions and crashes against `PartitionModel`. A failure names its seed:
/// `MILLRACE_SEED` replays it.
@Suite struct PartitionSimulationTests {
    static let hour: Int64 = 3_600_000_000_000

    @Test(arguments: SimulationSeeds.chosen(8))
    func aPartitionAnswersAsTheModel(seed: UInt64) throws {
        var run = try SimulationRun(seed: seed)
        for step in 0..<100 {
            try run.act()
            if step % 8 == 7 { try run.compare("seed \(seed), step \(step)") }
        }
        try run.compareSchema("seed \(seed)")
    }
}

struct SimulationRun {
    var site: PartitionSite
    var model = PartitionModel()
    var random: SeededGenerator
    /// Nanoseconds.
    var now: Int64 = 1000 * PartitionSimulationTests.hour

    static let measurements = ["cpu", "m e", "log"]
    static let tagKeys = ["host", "region", "id"]
    static let fields = ["a", "b", "s", "ok"]
    static let policies = ["autogen", "short", "long"]

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        site = try PartitionSite()
        try addPolicies()
    }

    private mutating func addPolicies() throws {
        let hour = PartitionSimulationTests.hour
        for (name, duration, shard) in [("short", 100 * hour, 10 * hour), ("long", 10_000 * hour, 50 * hour)] {
            try site.command(
                .setRetentionPolicy(
                    RetentionPolicy(
                        name: bytes(name), durationNanoseconds: duration, shardNanoseconds: shard, isDefault: false)))
            model.durations[name] = duration
        }
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func pick<T>(_ list: [T]) -> T { list[Int.random(in: list.indices, using: &random)] }

    mutating func act() throws {
        now += Int64.random(in: 0..<(PartitionSimulationTests.hour / 10), using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<68: try writeLines()
        case 68..<76: try site.cut()
        case 76..<79: site.freeze()
        case 79..<82: try site.commitFrozen()
        case 82..<88:
            // Wall time: nothing of the model expires, as it keeps to the policies' long times.
            _ = try site.compact(now: now / 1_000_000)
        case 88..<92: try crash()
        case 92..<98: try delete()
        default: try drop()
        }
    }

    private mutating func crash() throws {
        // What was refused is refused again, and nothing else.
        _ = try site.restart()
    }

    private mutating func writeLines() throws {
        let rp = pick(Self.policies)
        var lines: [String] = []
        var accepted: [Bool] = []
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            var tags: [String: String] = [:]
            for key in Self.tagKeys where chance(60) {
                tags[key] = pick(["x", "y z", "q,=", "w\u{1}", "long-value-0"])
            }
            let measurement = pick(Self.measurements)
            let time =
                switch Int.random(in: 0..<10, using: &random) {
                case 0: now - Int64.random(in: 0..<(200 * PartitionSimulationTests.hour), using: &random)
                case 1: Int64.random(in: 0..<now, using: &random)
                case 2: -now
                // Few enough for the same points to come again and again.
                default:
                    now / PartitionSimulationTests.hour * PartitionSimulationTests.hour
                        - Int64.random(in: 0..<6, using: &random) * 60_000_000_000
                }
            var fields: [String: ModelValue] = [:]
            while fields.isEmpty {
                for name in Self.fields where chance(50) { fields[name] = value(name) }
            }
            let point = PartitionModel.Point(rp: rp, measurement: measurement, tags: tags, time: time)
            lines.append(line(point, fields))
            accepted.append(model.write(point, fields, nowNanoseconds: now / 1_000_000 * 1_000_000))
        }
        let rejections = try site.write(lines.joined(separator: "\n"), rp: rp, now: now / 1_000_000)
        if model.durations[rp] == nil {
            #expect(rejections.count == 1)
        } else {
            #expect(rejections.count == accepted.filter { !$0 }.count, "\(rejections.map(\.reason))")
        }
    }

    private mutating func value(_ field: String) -> ModelValue {
        if chance(2) { return .boolean(true) }
        switch field {
        case "a": return .float(Double(Int.random(in: -1000...1000, using: &random)).bitPattern)
        case "b": return .integer(Int64.random(in: -5...5, using: &random))
        case "s": return .string(bytes(pick(["", "one", "say \"hi\"", "back\\slash", "three words here"])))
        default: return .boolean(chance(50))
        }
    }

    private mutating func line(_ point: PartitionModel.Point, _ fields: [String: ModelValue]) -> String {
        func escaped(_ text: String) -> String {
            text.replacing(" ", with: "\\ ").replacing(",", with: "\\,").replacing("=", with: "\\=")
        }
        var line = point.measurement.replacing(" ", with: "\\ ")
        let tags = point.tags.sorted { $0.key < $1.key }
        for tag in chance(50) ? tags : tags.reversed() { line += ",\(tag.key)=\(escaped(tag.value))" }
        let texts = fields.sorted { $0.key < $1.key }.map { name, value in
            switch value {
            case .float(let bits): "\(name)=\(Double(bitPattern: bits))"
            case .integer(let value): "\(name)=\(value)i"
            case .unsigned(let value): "\(name)=\(value)u"
            case .boolean(let value): "\(name)=\(value)"
            case .string(let text):
                "\(name)=\"\(String(decoding: text, as: UTF8.self).replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
            }
        }
        return line + " " + texts.joined(separator: ",") + " \(point.time)"
    }

    private mutating func delete() throws {
        var predicate = DeletePredicate(
            measurements: chance(30) ? [] : [bytes(pick(Self.measurements))], tags: [], range: .min ... .max,
            dropsSeries: chance(30))
        if chance(70) {
            predicate.tags = [
                DeletePredicate.Condition(
                    key: bytes(pick(Self.tagKeys)), values: [bytes("x"), bytes("y z")].filter { _ in chance(60) })
            ]
            if predicate.tags[0].values.isEmpty { predicate.tags[0].values = [[]] }
        }
        if !predicate.dropsSeries, chance(80) {
            let start = now - Int64.random(in: 0..<(30 * PartitionSimulationTests.hour), using: &random)
            predicate.range = start...(start + Int64.random(in: 0..<PartitionSimulationTests.hour, using: &random))
        }
        try site.command(.delete(predicate), now: now / 1_000_000)
        model.delete(predicate)
    }

    private mutating func drop() throws {
        if chance(50) {
            let name = pick(Self.measurements)
            try site.command(.dropMeasurement(name: bytes(name)), now: now / 1_000_000)
            model.dropMeasurement(name)
        } else {
            try site.command(.dropRetentionPolicy(name: bytes("short")), now: now / 1_000_000)
            model.dropPolicy("short")
            if chance(70) { try addPolicies() }
        }
    }

    mutating func compare(_ place: String) throws {
        for rp in Self.policies where model.durations[rp] != nil {
            for measurement in Self.measurements {
                let all = Int64.min...Int64.max
                try compare(place, rp, measurement, all, .all, Self.fields, descending: false) { _ in true }
                let start = now - Int64.random(in: 0..<(20 * PartitionSimulationTests.hour), using: &random)
                let range = start...(start + Int64.random(in: 0..<(5 * PartitionSimulationTests.hour), using: &random))
                try compare(
                    place, rp, measurement, chance(50) ? range : all,
                    .or([.equals(key: bytes("host"), value: bytes("x")), .not(.equals(key: bytes("id"), value: []))]),
                    [pick(Self.fields), "none", pick(Self.fields)], descending: chance(50)
                ) { $0["host"] == "x" || $0["id"] != nil }
                try compareTests(place, rp, measurement)
            }
        }
    }

    /// What a scan may leave out must be what its reader would leave out.
    private mutating func compareTests(_ place: String, _ rp: String, _ measurement: String) throws {
        guard model.durations[rp] == 0 else { return }
        let wanted = bytes(pick(["", "one", "three words here", "nowhere"]))
        let tests = [StringTest(field: bytes("s")) { $0.elementsEqual(wanted) }]
        func passing(_ rows: [ModelRow]) -> [ModelRow] { rows.filter { $0.values[0] == .string(wanted) } }
        let (fields, keys) = (["s", pick(Self.fields)], Self.tagKeys.sorted())
        let found = try site.rows(
            measurement, rp: rp, fields: fields, tagKeys: keys, descending: chance(50), tests: tests)
        let expected = model.rows(
            measurement, rp: rp, fields: fields, tagKeys: keys, range: .min ... .max
        ) { _ in true }
        #expect(passing(found) == passing(expected), "\(place): \(rp).\(measurement)")
    }

    private func compare(
        _ place: String, _ rp: String, _ measurement: String, _ range: ClosedRange<Int64>, _ tags: TagPredicate,
        _ fields: [String], descending: Bool, _ matches: ([String: String]) -> Bool
    ) throws {
        // A policy's points may be gone once they have expired.
        let kept = model.durations[rp] ?? 0
        let earliest = kept > 0 ? now - kept + 60 * PartitionSimulationTests.hour : .min
        let asked = max(range.lowerBound, earliest)...max(range.upperBound, earliest)
        let found = try site.rows(
            measurement, rp: rp, fields: fields, tagKeys: Self.tagKeys.sorted(), range: asked, tags: tags,
            descending: descending)
        let expected = model.rows(
            measurement, rp: rp, fields: fields, tagKeys: Self.tagKeys.sorted(), range: asked, matches)
        if found != expected {
            let missing = Array(Set(expected).subtracting(found).prefix(3))
            let more = Array(Set(found).subtracting(expected).prefix(3))
            Issue.record(
                "\(place): \(rp).\(measurement) \(asked): \(found.count) rows for \(expected.count); missing \(missing); more \(more)"
            )
        }
    }

    func compareSchema(_ place: String) throws {
        for rp in Self.policies where model.durations[rp] == 0 {
            for measurement in Self.measurements {
                let points = model.points.keys.filter { $0.rp == rp && $0.measurement == measurement }
                var found: Set<[String]> = []
                try site.partition.series(
                    of: bytes(measurement), retentionPolicy: bytes(rp), matching: .all, in: .min ... .max
                ) { series in
                    found.insert(
                        series.tags.flatMap {
                            [String(decoding: $0.key, as: UTF8.self), String(decoding: $0.value, as: UTF8.self)]
                        })
                    return true
                }
                let expected = Set(points.map { $0.tags.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] } })
                // Until compaction a series of which a deletion left nothing may still be told.
                #expect(found.isSuperset(of: expected), "\(place)")
            }
        }
    }
}
