import KafkaWire

/// Puts the bytes of one round together, in memory that it keeps for the next one.
struct JournalRoundBuilder: Sendable {
    private var buffer: [UInt8] = []
    private var count = JournalFormat.roundHeaderBytes
    private var entries: UInt32 = 0

    /// Begins a round of `sizeBytes`, as `JournalFormat.roundBytes` says.
    mutating func begin(sizeBytes: Int) {
        if buffer.count < sizeBytes { buffer = [UInt8](repeating: 0, count: sizeBytes) }
        count = JournalFormat.roundHeaderBytes
        entries = 0
    }

    /// Adds an entry, whose bytes `fill` writes. What it throws leaves a round that must not be finished.
    mutating func add<Failure: Error>(
        _ topicID: Uuid, _ partition: Int32, segmentBase: Int64, position: Int64, byteCount: Int,
        _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let (start, first) = (count, count + JournalFormat.entryHeaderBytes)
        precondition(first + byteCount + JournalFormat.checksumBytes <= buffer.count, "begin(sizeBytes:) told less")
        try buffer.withMutableBytes { bytes throws(Failure) in
            JournalEntry.write(
                topicID, partition, segmentBase: segmentBase, position: position, byteCount: byteCount, to: bytes,
                at: start)
            try fill(UnsafeMutableRawBufferPointer(rebasing: bytes[first..<first + byteCount]))
        }
        count = first + byteCount
        entries += 1
    }

    /// Runs `body` with the finished round, whole blocks.
    mutating func finish<Failure: Error>(
        generation: UInt64, number: UInt64, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let (end, entries) = (count, entries)
        let sizeBytes = JournalFormat.roundBytes(entries: 0, bytes: end - JournalFormat.roundHeaderBytes)
        try buffer.withMutableBytes { bytes throws(Failure) in
            bytes.storeBigEndian(JournalFormat.roundMagic, at: 0)
            bytes.storeBigEndian(JournalFormat.version, at: 4)
            bytes.storeBigEndian(UInt16(0), at: 6)
            bytes.storeBigEndian(generation, at: 8)
            bytes.storeBigEndian(number, at: 16)
            bytes.storeBigEndian(entries, at: 24)
            bytes.storeBigEndian(UInt32(end - JournalFormat.roundHeaderBytes), at: 28)
            bytes.storeBigEndian(Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])), at: end)
            let padding = UnsafeMutableRawBufferPointer(rebasing: bytes[end + JournalFormat.checksumBytes..<sizeBytes])
            padding.initializeMemory(as: UInt8.self, repeating: 0)
            try body(UnsafeRawBufferPointer(rebasing: bytes[..<sizeBytes]))
        }
    }
}
