import Bytes
import KafkaWire
import NIOCore

/// A batch that a broker found too large (`MESSAGE_TOO_LARGE`), which is cut into smaller ones.
///
/// Kafka's Java client does the same (KAFKA-3995): no part is larger than half of the batch, or than its largest
/// record, so that repeating it ends with single records.
struct OversizedBatch: Sendable {
    /// A smaller batch, without a name or a number.
    struct Part: Sendable {
        let recordCount: Int
        let bytes: ByteBuffer
    }

    /// The batch in the producer's state.
    let id: Int
    let bytes: ByteBuffer

    /// Decompresses, distributes and compresses the records anew.
    ///
    /// - Parameter maximumBytes: what the records take at most without compression.
    func split(compression: Compression, maximumBytes: Int) -> Result<[Part], KafkaClientError> {
        do throws(WireError) {
            let sizes = try sizes(maximumBytes)
            let target = max(sizes.max() ?? 0, sizes.reduce(0, +) / 2)
            return .success(try parts(Self.counts(sizes, target), compression, maximumBytes))
        } catch {
            return .failure(KafkaClientError(.invalid, "a batch that is too large cannot be split", cause: error))
        }
    }

    /// How many records go into each part, in order, so that no part exceeds `target`.
    static func counts(_ sizes: [Int], _ target: Int) -> [Int] {
        var counts: [Int] = []
        var room = 0
        for size in sizes {
            if let last = counts.indices.last, size <= room {
                counts[last] += 1
                room -= size
            } else {
                counts.append(1)
                room = target - size
            }
        }
        return counts
    }

    private func sizes(_ maximumBytes: Int) throws(WireError) -> [Int] {
        var sizes: [Int] = []
        try forEach(maximumBytes) { record throws(WireError) in
            sizes.append(
                RecordBatchBuilder.sizeBound(
                    keyBytes: record.key?.count ?? 0, valueBytes: record.value?.count ?? 0, headers: record.headers))
        }
        return sizes
    }

    private func parts(
        _ counts: [Int], _ compression: Compression, _ maximumBytes: Int
    ) throws(WireError) -> [Part] {
        var parts: [Part] = []
        var builder = RecordBatchBuilder(capacity: bytes.readableBytes)
        try forEach(maximumBytes) { record throws(WireError) in
            builder.append(
                borrowedKey: record.key, borrowedValue: record.value, headers: record.headers,
                timestamp: record.timestamp)
            guard Int(builder.recordCount) == counts[parts.count] else { return }
            var writer = ByteWriter(capacity: builder.sizeBytes)
            try builder.finish(into: &writer, compression: compression)
            let bytes = writer.withUnsafeBytes { ByteBuffer(bytes: $0) }
            parts.append(Part(recordCount: Int(builder.recordCount), bytes: bytes))
            builder.reset()
        }
        return parts
    }

    private func forEach(
        _ maximumBytes: Int, _ body: (RecordView) throws(WireError) -> Void
    ) throws(WireError) {
        let outcome = bytes.withUnsafeReadableBytes { raw -> Result<Void, WireError> in
            do throws(WireError) {
                let batch = RecordBatch(header: try RecordBatchHeader(parsing: raw), bytes: raw)
                var records = try RecordIterator(batch, decompressionLimit: maximumBytes)
                while let record = try records.next() { try body(record) }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }
}

extension Claim {
    /// The records of these claims that stand in one part of their batch, by their place in that part.
    static func cut(_ claims: [Claim], to part: Range<Int>) -> [Claim] {
        claims.compactMap { claim in
            let places = claim.firstInBatch..<claim.firstInBatch + claim.records.count
            let shared = places.clamped(to: part)
            guard !shared.isEmpty else { return nil }
            let shift = claim.records.lowerBound - claim.firstInBatch
            return Claim(
                delivery: claim.delivery, records: shared.lowerBound + shift..<shared.upperBound + shift,
                firstInBatch: shared.lowerBound - part.lowerBound)
        }
    }
}
