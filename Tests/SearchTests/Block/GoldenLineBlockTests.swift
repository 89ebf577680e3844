import FoundationEssentials
import MillraceTesting
import Search
import Telemetry
import Testing
import View

/// A block as it was written by format 1: it must be read for ever. Its bytes are not written again: what is compressed
/// in it depends on the version of zstd.
@Suite struct GoldenLineBlockTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../Golden/block-1/lines.block")

    /// Lines of which some column has each kind.
    private static func streams() -> [(labels: StreamLabels, lines: [TestLine])] {
        let start: Int64 = 1_780_000_000_000_000_000
        func line(_ row: Int, _ text: String) -> TestLine {
            TestLine(
                time: start + Int64(row) * 777_000_000, level: row % 50 == 0 ? .error : .info, text: Array(text.utf8),
                metadata: row % 3 == 0 ? [.init("user", "u\(row % 4)")] : [])
        }
        let json = (0..<300).map { row in
            let hex = String(UInt64(row + 1) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
            let id = String(repeating: "0", count: 16 - hex.utf8.count) + hex
            let message = "opened file \(row * row) of user\(row % 7) in \(row % 1000)ms"
            return line(
                row,
                "{\"id\":\"\(id)\",\"msg\":\"\(message)\",\"code\":\"0\(row * 7)\",\"took\":\(row).\(row % 10),"
                    + "\"kind\":\"\(["a", "b"][row % 2])\",\"n\":\(row * 31),\"version\":\"1.2\"}")
        }
        let plain = (0..<20).map { row in line(row, String(repeating: "é\u{1}x", count: row * row) + "\(row)") }
        return [
            (StreamLabels([.init("app", "golden"), .init("host", "h")]), json),
            (StreamLabels([.init("app", "plain")]), plain),
        ]
    }

    @Test func oldBlocksAreRead() throws {
        let streams = Self.streams()
        let block = try LineBlock(BytesMap([UInt8](try Data(contentsOf: Self.file))), name: "golden")
        #expect(block.details.level == LineBlockModel.details.level)
        for (index, stream) in streams.enumerated() {
            #expect(block.labels(ofStream: index) == stream.labels)
            #expect(try LineBlockModel.lines(block, stream: index) == stream.lines)
        }
        let reader = try LineBlockReader()
        let chunk = reader.chunk(0, of: block)
        #expect(try chunk.rows(where: .contains(Array("user3 in 10ms".utf8))).selectedCount(of: 300) == 1)
        let chosen = LineCondition.field(FieldReference(.json, "took"), .number(.greaterOrEqual, 290))
        #expect(try chunk.rows(where: chosen).selectedCount(of: 300) == 10)
        #expect(try block.counters(ofChunk: 0).reduce(0) { $0 + $1.lines } == 300)
    }
}
