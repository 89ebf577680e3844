import Bytes
import Columns
import SimulatedMachine
import Testing

@testable import Search

/// Columns whose checksums are right and whose bytes are not: an error, or some texts, within bounds.
@Suite struct HostileColumnTests {
    private static func column(seed: UInt64) throws -> (head: [UInt8], body: [UInt8], rows: Int, bytes: Int) {
        var corpus = LineCorpus(seed: seed)
        let lines = corpus.lines(60).map(\.text)
        var bytes: [UInt8] = []
        var ranges: [TextRange] = []
        for line in lines {
            ranges.append(TextRange(start: UInt32(bytes.count), end: UInt32(bytes.count + line.count)))
            bytes += line + [0x0A]
        }
        guard var columns = ColumnEncoder() else { throw SearchError(.limitReached, "no memory") }
        var head = ByteWriter()
        var body = ByteWriter()
        let total = lines.reduce(0) { $0 + $1.count }
        try bytes.withUnsafeBufferPointer { bytes throws(BytesError) in
            try columns.encode(
                UnsafeRawBufferPointer(bytes), ranges, areTokensWanted: true, head: &head, body: &body)
        }
        return (head.array(), body.array(), ranges.count, total)
    }

    /// Gives the regions the checksums that the body has now.
    private static func seal(_ head: inout [UInt8], _ body: [UInt8]) {
        var regions: [Int] = []
        var places: [Int] = []
        head.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            guard let count = try? reader.unsignedVarint() else { return }
            for _ in 0..<count {
                guard let length = try? reader.unsignedVarint() else { return }
                regions.append(Int(length))
                places.append(reader.position)
                try? reader.skip(4)
            }
        }
        var start = 0
        for (length, place) in zip(regions, places) {
            guard length <= body.count - start, place + 4 <= head.count else { return }
            let checksum = CRC32C.checksum(Array(body[start..<start + length]))
            for byte in 0..<4 { head[place + byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * byte)) }
            start += length
        }
    }

    /// Reads all that there is.
    private static func read(_ head: [UInt8], _ body: [UInt8], rows: Int, bytes: Int) throws -> Int? {
        let zstd = try #require(ZstandardContext())
        return head.withUnsafeBufferPointer { head in
            body.withUnsafeBufferPointer { body in
                do throws(BytesError) {
                    let tree = try ColumnTree(
                        head: UnsafeRawBufferPointer(head), body: UnsafeRawBufferPointer(body), rows: rows,
                        byteLimit: bytes, zstd: zstd)
                    for needle in ["12", "ion ", "e\":\"", "user", "\" 2", "0"] {
                        let text = Array(needle.utf8)
                        try text.withUnsafeBufferPointer { text throws(BytesError) in
                            for place in [TextTest.Place.contained, .prefix, .suffix, .equal] {
                                let bytes = UnsafeRawBufferPointer(text)
                                _ = try tree.select(0, TextTest(place: place, text: bytes, ignoresCase: false))
                                _ = try tree.select(0, TextTest(place: place, text: bytes, ignoresCase: true))
                            }
                        }
                    }
                    _ = try tree.lengths(0, rows: [0, UInt32(rows - 1)])
                    _ = try tree.lengths(0, rows: nil)
                    for node in tree.nodes.indices {
                        _ = try tree.textColumn(node, rows: nil)
                        _ = try tree.select(node, .number(.less, 5), isValue: { _ in true })
                    }
                    _ = try tree.strings(rows: [UInt32(rows - 1)])
                    return try tree.strings(rows: nil).bytes.count
                } catch {
                    return nil
                }
            }
        }
    }

    @Test(arguments: 1...5) func hostileBytesGiveAnError(seed: UInt64) throws {
        let column = try Self.column(seed: seed)
        #expect(try Self.read(column.head, column.body, rows: column.rows, bytes: column.bytes) == column.bytes)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            var (head, body) = (column.head, column.body)
            for _ in 0...generator.upTo(2) {
                if generator.chance(0.7) || body.isEmpty {
                    head[generator.upTo(head.count - 1)] = UInt8(generator.upTo(255))
                } else {
                    body[generator.upTo(body.count - 1)] = UInt8(generator.upTo(255))
                }
            }
            Self.seal(&head, body)
            if let bytes = try Self.read(head, body, rows: column.rows, bytes: column.bytes) {
                #expect(bytes <= column.bytes)
            }
        }
    }
}
