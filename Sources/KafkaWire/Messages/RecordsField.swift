public import Bytes

/// The value of a `records` field: record batches, one after the other, as raw bytes.
public enum RecordsField: Sendable, Equatable {
    /// No records.
    case null
    /// Decoded: where the batches stand in the frame that the reader was made from. Nothing was copied. It cannot be
    /// encoded again (that traps); take the bytes first.
    case frame(Range<Int>)
    /// To encode: the batches themselves.
    case bytes([UInt8])
    /// To encode: only the size is written, and a gap is left (`ByteWriter.gaps`) into which the sender puts that
    /// many bytes from elsewhere, for instance from a file with `sendfile`.
    case external(byteCount: Int)

    /// The number of bytes of the batches.
    public var byteCount: Int {
        switch self {
        case .null: 0
        case .frame(let range): range.count
        case .bytes(let bytes): bytes.count
        case .external(let count): count
        }
    }

    /// Decodes the field.
    @inlinable
    init(decoding reader: inout ByteReader, compact: Bool) throws(BytesError) {
        guard let range = try reader.nullableByteRange(compact: compact) else {
            self = .null
            return
        }
        self = .frame(range)
    }

    /// Appends the field.
    @inlinable
    func encode(into writer: inout ByteWriter, compact: Bool) {
        switch self {
        case .null: writer.writeNull(compact: compact)
        case .bytes(let bytes): writer.write(bytes, compact: compact)
        case .external(let count):
            writer.writeByteCount(count, compact: compact)
            writer.writeGap(count)
        case .frame: preconditionFailure("records that are a range of a frame must be turned into bytes to be encoded")
        }
    }
}
