/// Goes over the record batches that stand one after the other in a `records` field or a segment.
///
///     var batches = RecordBatches(bytes)
///     while let batch = try batches.next() { … }
///
/// It checks sizes and the format only; see `RecordBatch.validate…` for the rest.
public struct RecordBatches {
    private let bytes: UnsafeRawBufferPointer
    private let allowsPartialTail: Bool
    /// Where the next batch begins, counted from the start of the bytes.
    public private(set) var position = 0

    /// Goes over `bytes`, which must stay valid. With `allowsPartialTail`, a batch that the end cuts off ends the
    /// iteration like the end itself: Kafka's brokers may answer a fetch so. Without, it is an error.
    public init(_ bytes: UnsafeRawBufferPointer, allowsPartialTail: Bool = false) {
        self.bytes = bytes
        self.allowsPartialTail = allowsPartialTail
    }

    /// The next batch, or nil at the end. Throws `.corruptBatch` or `.unsupportedFormat`, and then does so again.
    public mutating func next() throws(WireError) -> RecordBatch? {
        guard position < bytes.count else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
        if allowsPartialTail, rest.count < RecordBatchHeader.byteCount { return nil }
        let header = try RecordBatchHeader(parsing: rest)
        guard header.sizeBytes <= rest.count else {
            if allowsPartialTail { return nil }
            throw .batch(.corruptBatch, "\(header.sizeBytes) bytes announced, \(rest.count) are there")
        }
        position += header.sizeBytes
        return RecordBatch(header: header, bytes: UnsafeRawBufferPointer(rebasing: rest[..<header.sizeBytes]))
    }
}

/// A record batch: its header, parsed, and all of its bytes, borrowed.
public struct RecordBatch {
    /// The parsed header.
    public let header: RecordBatchHeader
    /// The whole batch, header included. Valid as long as the bytes it was made from.
    public let bytes: UnsafeRawBufferPointer

    /// Pairs a header with the batch it was parsed from, whose size must be the one that the header says.
    public init(header: RecordBatchHeader, bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == header.sizeBytes, "not the bytes of this header")
        self.header = header
        self.bytes = bytes
    }

    /// The records, compressed as the attributes say.
    public var recordBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[RecordBatchHeader.byteCount...])
    }
}
