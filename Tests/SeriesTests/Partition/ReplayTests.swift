import KafkaWire
import MillraceTesting
import Series
import SimulatedMachine
import Telemetry
import Testing
import View

/// What is accepted and refused, and what is answered, follows from the log alone: not from when it was cut, compacted
/// or replayed.
@Suite struct ReplayTests {
    /// The first seed drops a series while the head that has it is being written, and then another.
    @Test(arguments: [158_587_415_590_335] + SimulationSeeds.chosen(12))
    func theSameLogGivesTheSameOutcomes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let log = Self.log(&random)
        var plain = try PartitionSite()
        var outcomes: [[String]] = []
        for batch in log { outcomes.append(try plain.append(batch).map(Self.text)) }
        #expect(outcomes.contains { !$0.isEmpty })

        var site = try PartitionSite()
        for (index, batch) in log.enumerated() {
            #expect(try site.append(batch).map(Self.text) == outcomes[index], "seed \(seed), batch \(index)")
            switch Int.random(in: 0..<10, using: &random) {
            case 0, 1: try site.cut()
            case 2: site.freeze()
            case 3: try site.commitFrozen()
            case 4: _ = try site.compact(now: 1)
            case 5:
                let replayed = site.log.indices.filter { site.log[$0].offset >= site.manifest.nextOffset }
                let expected = replayed.flatMap { outcomes[$0] }
                #expect(try site.restart().map(Self.text) == expected, "seed \(seed), after batch \(index)")
            default: break
            }
        }
        #expect(site.partition.seriesEstimate == plain.partition.seriesEstimate, "seed \(seed)")
        for rp in ["autogen", "short"] {
            for measurement in ["m", "n", "o", "w"] {
                func rows(_ site: PartitionSite) throws -> [ModelRow] {
                    try site.rows(measurement, rp: rp, fields: ["f0", "f1", "f2", "f3"], tagKeys: ["t", "u"])
                }
                #expect(try rows(site) == rows(plain), "seed \(seed), \(rp).\(measurement)")
            }
        }
    }

    private static func text(_ rejection: Rejection) -> String {
        "\(rejection.offset) \(rejection.position) \(rejection.reason) \(String(decoding: rejection.content, as: UTF8.self))"
    }

    /// Lines and commands that keep hitting the bounds.
    private static func log(_ random: inout SeededGenerator) -> [PartitionSite.Batch] {
        let hour: Int64 = 3_600_000
        var now = 1_000 * hour
        var limits = SeriesLimits()
        (limits.maximumSeries, limits.maximumTagValues, limits.maximumMeasurements, limits.maximumFields) = (
            25, 5, 3, 3
        )
        let short = RetentionPolicy(
            name: bytes("short"), durationNanoseconds: 8 * hour * 1_000_000, shardNanoseconds: hour * 1_000_000,
            isDefault: false)
        var log: [PartitionSite.Batch] = []
        for command in [SeriesCommand.setLimits(limits), .setRetentionPolicy(short)] {
            log.append(.init(values: [CommandCodec.encode(command)], time: now, isControl: true))
        }
        for _ in 0..<120 {
            now += Int64.random(in: 0..<hour, using: &random)
            if Int.random(in: 0..<12, using: &random) == 0 {
                log.append(.init(values: [CommandCodec.encode(command(&random))], time: now, isControl: true))
                continue
            }
            let isShort = Int.random(in: 0..<3, using: &random) == 0
            var text = ""
            for _ in 0..<Int.random(in: 1..<8, using: &random) {
                let name = isShort ? "w" : ["m", "n", "o", "p"][Int.random(in: 0..<4, using: &random)]
                text += name
                if Int.random(in: 0..<4, using: &random) > 0 { text += ",t=\(Int.random(in: 0..<8, using: &random))" }
                if Int.random(in: 0..<2, using: &random) > 0 { text += ",u=\(Int.random(in: 0..<7, using: &random))" }
                let value = Int.random(in: 0..<9, using: &random)
                text += " f\(Int.random(in: 0..<4, using: &random))=\(value)\(value == 7 ? "i" : "")"
                text += " \((now - Int64.random(in: 0..<(10 * hour), using: &random)) * 1_000_000)\n"
            }
            let header = RecordHeader(key: "rp", value: bytes(isShort ? "short" : "autogen"))
            log.append(.init(values: [bytes(text)], headers: [header], time: now))
        }
        return log
    }

    private static func command(_ random: inout SeededGenerator) -> SeriesCommand {
        let name = bytes(["m", "n", "o"][Int.random(in: 0..<3, using: &random)])
        if Int.random(in: 0..<3, using: &random) == 0 { return .dropMeasurement(name: name) }
        return .delete(
            DeletePredicate(
                measurements: [name],
                tags: [.init(key: bytes("t"), values: [bytes("\(Int.random(in: 0..<8, using: &random))")])],
                range: .min ... .max, dropsSeries: true))
    }
}
