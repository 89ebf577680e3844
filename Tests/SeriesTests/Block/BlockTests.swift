import MillraceTesting
import Series
import SimulatedMachine
import Telemetry
import Testing
import View

@Suite struct BlockTests {
    static let types: [FieldType] = [.float, .integer, .unsigned, .string, .boolean]

    /// Series of few and of many rows, tags of which some are missing, fields of which some values are missing.
    static func model(
        _ random: inout SeededGenerator, series count: Int, rows: ClosedRange<Int>, isSparse: Bool = true
    ) -> BlockModel {
        var tags: Set<[[UInt8]]> = []
        for _ in 0..<count {
            var values: [[UInt8]] = []
            for choices in [3, 40, 5000] {
                let choice = Int.random(in: 0..<choices, using: &random)
                values.append(choice % 4 == 0 ? [] : Array("v\u{1}\(choice)".utf8) + (choice % 5 == 0 ? [0] : []))
            }
            tags.insert(values)
        }
        var series = tags.map { values in
            zip(["host", "rack", "zone"], values).map { (key: Array($0.utf8), value: $1) }.filter { !$0.value.isEmpty }
        }
        series.sort { SeriesKey.compare(SeriesKey.encode($0), SeriesKey.encode($1)) < 0 }
        let fields = types.enumerated().map { (name: Array("f\($0)".utf8), type: $1) }
        return BlockModel(
            fields: fields,
            series: series.map { tags in
                var time = Int64.random(in: -1_000_000...1_000_000, using: &random) * 1_000_000
                let isSparse = isSparse && Bool.random(using: &random)
                let rows = (0..<Int.random(in: rows, using: &random)).map { _ in
                    time += Int64.random(in: 1...20, using: &random) * 1_000_000
                    return (time: time, values: values(&random, isSparse))
                }
                return (tags, rows)
            })
    }

    private static func values(_ random: inout SeededGenerator, _ isSparse: Bool) -> [ModelValue?] {
        var values: [ModelValue?] = [
            .float((Double(Int.random(in: -5000...5000, using: &random)) / 100).bitPattern),
            .integer(Int64.random(in: -9...100, using: &random)),
            .unsigned(UInt64.random(in: (.max - 5)...(.max), using: &random)),
            .string(Array("message \(Int.random(in: 0..<3000, using: &random))".utf8)),
            .boolean(Bool.random(using: &random)),
        ]
        guard isSparse else { return values }
        for index in values.indices where Int.random(in: 0..<3, using: &random) == 0 { values[index] = nil }
        return values
    }

    private static func open(_ model: BlockModel, batchSize: Int = 700) throws -> BlockTable {
        let store = MemoryBlockStore()
        let entry = try #require(try model.write(to: store, batchSize: batchSize))
        let block = try Block(try store.map(entry), name: "test")
        #expect(block.details == (try BlockDetails(decoding: entry.details)))
        return try #require(block.table(Array("m".utf8)))
    }

    private static func read(_ cursor: BlockCursor, _ table: BlockTable, _ series: [UInt32]) throws -> [ModelRow] {
        var batches: [PointBatch] = []
        while let batch = try cursor.next() {
            #expect(batch.runs.reduce(0) { $0 + Int($1.count) } == batch.times.count)
            batches.append(batch)
        }
        let columns = try table.columns(of: series)
        return ModelRow.flatten(batches) { number in
            var key: [UInt8] = []
            columns.appendKey(of: Int(number), to: &key)
            return key
        }
    }

    @Test(arguments: SimulationSeeds.chosen(12))
    func whatIsWrittenIsRead(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let shapes: [(Int, ClosedRange<Int>)] = [
            (400, 1...4), (5, 200...4500), (60, 0...300), (1, 1...1), (4500, 1...2),
        ]
        let (count, rows) = shapes[Int(seed) % shapes.count]
        let model = Self.model(&random, series: count, rows: rows)
        let table = try Self.open(model, batchSize: Int.random(in: 1...5000, using: &random))
        let all = try table.matching(.all).members
        #expect(all.count == model.series.count { !$0.rows.isEmpty })
        let names = model.fields.map(\.name)
        let cursor = try BlockCursor(table, series: all, range: .min ... .max, fields: names)
        #expect(try Self.read(cursor, table, all) == model.rows())
    }

    @Test(arguments: SimulationSeeds.chosen(12))
    func scansGiveWhatIsAskedFor(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let model = Self.model(
            &random, series: [3, 50, 1000][Int(seed) % 3], rows: [1...6000, 1...300, 1...3][Int(seed) % 3])
        let table = try Self.open(model)
        let wanted = model.series.indices.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
        let bounds = [-900_000, 900_000].map { $0 * 1_000_000 + Int64.random(in: 0..<400_000_000_000, using: &random) }
        let range = bounds[0]...max(bounds[0], bounds[1])
        let fields = [3, 0].shuffled(using: &random).dropLast(Int.random(in: 0...1, using: &random)).map { $0 }
        let isWanted = Set(wanted)
        for descending in [false, true] {
            let cursor = try BlockCursor(
                table, series: wanted.map(UInt32.init), range: range, fields: fields.map { model.fields[$0].name },
                descending: descending)
            let expected = model.rows({ isWanted.contains($0) }, in: range, fields: fields, descending: descending)
            #expect(try Self.read(cursor, table, wanted.map(UInt32.init)) == expected)
        }
    }

    @Test(arguments: SimulationSeeds.chosen(6))
    func predicatesChooseSeries(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let model = Self.model(&random, series: 3000, rows: 1...2)
        let table = try Self.open(model)
        func value(_ index: Int, _ key: String) -> [UInt8] {
            model.series[index].tags.first { $0.key == Array(key.utf8) }?.value ?? []
        }
        let some = (0..<4).map { _ in Int.random(in: 0..<model.series.count, using: &random) }
        for key in ["host", "rack", "zone", "none"] {
            for value0 in some.map({ value($0, key) }) + [[], Array("else".utf8)] {
                let found = try table.matching(.equals(key: Array(key.utf8), value: value0)).members
                #expect(found == model.series.indices.filter { value($0, key) == value0 }.map(UInt32.init))
            }
        }
        let (host, rack) = (value(some[0], "host"), value(some[1], "rack"))
        let both = TagPredicate.and([
            .equals(key: Array("host".utf8), value: host),
            .not(.satisfies(key: Array("rack".utf8), test: { [UInt8]($0) == rack })),
        ])
        #expect(
            try table.matching(.or([both, .equals(key: Array("zone".utf8), value: value(some[2], "zone"))])).members
                == model.series.indices.filter {
                    value($0, "host") == host && value($0, "rack") != rack
                        || value($0, "zone") == value(some[2], "zone")
                }.map(UInt32.init))
    }

    @Test func summariesSayWhatThePointsSay() throws {
        var random = SeededGenerator(seed: 1)
        let model = Self.model(&random, series: 4, rows: 3000...6000)
        let table = try Self.open(model)
        let all = try table.matching(.all).members
        let cursor = try BlockCursor(table, series: all, range: .min ... .max, fields: [model.fields[1].name])
        var (summed, counted, summaries) = (Int64(0), 0, 0)
        while let step = try cursor.next({ summary in summary.fields[0].figures != nil }) {
            switch step {
            case .summary(let summary):
                summaries += 1
                guard case .integer(let minimum, _, let sum)? = summary.fields[0].figures else { continue }
                #expect(minimum >= -9)
                summed += sum
                counted += summary.fields[0].count
            case .points(let batch):
                for row in batch.times.indices {
                    guard case .integer(let value)? = batch.columns[0][row] else { continue }
                    summed += value
                    counted += 1
                }
            }
        }
        let values = model.rows(fields: [1]).compactMap { $0.values[0] }
        #expect(counted == values.count)
        #expect(summed == values.reduce(0) { if case .integer(let value) = $1 { $0 + value } else { $0 } })
        #expect(summaries > 0 || model.rows(fields: [1]).count < 20_000)
    }

    @Test(arguments: SimulationSeeds.chosen(4))
    func removedPointsAreNotSeen(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let model = Self.model(&random, series: 20, rows: 1...3000)
        let table = try Self.open(model)
        var set = OrdinalSet(universe: table.seriesCount)
        for ordinal in stride(from: 0, to: table.seriesCount, by: 2) { set.insert(ordinal) }
        let range: ClosedRange<Int64> = 0...500_000_000_000
        let all = try table.matching(.all).members
        let cursor = try BlockCursor(
            table, series: all, range: .min ... .max, fields: model.fields.map(\.name),
            removing: [BlockRemoval(series: set, range: range)])
        let even = Set(stride(from: 0, to: table.seriesCount, by: 2).map { SeriesKey.encode(model.series[$0].tags) })
        let expected = model.rows().filter { !(even.contains($0.key) && range.contains($0.time)) }
        #expect(try Self.read(cursor, table, all) == expected)
    }
}
