import Bytes
import FuzzDriver
import Glibc
import KafkaWire

/// Feeds bytes to everything that reads record batches: the checks of the produce path, the iteration over batches
/// and records, and the check at rest.
///
/// If byte 0 is odd, the first batch's checksum is made right, so that what stands behind that check is reached. The
/// records of a batch that passes every check, built again, must be the same.
@main
enum FuzzBatches {
    /// The bytes that may come out of a codec: 1 MiB.
    private static let limit = 1 << 20

    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzBatches.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        var bytes = [UInt8](input.dropFirst())
        if first & 1 == 1 { correctChecksum(&bytes) }
        bytes.withUnsafeBytes { bytes in
            _ = try? ProducedRecords(validating: bytes, ProduceRules())
            var batches = RecordBatches(bytes, allowsPartialTail: true)
            while let batch = try? batches.next() {
                readRecords(of: batch)
                _ = try? batch.verifyRecords(decompressionLimit: limit, allowsGaps: true)
                if (try? batch.verifyRecords(decompressionLimit: limit)) != nil { buildAgain(batch) }
            }
        }
    }

    private static func correctChecksum(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { bytes in
            guard let header = try? RecordBatchHeader(parsing: UnsafeRawBufferPointer(bytes)),
                header.sizeBytes <= bytes.count
            else { return }
            RecordBatchHeader.recomputeChecksum(of: UnsafeMutableRawBufferPointer(rebasing: bytes[..<header.sizeBytes]))
        }
    }

    private static func readRecords(of batch: RecordBatch) {
        guard var records = try? RecordIterator(batch, decompressionLimit: limit) else { return }
        while let record = try? records.next() {
            precondition(record.headers.count == record.headerCount, "headers that were counted but not read")
        }
    }

    private static func buildAgain(_ batch: RecordBatch) {
        guard batch.header.recordCount > 0 else { return }
        let original = copies(of: batch)
        var builder = RecordBatchBuilder()
        for record in original {
            builder.append(key: record.key, value: record.value, headers: record.headers, timestamp: record.timestamp)
        }
        var writer = ByteWriter()
        var template = RecordBatchHeader()
        template.baseOffset = batch.header.baseOffset
        guard (try? builder.finish(into: &writer, template: template)) != nil else { fatalError("not built") }
        writer.withUnsafeBytes { bytes in
            var batches = RecordBatches(bytes)
            guard let again = try? batches.next(), copies(of: again) == original else {
                fatalError("other records: \(original)")
            }
        }
    }

    private struct Copy: Equatable {
        var offset: Int64
        var timestamp: Int64
        var key: [UInt8]?
        var value: [UInt8]?
        var headers: [RecordHeader]
    }

    private static func copies(of batch: RecordBatch) -> [Copy] {
        guard var records = try? RecordIterator(batch, decompressionLimit: limit) else { return [] }
        var copies: [Copy] = []
        while let record = try? records.next() {
            copies.append(
                Copy(
                    offset: record.offset, timestamp: record.timestamp, key: record.key.map(Array.init),
                    value: record.value.map(Array.init), headers: record.headers))
        }
        return copies
    }
}
