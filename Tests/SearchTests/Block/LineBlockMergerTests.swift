import Search
import Telemetry
import Testing
import View

@Suite struct LineBlockMergerTests {
    /// Keeps the lines in front of a time.
    private struct Keeping: LineKeeping {
        var end: Int64

        func rows(of chunk: LineChunk, block: Int) throws(SearchError) -> RowSelection {
            try chunk.rows(in: TimeWindow(start: .min, end: end))
        }
    }

    @Test(arguments: 1...4) func mergedLinesAreThoseOfAllBlocksInOrder(seed: UInt64) throws {
        let labels = StreamLabels([.init("app", "a")])
        let other = StreamLabels([.init("app", "b")])
        var corpus = LineCorpus(seed: seed)
        let parts = (0..<3).map { _ in corpus.lines(60) }
        let shared = corpus.lines(20)
        let blocks = try parts.enumerated().map { index, lines in
            let all = (lines + shared).enumerated().sorted { ($0.1.time, $0.0) < ($1.1.time, $1.0) }.map(\.1)
            return try LineBlockModel.block(index == 1 ? [(labels, all), (other, lines)] : [(labels, all)])
        }
        let end = LineCorpus.start + 2_000_000_000_000
        let store = MemoryBlockStore()
        let entry = try #require(
            try LineBlockMerger.create(
                in: store, details: LineBlockModel.details, blocks: blocks, keeping: Keeping(end: end)))
        let merged = try LineBlock(try store.map(entry), name: "merged")
        var expected: [TestLine] = []
        for block in blocks { expected += try LineBlockModel.lines(block, stream: 0) }
        expected = expected.enumerated().sorted { ($0.1.time, $0.0) < ($1.1.time, $1.0) }.map(\.1)
        expected = LineBlockModel.distinct(expected).filter { $0.time <= end }
        #expect(try LineBlockModel.lines(merged, stream: 0) == expected)
        #expect(merged.labels(ofStream: 1) == other)
        #expect(
            try LineBlockModel.lines(merged, stream: 1) == LineBlockModel.distinct(parts[1]).filter { $0.time <= end })
    }

    @Test func largeChunksAreCopiedAsTheyStand() throws {
        let labels = StreamLabels([.init("app", "a")])
        let blocks = try (0..<2).map { index in
            let lines = (0..<4_000).map { row in
                let text =
                    "{\"n\":\(row),\"text\":\"some words that make a line longer than it was before, \(row * 7)\"}"
                return TestLine(
                    time: LineCorpus.start + Int64(index * 4_000 + row) * 1_000_000, level: .info,
                    text: Array(text.utf8))
            }
            return try LineBlockModel.block([(labels, lines)])
        }
        #expect(blocks[0].chunks[0].rawBytes >= LineBlockMerger.largeChunkBytes)
        let store = MemoryBlockStore()
        let entry = try #require(
            try LineBlockMerger.create(
                in: store, details: LineBlockModel.details, blocks: blocks, keeping: Keeping(end: .max)))
        let merged = try LineBlock(try store.map(entry), name: "merged")
        #expect(merged.chunks.count == 2)
        #expect(merged.details.lines == 8_000)
        let expected = try LineBlockModel.lines(blocks[0], stream: 0) + LineBlockModel.lines(blocks[1], stream: 0)
        #expect(try LineBlockModel.lines(merged, stream: 0) == expected)
        #expect(try merged.counters(ofChunk: 1) == blocks[1].counters(ofChunk: 0))
    }
}
