import FoundationEssentials
import MillraceTesting
import SimulatedMachine
import Telemetry
import Testing

@testable import Series

/// Blocks as they were written by format 1. `plain.block` has nothing compressed, whose bytes depend on the version of
/// zstd, and must be written the same for ever; `compressed.block` must be read for ever.
@Suite struct GoldenBlockTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../Golden/block-1")

    /// A series of many rows, some of few, all types, values that lack.
    private static func model(messages: Bool) -> BlockModel {
        func tags(_ host: String, _ rack: String?) -> [(key: [UInt8], value: [UInt8])] {
            let host = [(key: Array("host".utf8), value: Array(host.utf8))]
            return host + (rack.map { [(key: Array("rack".utf8), value: Array($0.utf8))] } ?? [])
        }
        func row(_ number: Int) -> (time: Int64, values: [ModelValue?]) {
            let text = messages ? "a message that is long enough, number \(number % 50)" : "m\(number % 3)"
            let values: [ModelValue?] = [
                .float((Double(number * 37 % 1000) / 100).bitPattern), .integer(Int64(number * number % 97)),
                .string(Array(text.utf8)), .boolean(number % 3 == 0), .unsigned(.max - UInt64(number)),
            ]
            return (
                1_700_000_000_000_000_000 + Int64(number) * 1_000_000_000 + (number % 7 == 0 ? 1 : 0),
                values.enumerated().map { number % 5 == $0 && number % 2 == 0 ? nil : $1 }
            )
        }
        let fields: [(name: [UInt8], type: FieldType)] = [
            (Array("f".utf8), .float), (Array("i".utf8), .integer), (Array("s".utf8), .string),
            (Array("t".utf8), .boolean), (Array("u".utf8), .unsigned),
        ]
        var model = BlockModel(fields: fields, series: [])
        model.series = [(tags("a", nil), (0..<3).map(row)), (tags("a", "1"), (0..<2500).map(row))]
        model.series += (10..<22).map { (tags("b\($0)", "2"), [row($0), row($0 + 9)]) }
        return model
    }

    private static func write(_ model: BlockModel) throws -> [UInt8] {
        let store = MemoryBlockStore()
        return store.bytes(of: try #require(try model.write(to: store)))
    }

    @Test(arguments: ["plain", "compressed"])
    func oldBlocksAreRead(name: String) throws {
        let bytes = [UInt8](try Data(contentsOf: Self.directory.appending(path: "\(name).block")))
        let block = try Block(BytesMap(bytes), name: name)
        #expect(BlockReport(block).findings == [])
        let model = Self.model(messages: name == "compressed")
        let (table, all) = (block.tables[0], try block.tables[0].matching(.all).members)
        let cursor = try BlockCursor(table, series: all, range: .min ... .max, fields: model.fields.map(\.name))
        var batches: [PointBatch] = []
        while let batch = try cursor.next() { batches.append(batch) }
        #expect(ModelRow.flatten(batches) { SeriesKey.encode(model.series[Int($0)].tags) } == model.rows())
    }

    @Test func theFormatIsWrittenAsItWas() throws {
        let golden = [UInt8](try Data(contentsOf: Self.directory.appending(path: "plain.block")))
        #expect(try Self.write(Self.model(messages: false)) == golden)
    }

    /// `MILLRACE_REWRITE=1 swift test --filter GoldenBlockTests/rewrite` writes the files anew: only for a format that
    /// no release has written.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["MILLRACE_REWRITE"] != nil))
    func rewrite() throws {
        try FileManager.default.createDirectory(at: Self.directory, withIntermediateDirectories: true)
        for (name, messages) in [("plain", false), ("compressed", true)] {
            let bytes = try Self.write(Self.model(messages: messages))
            try Data(bytes).write(to: Self.directory.appending(path: "\(name).block"))
        }
    }
}
