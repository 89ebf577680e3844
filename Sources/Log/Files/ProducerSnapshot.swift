import Bytes
import Machine

/// A partition's state at an offset, so that a start replays only what follows: docs/formats/snapshot.md.
///
///     | "MLPS" | version u16 | epochs u16 | offset i64 | producers u32 | epochs … | producers … | crc32c u32 |
struct ProducerSnapshot: Sendable, Equatable {
    private static let magic: UInt32 = 0x4D4C_5053
    private static let version: UInt16 = 1
    private static let headerBytes = 20

    var offset: Int64
    var epochs: LeaderEpochs
    /// The one that was idle longest first, so that restoring keeps the order of eviction.
    var producers: [ProducerEntry]

    init(offset: Int64, epochs: LeaderEpochs, producers: [ProducerEntry]) {
        self.offset = offset
        self.epochs = epochs
        self.producers = producers
    }

    init(of state: PartitionState) {
        self.init(
            offset: state.logEndOffset, epochs: state.epochs, producers: state.producers.entriesOldestFirst)
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.headerBytes + producers.count * 200 + 4)
        writer.write(Self.magic)
        writer.write(Self.version)
        writer.write(UInt16(epochs.starts.count))
        writer.write(offset)
        writer.write(UInt32(producers.count))
        for start in epochs.starts {
            writer.write(start.epoch)
            writer.write(start.offset)
        }
        for producer in producers { producer.encode(into: &writer) }
        writer.write(writer.withUnsafeBytes { Checksum.of($0) })
        return writer.array()
    }

    init(decoding bytes: [UInt8], path: String) throws(LogError) {
        do {
            self = try bytes.withBytes { bytes throws(BytesError) in try Self.decode(bytes) }
        } catch {
            throw LogError(.damaged, "\(path) does not verify", cause: error)
        }
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer) throws(BytesError) -> ProducerSnapshot {
        guard bytes.count >= headerBytes + 4, bytes.bigEndian(0, as: UInt32.self) == magic,
            bytes.bigEndian(4, as: UInt16.self) == version,
            bytes.bigEndian(bytes.count - 4, as: UInt32.self)
                == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)]))
        else { throw BytesError(code: .malformed, message: "no snapshot of version \(version), or a bad checksum") }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)]))
        try reader.skip(6)
        let epochCount = try reader.uint16()
        let offset = try reader.int64()
        let producerCount = try reader.uint32()
        var starts: [LeaderEpochs.Start] = []
        for _ in 0..<epochCount {
            starts.append(LeaderEpochs.Start(epoch: try reader.int32(), offset: try reader.int64()))
        }
        var producers: [ProducerEntry] = []
        for _ in 0..<producerCount { producers.append(try ProducerEntry(decoding: &reader)) }
        return ProducerSnapshot(offset: offset, epochs: LeaderEpochs(starts), producers: producers)
    }
}

extension ProducerEntry {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.write(producerID)
        writer.write(epoch)
        writer.write(UInt16(count))
        writer.write(lastTimestamp)
        for index in 0..<count {
            let batch = self[index]
            writer.write(batch.firstSequence)
            writer.write(batch.lastSequence)
            writer.write(batch.baseOffset)
            writer.write(batch.endOffset)
            writer.write(batch.timestamp)
        }
    }

    fileprivate init(decoding reader: inout ByteReader) throws(BytesError) {
        let producerID = try reader.int64()
        let epoch = try reader.int16()
        self.init(producerID: producerID, epoch: epoch)
        let count = try reader.uint16()
        let lastTimestamp = try reader.int64()
        for _ in 0..<count {
            let batch = ProducerBatch(
                firstSequence: try reader.int32(), lastSequence: try reader.int32(), baseOffset: try reader.int64(),
                endOffset: try reader.int64(), timestamp: try reader.int64())
            record(batch, epoch: epoch, lastTimestamp: lastTimestamp)
        }
    }
}
