public import Bytes

/// Builds a record batch, record by record.
///
/// Keep one and `reset` it: its memory is used again. `sizeBytes` tells when a batch is full.
public struct RecordBatchBuilder: ~Copyable {
    private var records: ByteWriter
    private var baseTimestamp: Int64 = -1
    private var maxTimestamp: Int64 = -1
    /// The number of records so far.
    public private(set) var recordCount: Int32 = 0

    /// An empty batch.
    public init(capacity: Int = 16 << 10) { records = ByteWriter(capacity: capacity) }

    /// The batch's size in bytes if it was finished now without compression.
    public var sizeBytes: Int { RecordBatchHeader.byteCount + records.count }
    /// Whether there is no record yet.
    public var isEmpty: Bool { recordCount == 0 }
    /// The timestamp of the first record, in milliseconds since 1970; -1 before there is one.
    public var firstTimestamp: Int64 { baseTimestamp }

    /// Forgets all records and keeps the memory.
    public mutating func reset() {
        records.removeAll()
        baseTimestamp = -1
        maxTimestamp = -1
        recordCount = 0
    }

    /// How many bytes `append` adds at most for these parts.
    public static func sizeBound(keyBytes: Int, valueBytes: Int, headers: [RecordHeader]) -> Int {
        var bound = keyBytes + valueBytes + 36
        for header in headers { bound += header.key.utf8.count + (header.value?.count ?? 0) + 10 }
        return bound
    }

    /// Appends a record whose key and value are copied from where they stand. `timestamp` is in milliseconds since
    /// 1970.
    public mutating func append(
        borrowedKey key: UnsafeRawBufferPointer?, borrowedValue value: UnsafeRawBufferPointer?,
        headers: [RecordHeader] = [], timestamp: Int64
    ) {
        if recordCount == 0 {
            baseTimestamp = timestamp
            maxTimestamp = timestamp
        }
        maxTimestamp = max(maxTimestamp, timestamp)
        records.writeRecord(
            number: recordCount, timestampDelta: timestamp &- baseTimestamp, key: key, value: value, headers: headers)
        recordCount += 1
    }

    /// Appends a record. `timestamp` is in milliseconds since 1970.
    public mutating func append(
        key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = [], timestamp: Int64
    ) {
        withOptionalBytes(key) { key in
            withOptionalBytes(value) { value in
                append(borrowedKey: key, borrowedValue: value, headers: headers, timestamp: timestamp)
            }
        }
    }

    /// Appends the finished batch to `writer`; the builder keeps its records until it is reset.
    ///
    /// `template` gives producer id, epoch, base sequence, base offset, leader epoch and the transactional and control
    /// flags; everything else is computed. Where compression does not make the records shorter, they stay as they
    /// are. Throws only if a codec fails, which they do for want of memory.
    public func finish(
        into writer: inout ByteWriter, compression: Compression = .none,
        template: RecordBatchHeader = RecordBatchHeader()
    ) throws(WireError) {
        precondition(recordCount > 0, "a batch without records")
        var header = template
        header.lastOffsetDelta = recordCount - 1
        header.recordCount = recordCount
        header.baseTimestamp = baseTimestamp
        header.maxTimestamp = maxTimestamp
        let start = writer.count
        let codec = try writeRecords(into: &writer, compression, header)
        header.attributes = BatchAttributes(
            compression: codec, isTransactional: template.attributes.isTransactional,
            isControl: template.attributes.isControl)
        writer.patch(header.attributes.rawValue, at: start + 21)
        writer.patch(Int32(writer.count - start - RecordBatchHeader.lengthEnd), at: start + 8)
        writer.withUnsafeMutableBytes { bytes in
            RecordBatchHeader.recomputeChecksum(of: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
        }
    }

    /// Appends header and records; returns the codec that was used.
    private func writeRecords(
        into writer: inout ByteWriter, _ compression: Compression, _ header: RecordBatchHeader
    ) throws(WireError) -> Compression {
        header.encode(into: &writer)
        let body = writer.count
        if compression != .none {
            do throws(BytesError) {
                try records.withUnsafeBytes { bytes throws(BytesError) in
                    try compression.compress(bytes, into: &writer)
                }
            } catch { throw .batch(.limitExceeded, "compression", cause: error) }
            if writer.count - body < records.count { return compression }
            writer.truncate(to: body)
        }
        records.withUnsafeBytes { writer.write(contentsOf: $0) }
        return .none
    }
}

/// Sizes of zigzag-encoded variable-length integers, in bytes.
enum Varint {
    static func size(_ value: Int64) -> Int {
        let zigzag = UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
        return (64 - (zigzag | 1).leadingZeroBitCount + 6) / 7
    }

    /// A length (-1 for null) and the bytes.
    static func fieldSize(_ count: Int?) -> Int {
        guard let count else { return 1 }
        return size(Int64(count)) + count
    }
}

extension ByteWriter {
    /// Appends a record of a batch with its length; `number` is its place in the batch.
    mutating func writeRecord(
        number: Int32, timestampDelta: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        headers: [RecordHeader]
    ) {
        var headerBytes = 0
        for header in headers {
            headerBytes += Varint.fieldSize(header.key.utf8.count) + Varint.fieldSize(header.value?.count)
        }
        beginRecord(
            number: number, timestampDelta: timestampDelta, key: key, value: value, headerBytes: headerBytes,
            headerCount: headers.count)
        for header in headers { writeHeader(header) }
    }

    /// Appends a record of a batch up to its headers, which take `headerBytes`.
    mutating func beginRecord(
        number: Int32, timestampDelta: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        headerBytes: Int, headerCount: Int
    ) {
        var length = 1 + Varint.size(timestampDelta) + Varint.size(Int64(number)) + headerBytes
        length += Varint.fieldSize(key?.count) + Varint.fieldSize(value?.count) + Varint.size(Int64(headerCount))
        reserve(length + 5)
        writeVarint(Int32(length))
        write(Int8(0))
        writeVarlong(timestampDelta)
        writeVarint(number)
        writeField(key)
        writeField(value)
        writeVarint(Int32(headerCount))
    }

    fileprivate mutating func writeField(_ bytes: UnsafeRawBufferPointer?) {
        writeVarint(Int32(bytes?.count ?? -1))
        if let bytes { write(contentsOf: bytes) }
    }

    fileprivate mutating func writeHeader(_ header: RecordHeader) {
        writeVarint(Int32(header.key.utf8.count))
        write(utf8: header.key)
        writeVarint(Int32(header.value?.count ?? -1))
        if let value = header.value { write(contentsOf: value) }
    }
}

private func withOptionalBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
    guard let bytes else { return body(nil) }
    return bytes.withUnsafeBytes { body($0) }
}
