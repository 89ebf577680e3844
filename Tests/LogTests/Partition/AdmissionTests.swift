import Bytes
import KafkaWire
import Log
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct AdmissionTests {
    private func code(_ bytes: [UInt8], _ configs: [String: String] = [:]) throws -> LogError.Code? {
        let (log, partition) = try Site().openWithTopic(LogSettings(), configs)
        let error = #expect(throws: LogError.self) { try partition.append(bytes) }
        log.flushDirty()
        #expect(partition.logEndOffset == 0 && partition.highWatermark == 0)
        return error?.code
    }

    /// A sound batch with one field changed, and its checksum put right.
    private func forged(_ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
        var bytes = try batch(["a", "b"])
        change(&bytes)
        bytes.withUnsafeMutableBytes { RecordBatchHeader.recomputeChecksum(of: $0) }
        return bytes
    }

    private func set<T: FixedWidthInteger>(_ value: T, _ position: Int, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.replaceSubrange(position..<position + $0.count, with: $0) }
    }

    @Test func truncatedAndGarbage() throws {
        let sound = try batch(["a"])
        for count in [0, 1, 11, 12, 16, 17, 60, 61, sound.count - 1] {
            #expect(try code(Array(sound.prefix(count))) == .corruptBatch)
        }
        #expect(try code(sound + [1, 2, 3]) == .corruptBatch)
        #expect(try code([UInt8](repeating: 0xFF, count: 200)) == .corruptBatch)
    }

    @Test func checksumAndLengths() throws {
        var flipped = try batch(["abcdef"])
        flipped[65] ^= 1
        #expect(try code(flipped) == .corruptBatch)
        for length in [Int32(-1), 0, 48, Int32.max] {
            #expect(try code(forged { set(length, 8, &$0) }) == .corruptBatch)
        }
    }

    @Test func oldFormats() throws {
        for magic in [0, 1] as [Int8] {
            #expect(try code(forged { set(magic, 16, &$0) }) == .unsupportedFormat)
        }
    }

    @Test func liesAboutCounts() throws {
        #expect(try code(forged { set(Int32(5), 57, &$0) }) == .invalidRecord)
        #expect(try code(forged { set(Int32(5), 23, &$0) }) == .invalidRecord)
        #expect(try code(forged { set(Int32(-1), 23, &$0) }) == .corruptBatch)
        let million: Int32 = 1_000_000
        let lie = try forged {
            set(million, 57, &$0)
            set(million - 1, 23, &$0)
        }
        #expect(try code(lie) == .invalidRecord)
        let none = try forged {
            set(Int32(0), 57, &$0)
            set(Int32(-1), 23, &$0)
        }
        #expect(try code(none) == .corruptBatch)
    }

    @Test func whatClientsMayNotSend() throws {
        #expect(try code(forged { set(Int16(0x20), 21, &$0) }) == .invalidRecord)
        #expect(try code(forged { set(Int16(0x10), 21, &$0) }) == .invalidTransactionState)
        #expect(try code(forged { set(Int16(0x08), 21, &$0) }) == .invalidTimestamp)
        #expect(try code(forged { set(Int16(7), 21, &$0) }) == .unsupportedCompression)
        #expect(try code(batch(["a"], producer: 3, epoch: 0, sequence: -1)) == .invalidRecord)
        #expect(try code(batch(["a"], producer: 3, epoch: -1, sequence: 0)) == .invalidRecord)
        let pair = try batch(["a"], producer: 3, epoch: 0, sequence: 0)
        #expect(try code(pair + pair) == .invalidRecord)
    }

    @Test func tooLargeAndTooFarInTheFuture() throws {
        #expect(try code(batch(["abc"]), ["max.message.bytes": "70"]) == .messageTooLarge)
        #expect(try code(batch(["a"], timestamp: epochStart + 3_600_001)) == .invalidTimestamp)
        let (_, partition) = try Site().openWithTopic(LogSettings(), ["message.timestamp.after.max.ms": "9999999"])
        try partition.append(batch(["a"], timestamp: epochStart + 3_600_001))
    }

    @Test func theOffsetsThatAProducerStatesDoNotMatter() throws {
        let (log, partition) = try Site().openWithTopic()
        try partition.append(forged { set(Int64(77), 0, &$0) })
        log.flushDirty()
        #expect(try partition.records().map(\.offset) == [0, 1])
    }

    @Test(arguments: [Compression.gzip, .snappy, .lz4, .zstd])
    func compressedBatchesPassThroughUntouched(codec: Compression) throws {
        let (log, partition) = try Site().openWithTopic()
        let values = (0..<100).map { "the same text again and again \($0 % 3)" }
        let bytes = try batch(values, compression: codec)
        try partition.append(bytes)
        log.flushDirty()
        #expect(try partition.values() == values)
        let slice = try partition.read(from: 0, maximumBytes: 1 << 20, atLeastOneBatch: true)
        var stored = [UInt8](repeating: 0, count: slice.count)
        _ = try stored.withUnsafeMutableBytes { try slice.read(into: $0) }
        #expect(Array(stored[21...]) == Array(bytes[21...]))
    }
}
