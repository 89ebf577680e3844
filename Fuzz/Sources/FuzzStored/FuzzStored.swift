import Bytes
import FuzzDriver
import Glibc
import KafkaWire

@testable import Groups
@testable import Log

/// Feeds bytes to everything that is read back from a disk, or from the topic of groups' offsets: another program may
/// have written there, and a disk may say anything.
///
/// Byte 0 picks the decoder; its highest bit makes a checksum right, so that what stands behind it is reached. What was
/// decoded, encoded again, must decode to the same.
@main
enum FuzzStored {
    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzStored.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        var bytes = [UInt8](input.dropFirst())
        let isCorrected = first & 0x80 != 0
        switch first & 0x07 {
        case 0: readGroupRecord(bytes)
        case 1: readJournal(bytes, isCorrected: isCorrected)
        case 2:
            if isCorrected { correctEnd(&bytes) }
            guard let snapshot = try? ProducerSnapshot(decoding: bytes, path: "s") else { return }
            guard let again = try? ProducerSnapshot(decoding: snapshot.encoded(), path: "s") else { fatalError("lost") }
            precondition(again.offset == snapshot.offset && again.producers.count == snapshot.producers.count)
        case 3:
            if isCorrected { correctEnd(&bytes) }
            guard let checkpoint = try? bytes.withUnsafeBytes({ try Checkpoint.decode($0, "c") }) else { return }
            let again = try? checkpoint.encoded().withUnsafeBytes { try Checkpoint.decode($0, "c") }
            precondition(again == checkpoint)
        case 4:
            if isCorrected { correctEnd(&bytes) }
            guard let entries = try? BackupMetadata.decode(bytes, path: "m") else { return }
            precondition(entries.reduce(0) { $0 + $1.value.count } <= bytes.count)
        case 5:
            if isCorrected { addLastLine(&bytes) }
            guard let manifest = try? BackupManifest(decoding: bytes, path: "m") else { return }
            precondition(manifest.files.allSatisfy { !$0.path.split(separator: "/").contains("..") }, "leads out")
            precondition(manifest.files.allSatisfy { !$0.path.hasPrefix("/") }, "leads elsewhere")
        case 6: bytes.withUnsafeBytes { _ = IndexPage.verify($0, baseOffset: 0, as: OffsetEntry.self) }
        default: _ = try? DataDirectory.check(String(decoding: bytes, as: UTF8.self), "f")
        }
    }

    /// A length, the key, and the value if there is anything left.
    private static func readGroupRecord(_ bytes: [UInt8]) {
        guard let length = bytes.first else { return }
        bytes.dropFirst().withUnsafeBytes { rest in
            let split = min(Int(length), rest.count)
            let key = UnsafeRawBufferPointer(rebasing: rest[..<split])
            let value = UnsafeRawBufferPointer(rebasing: rest[split...])
            guard let record = try? GroupRecord(key: key, value: value.isEmpty ? nil : value) else { return }
            guard case .offset(let group, let place, let value?) = record else { return }
            let again = try? GroupRecord.offsetKey(group, place).withUnsafeBytes { key in
                try GroupRecord.offsetValue(value).withUnsafeBytes { try GroupRecord(key: key, value: $0) }
            }
            guard case .offset(group, place, let found?) = again else { fatalError("an offset was lost") }
            precondition(found.offset == value.offset && found.metadata == value.metadata)
        }
    }

    private static func readJournal(_ bytes: [UInt8], isCorrected: Bool) {
        var image = JournalFormat.firstBlock(generation: 1) + bytes
        image += [UInt8](repeating: 0, count: max(0, 2 * JournalFormat.blockBytes - image.count))
        if isCorrected { correctRound(&image) }
        let read = JournalImage(image)
        for entry in read.rounds.flatMap(\.entries) {
            precondition(image.indices.contains(entry.range.lowerBound) && entry.range.upperBound <= image.count)
        }
        let content = JournalContent([JournalContent.Source(path: "j", image: read)])
        for extent in content.extents.values.joined() { content.withBytes(of: extent) { precondition($0.count > 0) } }
    }

    private static func correctRound(_ image: inout [UInt8]) {
        image.withUnsafeMutableBytes { image in
            let start = JournalFormat.blockBytes
            let count = Int(UnsafeRawBufferPointer(image).bigEndian(start + 28, as: UInt32.self))
            let end = start + 32 + count
            guard end + 4 <= image.count else { return }
            image.storeBigEndian(Checksum.of(UnsafeRawBufferPointer(rebasing: image[start..<end])), at: end)
        }
    }

    private static func correctEnd(_ bytes: inout [UInt8]) {
        guard bytes.count >= 4 else { return }
        bytes.withUnsafeMutableBytes { bytes in
            let end = bytes.count - 4
            bytes.storeBigEndian(Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])), at: end)
        }
    }

    private static func addLastLine(_ bytes: inout [UInt8]) {
        let checksum = bytes.withUnsafeBytes { Checksum.of($0) }
        let lines = bytes.count { $0 == 0x0A }
        bytes += Array(BackupManifest.lastLine(lines: lines, checksum: checksum).utf8)
    }
}
