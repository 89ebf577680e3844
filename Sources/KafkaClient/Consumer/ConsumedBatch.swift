import Bytes
import KafkaWire
import NIOCore

/// A batch of records as it stands in the log, not decoded yet.
///
/// It keeps alive the whole answer that it came in. Decompressing and decoding happen where `records()` or
/// `forEachRecord` is called, not where it was fetched.
public struct ConsumedBatch: Sendable {
    /// The topic.
    public let topic: String
    /// The partition, from 0.
    public let partition: Int32
    /// The number of records in the log's batch. Fewer may be handed out: those outside of what was asked for are
    /// left out.
    public let recordCount: Int
    /// The offset of the batch's first record.
    public let baseOffset: Int64
    /// The offset behind its last record.
    public let nextOffset: Int64
    /// The codec's name as Kafka spells it (`none`, `gzip`, …), or `unknown`.
    public var compression: String { header.attributes.compression?.name ?? "unknown" }
    /// Its size in the log, in bytes.
    public var sizeBytes: Int { bytes.readableBytes }

    let header: RecordBatchHeader
    let bytes: ByteBuffer
    let maximumBytes: Int
    let verifiesChecksum: Bool
    /// The offsets that were asked for.
    var wanted: Range<Int64> = 0..<Int64.max

    init(_ header: RecordBatchHeader, _ bytes: ByteBuffer, of partition: TopicPartition, _ settings: ConsumerSettings) {
        topic = partition.topic
        self.partition = partition.partition
        self.header = header
        self.bytes = bytes
        recordCount = Int(max(0, header.recordCount))
        baseOffset = header.baseOffset
        nextOffset = header.nextOffset
        maximumBytes = settings.maximumBatchBytes
        verifiesChecksum = settings.verifiesChecksums
    }

    var topicPartition: TopicPartition { TopicPartition(topic, partition) }
    var producerID: Int64 { header.producerId }
    var isTransactional: Bool { header.attributes.isTransactional }
    var isControl: Bool { header.attributes.isControl }

    /// Whether this is the marker that ends a transaction by aborting it: the key of its record is a version and then
    /// 0, both int16 (1 would be a commit).
    var isAbortMarker: Bool {
        var isAbort = false
        try? forEach { record in
            guard let key = record.key, key.count >= 4 else { return }
            isAbort = key[2] == 0 && key[3] == 0
        }
        return isAbort
    }

    /// The same batch, handing out only these offsets.
    func limited(to wanted: Range<Int64>) -> ConsumedBatch {
        var batch = self
        batch.wanted = wanted
        return batch
    }

    /// Decodes the records. Throws with code `.malformed` if the checksum is wrong, the codec is unknown, or the
    /// records take more than `ConsumerSettings.maximumBatchBytes`.
    public func records() throws(KafkaClientError) -> [ConsumedRecord] {
        var records: [ConsumedRecord] = []
        records.reserveCapacity(min(recordCount, sizeBytes))
        try forEachRecord { records.append(copy($0)) }
        return records
    }

    /// Goes over the records without copying their bytes. Throws as `records()` does.
    ///
    /// Never inlined: Swift 6.3.1 crashes when it optimises this into `records()` in a release build.
    @inline(never)
    public func forEachRecord(_ body: (borrowing RecordBytes) -> Void) throws(KafkaClientError) {
        try forEach { record in
            guard wanted.contains(record.offset) else { return }
            body(RecordBytes(record: record))
        }
    }

    /// A record that was shown by `forEachRecord`, with bytes of its own.
    public func copy(_ record: borrowing RecordBytes) -> ConsumedRecord {
        ConsumedRecord(
            topic: topic, partition: partition, offset: record.offset,
            timestampMilliseconds: record.timestampMilliseconds,
            timestampKind: header.attributes.isLogAppendTime ? .logAppendTime : .createTime,
            key: record.key.map(Array.init), value: record.value.map(Array.init), headers: record.headers)
    }

    private func forEach(_ body: (RecordView) -> Void) throws(KafkaClientError) {
        let failure = bytes.withUnsafeReadableBytes { raw -> WireError? in
            do throws(WireError) {
                let batch = RecordBatch(header: header, bytes: raw)
                if verifiesChecksum { try batch.validateChecksum() }
                var iterator = try RecordIterator(batch, decompressionLimit: maximumBytes)
                while let record = try iterator.next() { body(record) }
                return nil
            } catch {
                return error
            }
        }
        guard let failure else { return }
        throw KafkaClientError(
            .malformed, "the batch at offset \(baseOffset) of partition \(topicPartition) cannot be read",
            cause: failure)
    }
}

/// A record in place, valid only during the call that shows it (`ConsumedBatch.forEachRecord`). It holds nothing that is
/// counted, so showing one costs no more than reading it.
public struct RecordBytes: ~Copyable {
    let record: RecordView

    /// The position in the partition.
    public var offset: Int64 { record.offset }
    /// Milliseconds since 1970-01-01 UTC.
    public var timestampMilliseconds: Int64 { record.timestamp }
    /// The key's bytes, if any.
    public var key: UnsafeRawBufferPointer? { record.key }
    /// The content's bytes; nil is a tombstone.
    public var value: UnsafeRawBufferPointer? { record.value }
    /// The number of headers.
    public var headerCount: Int { record.headerCount }

    /// The headers, copied.
    public var headers: [Record.Header] {
        record.headerCount == 0 ? [] : record.headers.map { Record.Header($0.key, $0.value) }
    }
}

/// Cuts the bytes of an answer into batches.
struct BatchScan {
    let partition: TopicPartition
    let settings: ConsumerSettings

    /// Hands over each whole batch; one that the answer's limit has cut off at the end is left for the next request.
    func split(_ bytes: ByteBuffer, _ body: (ConsumedBatch) -> Void) throws(KafkaClientError) {
        let failure = bytes.withUnsafeReadableBytes { raw -> WireError? in
            var batches = RecordBatches(raw, allowsPartialTail: true)
            do throws(WireError) {
                while true {
                    let start = batches.position
                    guard let batch = try batches.next() else { return nil }
                    guard
                        let slice = bytes.getSlice(at: bytes.readerIndex + start, length: batch.header.sizeBytes)
                    else { return nil }
                    body(ConsumedBatch(batch.header, slice, of: partition, settings))
                }
            } catch {
                return error
            }
        }
        guard let failure else { return }
        throw KafkaClientError(
            .malformed, "the answer for partition \(partition) holds what is not a record batch", cause: failure)
    }
}
