import Bytes
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Series

@Suite struct DamagedBlockTests {
    private static func block() throws -> [UInt8] {
        var random = SeededGenerator(seed: 3)
        let store = MemoryBlockStore()
        let entry = try #require(try BlockTests.model(&random, series: 60, rows: 1...120).write(to: store))
        return store.bytes(of: entry)
    }

    /// Reads all there is to read; what it finds does not matter.
    static func readAll(_ bytes: [UInt8]) throws(SeriesError) {
        let block = try Block(BytesMap(bytes), name: "damaged")
        for table in block.tables {
            let all = try table.matching(.all).members
            for key in table.tagKeys { _ = try table.matching(.not(.equals(key: key, value: Array("v\u{1}1".utf8)))) }
            _ = try table.matching(.satisfies(key: table.tagKeys.first ?? [], test: { $0.count > 3 }))
            _ = try table.columns(of: Array(all.prefix(3)))
            _ = try table.columns(of: nil)
            for descending in [false, true] {
                let cursor = try BlockCursor(
                    table, series: all, range: .min ... .max, fields: table.fields.map(\.name), descending: descending)
                while let step = try cursor.next({ $0.series % 3 == 0 }) {
                    guard case .points(let batch) = step else { continue }
                    precondition(batch.runs.reduce(0) { $0 + Int($1.count) } == batch.times.count)
                }
            }
        }
    }

    @Test func everyByteCounts() throws {
        let bytes = try Self.block()
        try Self.readAll(bytes)
        // The flags of the header say nothing yet.
        for position in stride(from: 0, to: bytes.count, by: 13) where !(6..<8).contains(position) {
            var damaged = bytes
            damaged[position] ^= 0x10
            #expect(throws: SeriesError.self, "byte \(position)") { try Self.readAll(damaged) }
        }
    }

    @Test func aBlockThatEndsEarlyIsDamaged() throws {
        let bytes = try Self.block()
        for count in stride(from: 0, to: bytes.count, by: 101) {
            #expect(throws: SeriesError.self, "\(count) bytes") { try Self.readAll(Array(bytes[..<count])) }
        }
    }

    @Test func aNewerFormatIsTold() throws {
        var bytes = try Self.block()
        bytes[5] = 2
        let error = #expect(throws: SeriesError.self) { try Self.readAll(bytes) }
        #expect(error?.code == .formatTooNew)
    }

    /// Changed bytes behind right checksums: an error or other points, never a trap.
    @Test(arguments: SimulationSeeds.chosen(300))
    func wrongBytesWithRightChecksums(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var bytes = try Self.block()
        BlockDamage.change(&bytes, &random)
        do throws(SeriesError) { try Self.readAll(bytes) } catch { #expect(error.code == .damaged, "\(error)") }
    }
}
