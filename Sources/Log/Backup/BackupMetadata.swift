import Bytes
import KafkaWire
import Storage

/// The entries of the metadata store, as a backup keeps them: docs/formats/backup.md.
enum BackupMetadata {
    private static let magic: UInt32 = 0x4D4C_424D
    private static let version: UInt16 = 1
    private static let headerBytes = 10

    /// What the restored server is to know of what the server knew.
    ///
    /// - Parameter isKept: whether a topic is part of the backup.
    static func prepared(_ entries: [MetadataEntry], isKept: (String) -> Bool) -> [MetadataEntry] {
        let kept = entries.filter { entry in
            if entry.key.hasPrefix(CommitLog.tombstonePrefix) || entry.key == ProducerIDs.key { return false }
            guard entry.key.hasPrefix(TopicRecord.prefix) else { return true }
            return isKept(String(entry.key.dropFirst(TopicRecord.prefix.count)))
        }
        let last = entries.first { $0.key == ProducerIDs.key }
        let next = (last.map { ProducerIDs.decode($0.value) } ?? 0) + BackupFormat.producerIDDistance
        return kept + [MetadataEntry(key: ProducerIDs.key, value: ProducerIDs.encode(next), version: 1)]
    }

    static func encode(_ entries: [MetadataEntry]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(magic)
        writer.write(version)
        writer.write(UInt32(entries.count))
        for entry in entries {
            writer.write(UInt16(entry.key.utf8.count))
            writer.write(contentsOf: Array(entry.key.utf8))
            writer.write(UInt32(entry.value.count))
            writer.write(contentsOf: entry.value)
        }
        writer.write(writer.withUnsafeBytes { Checksum.of($0) })
        return writer.array()
    }

    /// - Throws: `.damaged`, `.formatTooNew`.
    static func decode(_ bytes: [UInt8], path: String) throws(LogError) -> [(key: String, value: [UInt8])] {
        try bytes.withBytes { bytes throws(LogError) in
            guard bytes.count >= headerBytes + 4, bytes.bigEndian(0, as: UInt32.self) == magic,
                bytes.bigEndian(bytes.count - 4, as: UInt32.self)
                    == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)]))
            else { throw LogError(.damaged, "\(path) does not verify") }
            let found: UInt16 = bytes.bigEndian(4)
            guard found == version else {
                throw LogError(.formatTooNew, "\(path) has version \(found), known is \(version)")
            }
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)]))
            do throws(BytesError) {
                try reader.skip(6)
                var entries: [(key: String, value: [UInt8])] = []
                for _ in 0..<(try reader.uint32()) {
                    let key = String(decoding: try reader.slice(Int(try reader.uint16())), as: UTF8.self)
                    entries.append((key, Array(try reader.slice(Int(try reader.uint32())))))
                }
                return entries
            } catch {
                throw LogError(.damaged, "\(path) does not parse", cause: error)
            }
        }
    }

    /// Fills an empty store.
    ///
    /// - Throws: `.metadata`.
    static func store(
        _ entries: [(key: String, value: [UInt8])], into store: any MetadataStore
    ) throws(LogError) {
        do {
            var rest = entries[...]
            while !rest.isEmpty {
                var changes: [MetadataChange] = []
                var size = 0
                while let next = rest.first, changes.count < MetadataLimits.maximumChanges {
                    size += next.key.utf8.count + next.value.count
                    if size > MetadataLimits.maximumCommitBytes, !changes.isEmpty { break }
                    changes.append(.put(key: next.key, value: next.value, expected: nil))
                    rest = rest.dropFirst()
                }
                try store.commit(changes)
            }
        } catch {
            throw LogError(.metadata, "cannot store the metadata of the backup", cause: error)
        }
    }
}
