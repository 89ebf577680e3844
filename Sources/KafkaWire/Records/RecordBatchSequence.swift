public import Bytes

/// Record batches without compression, one behind the other, each composed where it stays: what a record consists of is
/// copied once. `RecordBatchBuilder` is for batches that are compressed, or whose memory is used again.
public struct RecordBatchSequence: ~Copyable {
    private var writer: ByteWriter
    /// Where the open batch begins.
    private var start = 0
    private var recordCount: Int32 = 0
    private var baseTimestamp: Int64 = -1
    private var maxTimestamp: Int64 = -1

    /// No batch. It grows as needed; a capacity of all that will be appended, headers and 61 bytes per batch included,
    /// saves copies.
    public init(capacity: Int) { writer = ByteWriter(capacity: capacity) }

    /// Whether the open batch has no record yet.
    public var isBatchEmpty: Bool { recordCount == 0 }
    /// The size of the open batch in bytes.
    public var batchBytes: Int { max(writer.count - start, RecordBatchHeader.byteCount) }

    /// Appends a record to the open batch. `timestamp` is in milliseconds since 1970.
    public mutating func append(
        key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, headers: [RecordHeader], timestamp: Int64
    ) {
        beginRecord(timestamp)
        writer.writeRecord(
            number: recordCount, timestampDelta: timestamp &- baseTimestamp, key: key, value: value, headers: headers)
        recordCount += 1
    }

    /// Appends a record whose headers were written by `writeHeader`: for who makes many records, and no array for each.
    public mutating func append(
        key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, writtenHeaders: UnsafeRawBufferPointer,
        headerCount: Int, timestamp: Int64
    ) {
        beginRecord(timestamp)
        writer.beginRecord(
            number: recordCount, timestampDelta: timestamp &- baseTimestamp, key: key, value: value,
            headerBytes: writtenHeaders.count, headerCount: headerCount)
        writer.write(contentsOf: writtenHeaders)
        recordCount += 1
    }

    /// Writes a header as it stands in a record.
    public static func writeHeader(
        name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, into writer: inout ByteWriter
    ) {
        writer.writeVarint(Int32(name.count))
        writer.write(contentsOf: name)
        writer.writeVarint(Int32(value.count))
        writer.write(contentsOf: value)
    }

    private mutating func beginRecord(_ timestamp: Int64) {
        if recordCount == 0 {
            baseTimestamp = timestamp
            maxTimestamp = timestamp
            // Its place; `endBatch` says what it is.
            RecordBatchHeader().encode(into: &writer)
        }
        maxTimestamp = max(maxTimestamp, timestamp)
    }

    /// Ends the open batch; records that follow stand in the next one. Does nothing if it has no record.
    public mutating func endBatch() {
        guard recordCount > 0 else { return }
        let end = writer.count
        writer.patch(Int32(end - start - RecordBatchHeader.lengthEnd), at: start + 8)
        writer.patch(recordCount - 1, at: start + 23)
        writer.patch(baseTimestamp, at: start + 27)
        writer.patch(maxTimestamp, at: start + 35)
        writer.patch(recordCount, at: start + 57)
        let start = start
        writer.withUnsafeMutableBytes { bytes in
            RecordBatchHeader.recomputeChecksum(of: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
        }
        self.start = end
        recordCount = 0
    }

    /// The batches that were ended, for changing them in place. The pointer is valid during the call only.
    public mutating func withUnsafeMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let end = start
        return try writer.withUnsafeMutableBytes { bytes throws(E) in
            try body(UnsafeMutableRawBufferPointer(rebasing: bytes[..<end]))
        }
    }
}
