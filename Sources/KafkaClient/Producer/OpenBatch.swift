import Bytes
import KafkaWire
import NIOCore

/// A stretch of a delivery's records that stands in one batch.
struct Claim: Sendable {
    let delivery: Delivery
    /// The records, by their place in the delivery.
    var records: Range<Int>
    /// The place of the first one in the batch.
    let firstInBatch: Int
}

/// A batch that is being filled.
///
/// Safe because it has one owner at a time: the producer's lock while records are added, then, once the state has
/// let go of it (`ProducerState.close`), whoever is to seal it.
final class OpenBatch: @unchecked Sendable {
    let id: Int
    /// When it is sent although it is not full.
    let lingerDeadline: Int64
    /// When its first record is given up.
    let deliveryDeadline: Int64
    /// What it holds of the buffer, in bytes.
    var reservedBytes = 0
    private(set) var claims: [Claim] = []
    private let compression: Compression
    private var builder = RecordBatchBuilder(capacity: 4_096)

    init(id: Int, lingerDeadline: Int64, deliveryDeadline: Int64, compression: Compression) {
        self.id = id
        self.lingerDeadline = lingerDeadline
        self.deliveryDeadline = deliveryDeadline
        self.compression = compression
    }

    var recordCount: Int { Int(builder.recordCount) }
    var sizeBytes: Int { builder.sizeBytes }

    /// What a record takes at most, in bytes before compression.
    static func maximumSize(of record: Record) -> Int {
        var size = RecordBatchBuilder.sizeBound(
            keyBytes: record.key?.count ?? 0, valueBytes: record.value?.count ?? 0, headers: [])
        for header in record.headers { size += header.key.utf8.count + (header.value?.count ?? 0) + 10 }
        return size
    }

    /// Adds a record of a delivery.
    func append(_ record: Record, timestamp: Int64, claimedBy delivery: Delivery, index: Int) {
        let place = recordCount
        let headers = record.headers.isEmpty ? [] : record.headers.map { RecordHeader(key: $0.key, value: $0.value) }
        builder.append(key: record.key, value: record.value, headers: headers, timestamp: timestamp)
        if let last = claims.indices.last, claims[last].delivery === delivery, claims[last].records.upperBound == index
        {
            claims[last].records = claims[last].records.lowerBound..<index + 1
        } else {
            claims.append(Claim(delivery: delivery, records: index..<index + 1, firstInBatch: place))
        }
    }

    /// Compresses the records and completes the batch. It is numbered later (`ByteBuffer.stamp`).
    func seal() -> Result<ByteBuffer, KafkaClientError> {
        var writer = ByteWriter(capacity: sizeBytes)
        do {
            try builder.finish(into: &writer, compression: compression)
        } catch {
            return .failure(KafkaClientError(.invalid, "a batch cannot be compressed", cause: error))
        }
        builder = RecordBatchBuilder(capacity: 0)
        return .success(writer.withUnsafeBytes { ByteBuffer(bytes: $0) })
    }
}

extension ByteBuffer {
    /// Writes a producer's name and a sequence number into the batch that this holds. Without a name nothing changes:
    /// the batch was built without one.
    mutating func stamp(_ identity: ProducerIdentity, sequence: Int32) {
        guard identity != .none else { return }
        withUnsafeMutableReadableBytes { bytes in
            RecordBatchHeader.assign(
                producerId: identity.id, producerEpoch: identity.epoch, baseSequence: sequence, in: bytes)
        }
    }
}

extension CompressionCodec {
    /// The wire's own name for it.
    var wire: Compression {
        switch self {
        case .none: .none
        case .gzip: .gzip
        case .snappy: .snappy
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }
}
