public import Bytes

/// The first 61 bytes of a record batch, format v2 (KIP-98; https://kafka.apache.org/documentation/#recordbatch).
///
///      0  base offset             8     27  base timestamp          8
///      8  batch length            4     35  max timestamp           8
///     12  partition leader epoch  4     43  producer id             8
///     16  magic (2)               1     51  producer epoch          2
///     17  CRC32C of byte 21 on    4     53  base sequence           4
///     21  attributes              2     57  number of records       4
///     23  last offset delta       4     61  records, compressed as the attributes say
///
/// The batch length counts the bytes behind itself. What precedes the CRC can be patched without recomputing it.
public struct RecordBatchHeader: Sendable, Equatable {
    /// The offset of the first record.
    public var baseOffset: Int64 = 0
    /// The number of bytes behind this field: the batch's size less 12.
    public var batchLength: Int32 = 49
    /// The epoch of the leader that appended the batch.
    public var partitionLeaderEpoch: Int32 = -1
    /// CRC32C of everything from the attributes on.
    public var crc: UInt32 = 0
    /// Codec and flags.
    public var attributes = BatchAttributes(rawValue: 0)
    /// The offset of the last record less the base offset; compaction keeps it when it removes records.
    public var lastOffsetDelta: Int32 = 0
    /// The timestamp that the records' deltas add to, in milliseconds since 1970.
    public var baseTimestamp: Int64 = -1
    /// The largest timestamp of a record, in milliseconds since 1970; -1 if none has one.
    public var maxTimestamp: Int64 = -1
    /// The idempotent producer, or -1.
    public var producerId: Int64 = -1
    /// The producer's epoch, or -1.
    public var producerEpoch: Int16 = -1
    /// The sequence number of the first record, or -1.
    public var baseSequence: Int32 = -1
    /// The number of records.
    public var recordCount: Int32 = 0

    /// The size of a header, and so of the smallest batch: 61 bytes.
    public static let byteCount = 61
    /// The bytes up to and including the batch length: 12. So many tell a batch's size.
    public static let lengthEnd = 12
    /// The only format that is served.
    public static let magic: Int8 = 2
    /// Where the bytes that the CRC covers begin.
    static let checksummedStart = 21

    /// A header with the values that Kafka gives to a batch without a producer id.
    public init() {}

    /// Parses the header at the start of `bytes`.
    ///
    /// Throws `.corruptBatch` if there are fewer than 61 bytes or if the batch length is less than a header has, and
    /// `.unsupportedFormat` for formats other than v2. It checks neither the CRC nor whether all of the batch is there.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard bytes.count >= RecordBatchHeader.byteCount, let base = bytes.baseAddress else {
            throw .batch(.corruptBatch, "\(bytes.count) bytes are too few for a batch's header")
        }
        // Safe because all of the 61 bytes were just seen to be there.
        func load<T: FixedWidthInteger & BitwiseCopyable>(_ position: Int, as type: T.Type = T.self) -> T {
            T(bigEndian: base.loadUnaligned(fromByteOffset: position, as: T.self))
        }
        guard load(16) == RecordBatchHeader.magic else {
            throw .batch(.unsupportedFormat, "record format \(load(16) as Int8); only 2 is supported")
        }
        baseOffset = load(0)
        batchLength = load(8)
        partitionLeaderEpoch = load(12)
        crc = load(17)
        attributes = BatchAttributes(rawValue: load(21))
        lastOffsetDelta = load(23)
        baseTimestamp = load(27)
        maxTimestamp = load(35)
        producerId = load(43)
        producerEpoch = load(51)
        baseSequence = load(53)
        recordCount = load(57)
        guard sizeBytes >= RecordBatchHeader.byteCount else {
            throw .batch(.corruptBatch, "a batch length of \(batchLength)")
        }
    }

    /// Appends the 61 bytes.
    public func encode(into writer: inout ByteWriter) {
        writer.write(baseOffset)
        writer.write(batchLength)
        writer.write(partitionLeaderEpoch)
        writer.write(RecordBatchHeader.magic)
        writer.write(crc)
        writer.write(attributes.rawValue)
        writer.write(lastOffsetDelta)
        writer.write(baseTimestamp)
        writer.write(maxTimestamp)
        writer.write(producerId)
        writer.write(producerEpoch)
        writer.write(baseSequence)
        writer.write(recordCount)
    }
}

extension RecordBatchHeader {
    /// The whole batch's size in bytes.
    public var sizeBytes: Int { Int(batchLength) + RecordBatchHeader.lengthEnd }
    /// The offset of the last record. Wraps around where a corrupt header says so.
    public var lastOffset: Int64 { baseOffset &+ Int64(lastOffsetDelta) }
    /// The offset behind the last record. Wraps around where a corrupt header says so.
    public var nextOffset: Int64 { lastOffset &+ 1 }
    /// Whether an idempotent producer wrote the batch.
    public var hasProducer: Bool { producerId >= 0 }
    /// The sequence number of the last record: they wrap around from 2,147,483,647 to 0.
    public var lastSequence: Int32 { (baseSequence &+ lastOffsetDelta) & Int32.max }

    /// The CRC32C that a batch's bytes have; `batch` is the whole batch.
    public static func checksum(of batch: UnsafeRawBufferPointer) -> UInt32 {
        guard batch.count >= byteCount else { return 0 }
        return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: batch[checksummedStart...]))
    }
}

extension WireError {
    @inline(never)
    static func batch(_ code: Code, _ message: @autoclosure () -> String, cause: (any Error)? = nil) -> WireError {
        WireError(code: code, message: "record batch: " + message(), cause: cause)
    }
}
