import Bytes
import Columns
import Search
import Telemetry
import Testing
import View

@Suite struct LineBlockTests {
    private static func labels(_ index: Int) -> StreamLabels {
        StreamLabels([.init("app", "a\(index)"), .init("host", "h\(index % 2)")])
    }

    private static func streams(seed: UInt64, count: Int = 6, lines: Int = 300) -> [(StreamLabels, [TestLine])] {
        var corpus = LineCorpus(seed: seed)
        return (0..<count).map { (labels($0), corpus.lines(lines)) }
    }

    @Test(arguments: 1...5) func linesComeBackToTheByte(seed: UInt64) throws {
        let streams = Self.streams(seed: seed, lines: seed % 2 == 0 ? 300 : 17)
        let block = try LineBlockModel.block(streams)
        #expect(block.streamCount == streams.count)
        var lines = 0
        for (index, stream) in streams.enumerated() {
            let expected = LineBlockModel.distinct(stream.1)
            #expect(block.labels(ofStream: index) == stream.0)
            #expect(try LineBlockModel.lines(block, stream: index) == expected)
            lines += expected.count
        }
        #expect(block.details.lines == Int64(lines))
    }

    @Test(arguments: 1...5) func searchFindsWhatALookAtEachLineFinds(seed: UInt64) throws {
        let streams = Self.streams(seed: seed, lines: 120)
        let block = try LineBlockModel.block(streams)
        let reader = try LineBlockReader()
        var corpus = LineCorpus(seed: seed &+ 100)
        for (index, stream) in streams.enumerated() {
            let lines = LineBlockModel.distinct(stream.1)
            let chunk = reader.chunk(block.chunks(ofStream: index).lowerBound, of: block)
            for _ in 0..<150 {
                let needle = corpus.needle(in: lines)
                let expected = lines.map { Self.holds($0.text, needle) }
                try expect(chunk, block, index, .contains(needle), expected)
                let lower = needle.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
                let folded = lines.map { line in
                    Self.holds(line.text.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, lower)
                }
                try expect(chunk, block, index, .containsIgnoringCase(lower), folded)
            }
        }
    }

    private func expect(
        _ chunk: LineChunk, _ block: LineBlock, _ index: Int, _ condition: LineCondition, _ expected: [Bool]
    ) throws {
        let found = try chunk.rows(where: condition).bitmap(count: expected.count)
        let rows = expected.indices.map { found.contains($0) }
        #expect(rows == expected, "\(condition)")
        if expected.contains(true) {
            #expect(try block.mayHold(condition, chunk: block.chunks(ofStream: index).lowerBound), "\(condition)")
        }
    }

    private static func holds(_ text: [UInt8], _ needle: [UInt8]) -> Bool {
        text.withUnsafeBytes { text in needle.withUnsafeBytes { ByteSearch.first($0, in: text) != nil } }
    }

    @Test(arguments: 1...5) func fieldsAreWhatTheParserGives(seed: UInt64) throws {
        let streams = Self.streams(seed: seed, lines: 120)
        let block = try LineBlockModel.block(streams)
        let reader = try LineBlockReader()
        let parser = FieldReader()
        let names = [
            "a", "b", "a_b", "level", "status", "took", "msg", "ok", "id", "http_path", "http_tags", "c_d", "odd",
            "quoted", "empty", "trace_id", "k1", "x",
        ]
        for (index, stream) in streams.enumerated() {
            let lines = LineBlockModel.distinct(stream.1)
            let place = block.chunks(ofStream: index).lowerBound
            let chunk = reader.chunk(place, of: block)
            for format in FieldFormat.allCases {
                for name in names {
                    let expected = lines.map { Self.value(name, format, $0.text, parser) }
                    let reference = FieldReference(format, name)
                    let column = try chunk.field(reference, .all)
                    let found = column.codes.map { code in
                        code == TextColumn.missing ? nil : column.dictionary.withString(Int(code)) { [UInt8]($0) }
                    }
                    #expect(found == expected, "\(reference)")
                    try expect(chunk, block, index, .field(reference, .exists), expected.map { $0 != nil })
                    for wanted in Set(expected.compactMap { $0 }).prefix(5) {
                        try expect(
                            chunk, block, index, .field(reference, .equals(wanted)), expected.map { $0 == wanted })
                    }
                    try expect(
                        chunk, block, index, .field(reference, .number(.greater, 90)),
                        expected.map { Double(String(decoding: $0 ?? [], as: UTF8.self)) ?? 0 > 90 })
                }
                let malformed = lines.map { line in
                    line.text.withUnsafeBytes { parser.visit(format, $0) { _, _ in true } } != nil
                }
                try expect(chunk, block, index, .malformed(format), malformed)
            }
        }
    }

    private static func value(
        _ name: String, _ format: FieldFormat, _ line: [UInt8], _ parser: FieldReader
    ) -> [UInt8]? {
        var failure: FieldFailure?
        return Array(name.utf8).withUnsafeBytes { name in
            line.withUnsafeBytes { parser.find(name, format, $0, failure: &failure).map { [UInt8]($0) } }
        }
    }
}
