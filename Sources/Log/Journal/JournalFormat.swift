import KafkaWire

/// The bytes of the sync journal: docs/formats/journal.md.
///
///     | "MLSJ" | version u16 | flags u16 | generation u64 | crc32c u32 | zeros … |   the first block
///     | "MLSR" | version u16 | flags u16 | generation u64 | number u64 | entries u32 | bytes u32 | entries … | crc32c u32 |
enum JournalFormat {
    /// Rounds begin at multiples of this, in bytes: what file systems and pages have at least in common.
    static let blockBytes = 4_096
    /// What a round has before its entries.
    static let roundHeaderBytes = 32
    /// What an entry has before its bytes.
    static let entryHeaderBytes = 40
    static let checksumBytes = 4
    /// Above it nothing verifies; what counts up from a smaller one never overflows.
    static let maximumGeneration = UInt64(Int64.max)
    /// Positions in a segment fit into 32 bits, as the indexes store them.
    static let maximumPosition = Int64(UInt32.max)

    static let fileMagic: UInt32 = 0x4D4C_534A
    static let roundMagic: UInt32 = 0x4D4C_5352
    static let version: UInt16 = 1

    static func path(_ index: Int, in directory: String) -> String { "\(directory)/journal.\(index)" }

    /// The size of a round with so many entries of so many bytes together.
    static func roundBytes(entries: Int, bytes: Int) -> Int {
        let count = roundHeaderBytes + entries * entryHeaderBytes + bytes + checksumBytes
        return (count + blockBytes - 1) / blockBytes * blockBytes
    }

    /// A file's first block.
    static func firstBlock(generation: UInt64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        block.withUnsafeMutableBytes { bytes in
            bytes.storeBigEndian(fileMagic, at: 0)
            bytes.storeBigEndian(version, at: 4)
            bytes.storeBigEndian(generation, at: 8)
            bytes.storeBigEndian(Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<16])), at: 16)
        }
        return block
    }

    /// The generation that a first block tells, if it verifies.
    static func generation(ofFirstBlock bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard bytes.count >= blockBytes, bytes.bigEndian(0, as: UInt32.self) == fileMagic,
            bytes.bigEndian(4, as: UInt16.self) == version,
            bytes.bigEndian(16, as: UInt32.self) == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<16]))
        else { return nil }
        let generation: UInt64 = bytes.bigEndian(8)
        return generation <= maximumGeneration ? generation : nil
    }
}

/// Bytes that a round holds for one segment.
struct JournalEntry: Sendable, Equatable {
    let topicID: Uuid
    let partition: Int32
    let segmentBase: Int64
    /// Where in the segment's file they belong.
    let position: Int64
    /// Where they stand in the journal file.
    let range: Range<Int>

    /// Reads the fields before an entry's bytes, and believes nothing: nil if they make no sense before `end`.
    init?(at start: Int, before end: Int, in bytes: UnsafeRawBufferPointer) {
        guard end - start >= JournalFormat.entryHeaderBytes else { return nil }
        topicID = Uuid(high: bytes.bigEndian(start), low: bytes.bigEndian(start + 8))
        partition = bytes.bigEndian(start + 16)
        segmentBase = bytes.bigEndian(start + 20)
        position = bytes.bigEndian(start + 28)
        let count = Int(bytes.bigEndian(start + 36, as: UInt32.self))
        let first = start + JournalFormat.entryHeaderBytes
        guard partition >= 0, segmentBase >= 0, count > 0, count <= end - first, position >= 0,
            position <= JournalFormat.maximumPosition - Int64(count)
        else { return nil }
        range = first..<first + count
    }

    static func write(
        _ topicID: Uuid, _ partition: Int32, segmentBase: Int64, position: Int64, byteCount: Int,
        to bytes: UnsafeMutableRawBufferPointer, at start: Int
    ) {
        bytes.storeBigEndian(topicID.high, at: start)
        bytes.storeBigEndian(topicID.low, at: start + 8)
        bytes.storeBigEndian(partition, at: start + 16)
        bytes.storeBigEndian(segmentBase, at: start + 20)
        bytes.storeBigEndian(position, at: start + 28)
        bytes.storeBigEndian(UInt32(byteCount), at: start + 36)
    }
}
