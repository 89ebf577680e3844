import MillraceTesting
import SimulatedMachine
import Telemetry
import Testing

@testable import Series

@Suite struct BlockReportTests {
    private static func bytes(seed: UInt64) throws -> ([UInt8], BlockModel) {
        var random = SeededGenerator(seed: seed)
        let store = MemoryBlockStore()
        let model = BlockTests.model(&random, series: 90, rows: 1...400)
        let entry = try #require(try model.write(to: store))
        return (store.bytes(of: entry), model)
    }

    @Test func aSoundBlockIsCountedToTheByte() throws {
        let (bytes, model) = try Self.bytes(seed: 1)
        let report = BlockReport(try Block(BytesMap(bytes), name: "b"))
        #expect(report.findings == [])
        let table = try #require(report.tables.first)
        #expect(table.series == model.series.count)
        #expect(table.values == model.rows().reduce(0) { $0 + $1.values.count { $0 != nil } })
        let counted = table.parts.reduce(0) { $0 + $1.bytes }
        // The rest is the footer and the directories of the tags.
        #expect(counted <= bytes.count && bytes.count - counted < 2000, "\(counted) of \(bytes.count)")
        #expect(table.parts.contains { $0.name == "field f1" && $0.type == .integer && !$0.forms.isEmpty })
    }

    @Test func everyDamagedPageIsTold() throws {
        var (bytes, _) = try Self.bytes(seed: 2)
        let block = try Block(BytesMap(bytes), name: "b")
        let index = try block.tables[0].pages()
        for page in [0, index.count - 1] {
            bytes[Int(index.positions[page] + index.lengths[page]) - 1] ^= 1
        }
        let report = BlockReport(try Block(BytesMap(bytes), name: "b"))
        #expect(report.findings.count == 2)
        #expect(report.findings.allSatisfy { $0.message.hasPrefix("b, field 4 of page ") })
    }

    @Test func exportedLinesSayWhatThePointsSay() throws {
        var model = BlockModel(
            fields: [
                (Array("a b".utf8), .float), (Array("i".utf8), .integer), (Array("s".utf8), .string),
                (Array("t".utf8), .boolean), (Array("u".utf8), .unsigned),
            ],
            series: [])
        model.series = [
            (
                tags: [(key: Array("k".utf8), value: Array("x, y=z".utf8))],
                rows: [
                    (5, [.float((0.1).bitPattern), .integer(-3), .string(Array("say \"hi\" \\ x".utf8)), nil, nil]),
                    (6, [.float((1e21).bitPattern), nil, nil, .boolean(false), .unsigned(.max)]),
                ]
            )
        ]
        let store = MemoryBlockStore()
        let entry = try #require(try model.write(to: store))
        var lines: [UInt8] = []
        try BlockExport.lines(of: try Block(try store.map(entry), name: "b")) { part in
            lines += part
            return true
        }
        #expect(
            String(decoding: lines, as: UTF8.self) == #"""
                m,k=x\,\ y\=z a\ b=0.1,i=-3i,s="say \"hi\" \\ x" 5
                m,k=x\,\ y\=z a\ b=1e+21,t=false,u=18446744073709551615u 6

                """#)
    }
}
