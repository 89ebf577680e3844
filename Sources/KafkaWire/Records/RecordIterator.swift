import Bytes

/// Goes over the records of one batch, decompressing them first where needed.
///
///     var records = try RecordIterator(batch, decompressionLimit: 64 << 20)
///     while let record = try records.next() { … }
///
/// It owns the decompressed bytes: a `RecordView` is valid as long as its iterator lives. The batch itself must stay
/// valid too. It trusts nothing; it does not check the CRC (`RecordBatch.validateChecksum`).
public struct RecordIterator: ~Copyable {
    /// The header of the batch.
    public let header: RecordBatchHeader
    private let decompressed: ByteWriter
    private var reader: ByteReader
    private var remaining: Int32

    /// Begins with a batch. Throws `.unsupportedCompression`, `.corruptBatch`, or `.limitExceeded` if the records
    /// take more than `decompressionLimit` bytes.
    ///
    /// It delegates, because an initialiser that may throw between assigning properties of a type that cannot be
    /// copied is miscompiled by Swift 6.3.1 with optimisation (it destroys one that was never assigned).
    public init(_ batch: RecordBatch, decompressionLimit: Int) throws(WireError) {
        let decompressed = try RecordIterator.decompress(batch, limit: decompressionLimit)
        self.init(batch, decompressed: decompressed)
    }

    private init(_ batch: RecordBatch, decompressed: consuming ByteWriter) {
        header = batch.header
        remaining = batch.header.recordCount
        // Safe because the memory stays where it is as long as nothing is written, and this value owns it.
        reader = decompressed.withUnsafeBytes { bytes in
            ByteReader(batch.header.attributes.compression == .some(.none) ? batch.recordBytes : bytes)
        }
        self.decompressed = decompressed
    }

    /// The records as they are without compression; nothing if they are not compressed.
    private static func decompress(_ batch: RecordBatch, limit: Int) throws(WireError) -> ByteWriter {
        guard let codec = batch.header.attributes.compression else {
            throw .batch(.unsupportedCompression, "codec \(batch.header.attributes.rawValue & 7)")
        }
        guard batch.header.recordCount >= 0 else {
            throw .batch(.corruptBatch, "\(batch.header.recordCount) records")
        }
        var writer = ByteWriter(capacity: 0)
        guard codec != .none else { return writer }
        do throws(BytesError) {
            try codec.decompress(batch.recordBytes, limit: limit, into: &writer)
        } catch {
            throw .batch(error.code == .limitExceeded ? .limitExceeded : .corruptBatch, "records", cause: error)
        }
        return writer
    }

    /// The next record, or nil behind the last one. Throws `.corruptBatch` if the bytes are no record, if they end
    /// before the stated number of records, or go on behind it.
    public mutating func next() throws(WireError) -> RecordView? {
        guard remaining > 0 else {
            guard reader.isAtEnd else {
                throw .batch(.corruptBatch, "\(reader.remaining) bytes behind \(header.recordCount) records")
            }
            return nil
        }
        do throws(BytesError) {
            let record = try read()
            remaining -= 1
            return record
        } catch {
            throw .batch(
                .corruptBatch, "record \(header.recordCount - remaining) of \(header.recordCount)", cause: error)
        }
    }

    private mutating func read() throws(BytesError) -> RecordView {
        let start = reader.position
        let length = Int(try reader.varint())
        let end = reader.position + length
        guard length >= 0, length <= reader.remaining else {
            throw BytesError(code: .malformed, message: "a record of \(length) bytes at byte \(start)")
        }
        try reader.skip(1)
        let timestampDelta = try reader.varlong()
        let offsetDelta = try reader.varint()
        let key = try reader.field().bytes
        let value = try reader.field().bytes
        let headers = try readHeaders()
        guard reader.position == end else {
            throw BytesError(code: .malformed, message: "a record whose length is wrong at byte \(start)")
        }
        return RecordView(
            offset: header.baseOffset &+ Int64(offsetDelta),
            timestamp: header.attributes.isLogAppendTime ? header.maxTimestamp : header.baseTimestamp &+ timestampDelta,
            key: key, value: value, headerCount: headers.count, headerBytes: headers.bytes)
    }

    private mutating func readHeaders() throws(BytesError) -> (count: Int, bytes: UnsafeRawBufferPointer) {
        let count = Int(try reader.varint())
        let start = reader.position
        // A header has two lengths of at least one byte each.
        guard count >= 0, count <= reader.remaining / 2 else {
            throw BytesError(code: .malformed, message: "\(count) headers at byte \(start)")
        }
        for _ in 0..<count {
            guard try reader.field().bytes != nil else {
                throw BytesError(code: .malformed, message: "a header without a key at byte \(reader.position)")
            }
            _ = try reader.field()
        }
        return (count, reader.bytes(in: start..<reader.position))
    }
}
