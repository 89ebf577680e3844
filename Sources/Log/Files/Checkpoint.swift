import Bytes
import KafkaWire
import Machine

/// The recovery points of all partitions, in one file that is replaced as a whole: docs/formats/checkpoint.md.
///
///     | "MLCK" | version u16 | flags u16 | written i64 | count u32 | entries … | crc32c u32 |
struct Checkpoint: Sendable, Equatable {
    private static let magic: UInt32 = 0x4D4C_434B
    private static let version: UInt16 = 1
    private static let headerBytes = 20

    /// Whether the process that wrote it ended in order. Removed before anything is appended.
    var isClean = false
    /// When it was written, in wall milliseconds.
    var writtenMilliseconds: Int64 = 0
    var entries: [CheckpointEntry] = []

    init() {}

    init(isClean: Bool, writtenMilliseconds: Int64, entries: [CheckpointEntry]) {
        self.isClean = isClean
        self.writtenMilliseconds = writtenMilliseconds
        self.entries = entries
    }

    /// Replaces the file, durably.
    func write(to path: String, inDirectory directory: String, _ files: any FileSystem) throws(MachineError) {
        try WholeFile.replace(path, inDirectory: directory, with: encoded(), files)
    }

    /// The bytes of the file.
    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.headerBytes + entries.count * 96 + 4)
        encode(into: &writer)
        return writer.array()
    }

    private func encode(into writer: inout ByteWriter) {
        writer.write(Self.magic)
        writer.write(Self.version)
        writer.write(UInt16(isClean ? 1 : 0))
        writer.write(writtenMilliseconds)
        writer.write(UInt32(entries.count))
        for entry in entries { entry.encode(into: &writer) }
        writer.write(writer.withUnsafeBytes { Checksum.of($0) })
    }

    /// Reads the file.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: `.damaged` if it does not verify, `.formatTooNew`, `.storage`.
    static func read(_ path: String, _ files: any FileSystem) throws(LogError) -> Checkpoint? {
        guard let bytes = try WholeFile.read(path, files) else { return nil }
        return try bytes.withBytes { bytes throws(LogError) in try decode(bytes, path) }
    }

    /// - Throws: `.damaged`, `.formatTooNew`.
    static func decode(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(LogError) -> Checkpoint {
        guard bytes.count >= headerBytes + 4, bytes.bigEndian(0, as: UInt32.self) == magic,
            bytes.bigEndian(bytes.count - 4, as: UInt32.self)
                == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)]))
        else { throw LogError(.damaged, "\(path) does not verify") }
        let version: UInt16 = bytes.bigEndian(4)
        guard version == Self.version else {
            throw LogError(.formatTooNew, "\(path) has format version \(version), known is \(Self.version)")
        }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)]))
        do {
            try reader.skip(6)
            var checkpoint = Checkpoint()
            checkpoint.isClean = try reader.uint16() & 1 != 0
            checkpoint.writtenMilliseconds = try reader.int64()
            for _ in 0..<(try reader.uint32()) { checkpoint.entries.append(try CheckpointEntry(decoding: &reader)) }
            return checkpoint
        } catch {
            throw LogError(.damaged, "\(path) does not parse", cause: error)
        }
    }
}

extension CheckpointEntry {
    fileprivate func encode(into writer: inout ByteWriter) {
        topicID.encode(into: &writer)
        writer.write(partition)
        writer.write(leaderEpoch)
        writer.write(logStartOffset)
        writer.write(recoveryPoint.offset)
        writer.write(recoveryPoint.segmentBase)
        writer.write(recoveryPoint.position)
        writer.write(UInt16(isClean ? 1 : 0))
        writer.write(UInt16(epochs.starts.count))
        for start in epochs.starts {
            writer.write(start.epoch)
            writer.write(start.offset)
        }
    }

    fileprivate init(decoding reader: inout ByteReader) throws(BytesError) {
        self.init(topicID: try Uuid(decoding: &reader), partition: try reader.int32())
        leaderEpoch = try reader.int32()
        logStartOffset = try reader.int64()
        recoveryPoint = LogPosition(
            offset: try reader.int64(), segmentBase: try reader.int64(), position: try reader.int64())
        isClean = try reader.uint16() & 1 != 0
        var starts: [LeaderEpochs.Start] = []
        for _ in 0..<(try reader.uint16()) {
            starts.append(LeaderEpochs.Start(epoch: try reader.int32(), offset: try reader.int64()))
        }
        epochs = LeaderEpochs(starts)
    }
}
