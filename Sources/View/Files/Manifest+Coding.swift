import Bytes
import KafkaWire

/// The bytes of a manifest's file: docs/formats/view-manifest.md.
///
///     | "MLVM" | format u16 | flags u16 | topic id 16 | partition i32 | version i64 | next offset i64
///     | next block id u64 | previous crc u32 | state length u32 | block count u32
///     | blocks: id u64, size i64, crc u32, details length u32, details … | state | crc32c u32 |
struct StoredManifest: Sendable, Equatable {
    private static let magic: UInt32 = 0x4D4C_564D
    private static let format: UInt16 = 1
    private static let headerBytes = 64
    private static let entryBytes = 24
    /// The largest state that a manifest carries, in bytes.
    static let maximumStateBytes = 64 << 20
    /// The largest file that is read, in bytes: the state, and a million blocks.
    static let maximumBytes: Int64 = 256 << 20

    var topicID: Uuid
    var partition: Int32
    /// The checksum at the end of the previous version's file; 0 for the first version.
    var previousChecksum: UInt32
    var manifest: Manifest

    /// The file's bytes; the last four are its checksum.
    func encoded() -> [UInt8] {
        let details = manifest.blocks.reduce(0) { $0 + $1.details.count + Self.entryBytes }
        var writer = ByteWriter(capacity: Self.headerBytes + details + manifest.state.count + 4)
        writer.write(Self.magic)
        writer.write(Self.format)
        writer.write(UInt16(0))
        topicID.encode(into: &writer)
        writer.write(partition)
        writer.write(manifest.version)
        writer.write(manifest.nextOffset)
        writer.write(manifest.nextBlockID)
        writer.write(previousChecksum)
        writer.write(UInt32(manifest.state.count))
        writer.write(UInt32(manifest.blocks.count))
        for block in manifest.blocks {
            writer.write(block.id)
            writer.write(block.sizeBytes)
            writer.write(block.checksum)
            writer.write(UInt32(block.details.count))
            writer.write(contentsOf: block.details)
        }
        writer.write(contentsOf: manifest.state)
        writer.write(writer.withUnsafeBytes { CRC32C.checksum($0) })
        return writer.array()
    }

    /// - Throws: `.damaged`, `.formatTooNew`.
    static func decode(_ bytes: [UInt8], _ path: String) throws(ViewError) -> StoredManifest {
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(ViewError) in try decode(bytes, path) }
        }
        return try outcome.get()
    }

    /// The checksum at the end of a file.
    static func checksum(of bytes: [UInt8]) -> UInt32 {
        bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(ViewError) -> StoredManifest {
        guard bytes.count >= headerBytes + 4 else { throw ViewError(.damaged, "\(path) has \(bytes.count) bytes") }
        let body = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)])
        let format: UInt16
        do throws(BytesError) {
            var reader = ByteReader(bytes)
            var end = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[body.count...]))
            guard try reader.uint32() == magic, try end.uint32() == CRC32C.checksum(body) else {
                throw BytesError(code: .malformed, message: "the first bytes or the checksum differ")
            }
            format = try reader.uint16()
            if format == Self.format { return try parse(body) }
        } catch {
            throw ViewError(.damaged, "\(path) does not verify", cause: error)
        }
        throw ViewError(.formatTooNew, "\(path) has format \(format); this version knows \(Self.format)")
    }

    private static func parse(_ body: UnsafeRawBufferPointer) throws(BytesError) -> StoredManifest {
        var reader = ByteReader(body)
        try reader.skip(8)
        let topicID = try Uuid(decoding: &reader)
        let partition = try reader.int32()
        let (version, nextOffset) = (try reader.int64(), try reader.int64())
        let nextBlockID = try reader.uint64()
        let previousChecksum = try reader.uint32()
        let stateBytes = Int(try reader.uint32())
        let count = Int(try reader.uint32())
        guard count <= reader.remaining / entryBytes, stateBytes <= maximumStateBytes else {
            throw BytesError(code: .malformed, message: "\(count) blocks, \(stateBytes) bytes of state")
        }
        var blocks: [BlockEntry] = []
        blocks.reserveCapacity(count)
        for _ in 0..<count {
            let (id, size, checksum) = (try reader.uint64(), try reader.int64(), try reader.uint32())
            let details = try reader.slice(Int(try reader.uint32()))
            blocks.append(BlockEntry(id: id, sizeBytes: size, checksum: checksum, details: Array(details)))
        }
        let state = Array(try reader.slice(stateBytes))
        guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "\(reader.remaining) bytes too many") }
        return StoredManifest(
            topicID: topicID, partition: partition, previousChecksum: previousChecksum,
            manifest: Manifest(
                version: version, nextOffset: nextOffset, blocks: blocks, state: state, nextBlockID: nextBlockID))
    }
}
