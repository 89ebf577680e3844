import Bytes
import KafkaWire
import Testing

/// Changes a batch, gives it a valid CRC again, and returns the code with which the producer's checks refuse it.
private func refusal(
    of batch: [UInt8] = pythonBatch, _ rules: ProduceRules = ProduceRules(), _ change: (inout [UInt8]) -> Void
) -> WireError.Code? {
    var bytes = batch
    change(&bytes)
    bytes.withUnsafeMutableBytes { if $0.count >= 61 { RecordBatchHeader.recomputeChecksum(of: $0) } }
    return check(bytes, rules)
}

private func check(_ bytes: [UInt8], _ rules: ProduceRules = ProduceRules()) -> WireError.Code? {
    do {
        _ = try bytes.withUnsafeBytes { try ProducedRecords(validating: $0, rules) }
        return nil
    } catch { return (error as? WireError)?.code }
}

extension [UInt8] {
    fileprivate mutating func put<T: FixedWidthInteger>(_ value: T, at position: Int) {
        for index in 0..<MemoryLayout<T>.size {
            self[position + index] = UInt8(truncatingIfNeeded: value >> (8 * (MemoryLayout<T>.size - 1 - index)))
        }
    }
}

struct RecordBatchValidationTests {
    @Test func anIntactBatchPasses() {
        #expect(refusal { _ in } == nil)
    }

    @Test func everyFlippedBitBehindTheChecksumIsFound() {
        for position in 17..<pythonBatch.count {
            for bit in 0..<8 {
                var bytes = pythonBatch
                bytes[position] ^= 1 << bit
                #expect(check(bytes) == .corruptBatch, "byte \(position), bit \(bit)")
            }
        }
    }

    @Test func everyTruncationIsRefused() {
        for count in 1..<pythonBatch.count { #expect(check(Array(pythonBatch[..<count])) == .corruptBatch) }
        #expect(check([]) == .invalidBatch)
    }

    @Test(arguments: [Int32.min, -1, 0, 48, 93, 95, 1 << 20, .max])
    func aWrongLengthIsRefused(_ length: Int32) {
        #expect(refusal { $0.put(length, at: 8) } == .corruptBatch)
    }

    @Test(arguments: [Int8.min, -1, 0, 1, 3, .max])
    func otherFormatsAreRefused(_ magic: Int8) {
        #expect(refusal { $0.put(magic, at: 16) } == .unsupportedFormat)
    }

    @Test(arguments: [Int32.min, -1, 0, 1, 2, 4, .max])
    func aWrongCountIsRefused(_ count: Int32) {
        #expect(refusal { $0.put(count, at: 57) } == .invalidBatch)
        #expect(refusal { $0.put(count &- 1, at: 23) } == .invalidBatch)
    }

    @Test func moreRecordsThanBytesAreRefusedEvenIfTheCountsAgree() {
        #expect(
            refusal {
                $0.put(1_000_000_000 as Int32, at: 57)
                $0.put(999_999_999 as Int32, at: 23)
            } == .invalidBatch)
    }

    @Test(arguments: [5, 6, 7])
    func unknownCodecsAreRefused(_ codec: Int16) {
        #expect(refusal { $0.put(codec, at: 21) } == .unsupportedCompression)
    }

    @Test func zstdNeedsAClientThatKnowsIt() throws {
        let batch = try sampleBatch(100, .zstd)
        var rules = ProduceRules()
        #expect(check(batch, rules) == nil)
        rules.allowsZstandard = false
        #expect(check(batch, rules) == .unsupportedCompression)
        #expect(check(pythonGzipBatch, rules) == nil)
    }

    @Test func whatOnlyTheBrokerWritesIsRefused() {
        #expect(refusal { $0.put(1 << 3 as Int16, at: 21) } == .invalidTimestamp)
        #expect(refusal { $0.put(1 << 5 as Int16, at: 21) } == .invalidBatch)
        #expect(refusal { $0.put(1 << 6 as Int16, at: 21) } == .invalidBatch)
    }

    @Test func producersAreChecked() {
        #expect(refusal { $0.put(-2 as Int64, at: 43) } == .invalidBatch)
        #expect(refusal { $0.put(-1 as Int16, at: 51) } == .invalidBatch)
        #expect(refusal { $0.put(-1 as Int32, at: 53) } == .invalidBatch)
        #expect(refusal { $0.put(1 << 4 as Int16, at: 21) } == nil)
        #expect(refusal(of: pythonGzipBatch) { $0.put(1 << 4 | 1 as Int16, at: 21) } == .invalidBatch)
    }

    @Test func aBatchBeyondTheLimitIsRefused() {
        var rules = ProduceRules()
        rules.maximumBatchBytes = pythonBatch.count
        #expect(check(pythonBatch, rules) == nil)
        rules.maximumBatchBytes -= 1
        #expect(check(pythonBatch, rules) == .limitExceeded)
    }

    @Test func compressedNothingIsRefused() {
        let empty = refusal(of: Array(pythonGzipBatch[..<61])) { $0.put(49 as Int32, at: 8) }
        #expect(empty == .invalidBatch)
    }

    @Test func codesMapToKafkas() {
        let codes: [WireError.Code] = [.corruptBatch, .invalidBatch, .unsupportedFormat, .limitExceeded]
        let mapped = codes.map { WireError(code: $0, message: "").errorCode.name }
        #expect(mapped == ["CORRUPT_MESSAGE", "INVALID_RECORD", "UNSUPPORTED_FOR_MESSAGE_FORMAT", "MESSAGE_TOO_LARGE"])
    }
}

struct RecordVerificationTests {
    /// The code with which a changed batch (its CRC valid again) fails the check down to the last record.
    private func failure(
        of batch: [UInt8] = pythonBatch, allowsGaps: Bool = false, _ change: (inout [UInt8]) -> Void
    ) throws -> WireError.Code? {
        var bytes = batch
        change(&bytes)
        bytes.withUnsafeMutableBytes { RecordBatchHeader.recomputeChecksum(of: $0) }
        return try withBatch(bytes) { batch in
            do {
                _ = try batch.verifyRecords(decompressionLimit: 1 << 20, allowsGaps: allowsGaps)
                return nil
            } catch { return (error as? WireError)?.code }
        }
    }

    @Test func recordsThatDoNotMatchTheirHeaderAreFound() throws {
        #expect(try failure { _ in } == nil)
        #expect(try failure { $0[61] += 2 } == .corruptBatch)
        #expect(try failure { $0.put(2 as Int32, at: 57) } == .corruptBatch)
        #expect(try failure { $0.put(4 as Int32, at: 57) } == .corruptBatch)
        #expect(try failure { $0.put(3 as Int32, at: 23) } == .invalidBatch)
        #expect(try failure { $0.put(1 as Int32, at: 23) } == .invalidBatch)
        #expect(try failure { $0.put(1_700_000_000_004, at: 35) } == .invalidBatch)
        // The second record's offset delta: 1, then 2.
        #expect(try failure { $0[89] = 4 } == .invalidBatch)
        #expect(try failure(allowsGaps: true) { $0.put(7 as Int32, at: 23) } == nil)
    }

    @Test func everyChangedByteOfTheRecordsEndsInAnAnswer() throws {
        for batch in [pythonBatch, pythonGzipBatch, try sampleBatch(50, .lz4), try sampleBatch(50, .zstd)] {
            for position in 61..<batch.count {
                for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] { _ = try failure(of: batch) { $0[position] = value } }
            }
        }
    }

    @Test(arguments: [Compression.gzip, .snappy, .lz4, .zstd])
    func aBombEndsAtTheLimit(_ codec: Compression) throws {
        var builder = RecordBatchBuilder()
        builder.append(key: nil, value: [UInt8](repeating: 0, count: 50 << 20), timestamp: 0)
        var writer = ByteWriter()
        try builder.finish(into: &writer, compression: codec)
        #expect(writer.count < 3 << 20)
        let error = #expect(throws: WireError.self) { try records(writer.array(), decompressionLimit: 1 << 20) }
        #expect(error?.code == .limitExceeded)
    }

    @Test func lyingHeaderCountsAndNullKeysAreErrors() throws {
        // The first record's number of headers, its first header's key length.
        #expect(try failure { $0[75] = 0xFE } == .corruptBatch)
        #expect(try failure { $0[75] = 0x03 } == .corruptBatch)
        #expect(try failure { $0[76] = 0x01 } == .corruptBatch)
    }
}
