import Columns
import Machine
import Search
import SimulatedMachine
import Telemetry
import Testing
import View

/// Whatever a block's bytes are, reading them gives lines or an error.
@Suite struct DamagedLineBlockTests {
    private static func bytes(seed: UInt64) throws -> [UInt8] {
        var corpus = LineCorpus(seed: seed)
        let store = MemoryBlockStore()
        var content = ArrayContent((0..<3).map { (StreamLabels([.init("app", "\($0)")]), corpus.lines(40)) })
        let entry = try #require(
            try LineBlockWriter.create(in: store, details: LineBlockModel.details, content: &content))
        return store.bytes(of: entry)
    }

    /// Reads everything; nil if something is damaged.
    private static func read(_ bytes: [UInt8]) -> Int? {
        do throws(SearchError) {
            let block = try LineBlock(BytesMap(bytes), name: "damaged")
            let reader = try LineBlockReader()
            var lines = 0
            for index in block.chunks.indices {
                _ = try block.counters(ofChunk: index)
                _ = try block.mayHold(.contains(Array(" connection ".utf8)), chunk: index)
                let chunk = reader.chunk(index, of: block)
                _ = try chunk.times()
                _ = try chunk.levels()
                _ = try chunk.metadata(.all)
                _ = try chunk.lengths(.all)
                _ = try chunk.rows(where: .contains(Array("on 12".utf8)))
                _ = try chunk.field(FieldReference(.json, "took"), .all)
                lines += try chunk.lines(.all).count
            }
            return lines
        } catch {
            #expect(error.code == .damaged || error.code == .formatTooNew)
            return nil
        }
    }

    @Test func everyTruncationIsTold() throws {
        let bytes = try Self.bytes(seed: 3)
        #expect(Self.read(bytes) != nil)
        for count in stride(from: 0, to: bytes.count, by: 7) { #expect(Self.read(Array(bytes[..<count])) == nil) }
    }

    @Test(arguments: 1...2) func everyFlippedBitIsTold(seed: UInt64) throws {
        let bytes = try Self.bytes(seed: seed)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<600 {
            var damaged = bytes
            let place = generator.upTo(bytes.count - 1)
            // The flags of the header mean nothing yet.
            if (6..<8).contains(place) { continue }
            damaged[place] ^= 1 << UInt8(generator.upTo(7))
            #expect(Self.read(damaged) == nil, "byte \(place)")
        }
    }
}
