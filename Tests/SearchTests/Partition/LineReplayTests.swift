import MillraceTesting
import Search
import SimulatedMachine
import Telemetry
import Testing
import View

/// What is accepted and refused, and what is answered, follows from the log alone: not from when it was cut, compacted
/// or replayed.
@Suite struct LineReplayTests {
    @Test(arguments: SimulationSeeds.chosen(10))
    func theSameLogGivesTheSameOutcomes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let log = Self.log(&random)
        var plain = try LineSite()
        var outcomes: [[Rejection]] = []
        for batch in log { outcomes.append(try plain.append(batch)) }
        #expect(outcomes.contains { !$0.isEmpty })

        var site = try LineSite()
        for (index, batch) in log.enumerated() {
            #expect(try site.append(batch) == outcomes[index], "seed \(seed), batch \(index)")
            switch Int.random(in: 0..<10, using: &random) {
            case 0, 1: try site.cut()
            case 2: site.freeze()
            case 3: try site.commitFrozen()
            case 4: _ = try site.compact(now: 1)
            case 5:
                let replayed = site.log.indices.filter { site.log[$0].offset >= site.manifest.nextOffset }
                let expected = replayed.flatMap { outcomes[$0] }
                #expect(try site.restart() == expected, "seed \(seed), after batch \(index)")
            default: break
            }
        }
        let request = LineRequest(matchers: [], range: .all)
        #expect(try site.partition.lines(request).sorted() == plain.partition.lines(request).sorted(), "seed \(seed)")
    }

    /// Lines and commands that keep hitting the bounds.
    private static func log(_ random: inout SeededGenerator) -> [LineSite.Batch] {
        let hour: Int64 = 3_600_000
        var now = 1_000 * hour
        var log: [LineSite.Batch] = []
        var number = 0
        for step in 0..<150 {
            now += Int64.random(in: 0..<6 * hour, using: &random)
            if step % 20 == 0 || Int.random(in: 0..<12, using: &random) == 0 {
                let command = command(&random, isLimit: step % 20 == 0)
                let record = LineSite.Record(value: SearchCommandCodec.encode(command))
                log.append(.init(records: [record], time: now, isControl: true))
                continue
            }
            var records: [LineSite.Record] = []
            for _ in 0..<Int.random(in: 1..<9, using: &random) {
                number += 1
                let time = (now - Int64.random(in: 0..<(50 * hour), using: &random)) * 1_000_000 + 7
                var labels = "{app=\"\(Int.random(in: 0..<9, using: &random))\""
                if Int.random(in: 0..<8, using: &random) == 0 { labels += ",b=\"1\",c=\"2\"" }
                let line = "\(number) " + String(repeating: "x", count: Int.random(in: 0..<40, using: &random))
                let metadata = (0..<Int.random(in: 0..<3, using: &random)).map { ("k\($0)", "v") }
                let isNamed = Int.random(in: 0..<10, using: &random) > 0
                records.append(LineSite.record(isNamed ? labels + "}" : "no labels", time, bytes(line), metadata))
            }
            log.append(.init(records: records, time: now))
        }
        return log
    }

    private static func command(_ random: inout SeededGenerator, isLimit: Bool) -> SearchCommand {
        if isLimit {
            var limits = SearchLimits()
            limits.streams = Int64.random(in: 4..<9, using: &random)
            limits.labels = Int64.random(in: 1..<3, using: &random)
            limits.lineBytes = Int64.random(in: 20..<45, using: &random)
            limits.metadataEntries = Int64.random(in: 1..<4, using: &random)
            return .setLimits(limits)
        }
        let selector = "{app=\"\(Int.random(in: 0..<9, using: &random))\"}"
        return .delete(SearchDeletion(selector: selector, first: .min, last: .max, containing: bytes("1")))
    }
}
