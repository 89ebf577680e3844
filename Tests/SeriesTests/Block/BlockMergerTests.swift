import MillraceTesting
import Series
import SimulatedMachine
import Testing
import View

@Suite struct BlockMergerTests {
    /// A part of a model's points, each with some other values.
    private static func part(
        _ model: BlockModel, _ random: inout SeededGenerator, isSparse: Bool
    ) -> BlockModel {
        var part = model
        part.series = model.series.compactMap { one in
            guard Int.random(in: 0..<4, using: &random) > 0 else { return nil }
            // Now a stretch of the rows, now some of all.
            let isStretch = Bool.random(using: &random)
            let bounds = [0, 0].map { _ in Int.random(in: 0...one.rows.count, using: &random) }.sorted()
            var rows = isStretch ? Array(one.rows[bounds[0]..<bounds[1]]) : one.rows
            if !isStretch { rows = rows.filter { _ in Int.random(in: 0..<8, using: &random) > 0 } }
            for row in rows.indices where Int.random(in: 0..<3, using: &random) == 0 {
                rows[row].values[1] = .integer(Int64.random(in: 1000...2000, using: &random))
                if isSparse { rows[row].values[0] = nil }
            }
            return (one.tags, rows)
        }
        return part
    }

    /// What the parts say together, the later ones with more weight.
    private static func union(_ parts: [BlockModel], hidden: (Int, [UInt8], Int64) -> Bool) -> [ModelRow] {
        var rows: [[UInt8]: [Int64: [ModelValue?]]] = [:]
        for (index, part) in parts.enumerated() {
            for row in part.rows() where !hidden(index, row.key, row.time) {
                let old = rows[row.key]?[row.time] ?? row.values.map { _ in nil }
                rows[row.key, default: [:]][row.time] = zip(row.values, old).map { $0 ?? $1 }
            }
        }
        return rows.keys.sorted { SeriesKey.compare($0, $1) < 0 }.flatMap { key in
            (rows[key] ?? [:]).sorted { $0.key < $1.key }.map { ModelRow(key: key, time: $0.key, values: $0.value) }
        }
    }

    private static func read(_ entry: BlockEntry, _ store: MemoryBlockStore, _ fields: [[UInt8]]) throws -> [ModelRow] {
        let table = try #require(try Block(try store.map(entry), name: "merged").table(Array("m".utf8)))
        let all = try table.matching(.all).members
        let cursor = try BlockCursor(table, series: all, range: .min ... .max, fields: fields)
        var batches: [PointBatch] = []
        while let batch = try cursor.next() { batches.append(batch) }
        let columns = try table.columns(of: all)
        return ModelRow.flatten(batches) { number in
            var key: [UInt8] = []
            columns.appendKey(of: Int(number), to: &key)
            return key
        }
    }

    @Test(arguments: SimulationSeeds.chosen(10))
    func theNewestValueWins(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let shapes: [(Int, ClosedRange<Int>)] = [(300, 1...4), (6, 200...3000), (60, 0...300)]
        let (count, rows) = shapes[Int(seed) % shapes.count]
        // Without missing values rows that stand in several blocks go as stretches.
        let isSparse = seed % 2 == 0
        let model = BlockTests.model(&random, series: count, rows: rows, isSparse: isSparse)
        let parts = (0..<Int.random(in: 1...4, using: &random)).map { _ in Self.part(model, &random, isSparse: isSparse)
        }
        let store = MemoryBlockStore()
        // The first block has points that were deleted after it was written.
        let removed: ClosedRange<Int64> = -200_000_000_000...300_000_000_000
        var sources: [BlockMerger.Source] = []
        for (index, part) in parts.enumerated() {
            guard let entry = try part.write(to: store) else { continue }
            sources.append(
                BlockMerger.Source(try Block(try store.map(entry), name: "\(index)")) { _ in
                    index == 0 ? [BlockRemoval(series: nil, range: removed)] : []
                })
        }
        let expected = Self.union(parts) { part, _, time in part == 0 && removed.contains(time) }
        let entry = try BlockMerger.merge(sources, details: ModelContent.details(), in: store)
        guard let entry else {
            #expect(expected.isEmpty)
            return
        }
        #expect(try Self.read(entry, store, model.fields.map(\.name)) == expected)
        #expect(try BlockDetails(decoding: entry.details).rows == Int64(expected.count))
    }

    @Test func whatIsRemovedAsAWholeLeavesNoBlock() throws {
        var random = SeededGenerator(seed: 1)
        let store = MemoryBlockStore()
        let entry = try #require(try BlockTests.model(&random, series: 5, rows: 1...9).write(to: store))
        let source = BlockMerger.Source(try Block(try store.map(entry), name: "one")) { _ in
            [BlockRemoval(series: nil, range: .min ... .max)]
        }
        #expect(try BlockMerger.merge([source], details: ModelContent.details(), in: store) == nil)
    }
}
