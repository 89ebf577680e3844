import Machine

/// Index files are sequences of pages that verify by themselves: docs/formats/index.md.
///
///     0        4           6       8             16              24
///     | crc32c | signature | count | base offset | covered bytes | entries … zeros |  4096 bytes
enum IndexPage {
    static let sizeBytes = 4096
    static let headerBytes = 24

    static func capacity<Entry: IndexEntry>(_: Entry.Type) -> Int {
        (sizeBytes - headerBytes) / Entry.encodedSize
    }

    /// Writes one page of up to `capacity` entries into `page`.
    static func encode<Entry: IndexEntry>(
        _ entries: ArraySlice<Entry>, baseOffset: Int64, coveredBytes: Int64, into page: UnsafeMutableRawBufferPointer
    ) {
        page.initializeMemory(as: UInt8.self, repeating: 0)
        page.storeBigEndian(Entry.signature, at: 4)
        page.storeBigEndian(UInt16(entries.count), at: 6)
        page.storeBigEndian(baseOffset, at: 8)
        page.storeBigEndian(coveredBytes, at: 16)
        for (index, entry) in entries.enumerated() {
            entry.store(into: page, at: headerBytes + index * Entry.encodedSize)
        }
        page.storeBigEndian(Checksum.of(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(page)[4...])), at: 0)
    }

    /// The number of entries of a sound page; nil if it does not verify.
    static func verify<Entry: IndexEntry>(
        _ page: UnsafeRawBufferPointer, baseOffset: Int64, as type: Entry.Type
    ) -> Int? {
        guard page.count == sizeBytes,
            page.bigEndian(0, as: UInt32.self) == Checksum.of(UnsafeRawBufferPointer(rebasing: page[4...])),
            page.bigEndian(4, as: UInt16.self) == Entry.signature,
            page.bigEndian(8, as: Int64.self) == baseOffset
        else { return nil }
        let count = Int(page.bigEndian(6, as: UInt16.self))
        return count <= capacity(type) ? count : nil
    }
}

/// The entries of an index file that was verified.
struct IndexView<Entry: IndexEntry>: Sendable {
    let map: any MemoryMap
    let count: Int
    /// How much of the log the index describes, as its last page says.
    let coveredBytes: Int64

    /// Verifies all pages: checksums, all but the last full, entries ascending.
    ///
    /// - Throws: a text that says what is wrong where.
    init(_ map: any MemoryMap, baseOffset: Int64) throws(IndexFault) {
        let bytes = map.bytes
        guard bytes.count > 0, bytes.count % IndexPage.sizeBytes == 0 else {
            throw IndexFault(
                position: 0, reason: "\(bytes.count) bytes are no whole pages of \(IndexPage.sizeBytes)",
                isStale: true)
        }
        var count = 0
        var previous: Entry?
        for start in stride(from: 0, to: bytes.count, by: IndexPage.sizeBytes) {
            let page = UnsafeRawBufferPointer(rebasing: bytes[start..<start + IndexPage.sizeBytes])
            guard let entries = IndexPage.verify(page, baseOffset: baseOffset, as: Entry.self) else {
                throw IndexFault(position: start, reason: "the page does not verify")
            }
            if start > 0 && (count % IndexPage.capacity(Entry.self) != 0 || entries == 0) {
                throw IndexFault(position: start, reason: "the page before it is not full")
            }
            for index in 0..<entries {
                let entry = Entry(from: page, at: IndexPage.headerBytes + index * Entry.encodedSize)
                if let previous, !entry.mayFollow(previous) {
                    throw IndexFault(position: start, reason: "entry \(index) does not ascend")
                }
                previous = entry
            }
            count += entries
        }
        self.map = map
        self.count = count
        coveredBytes = bytes.bigEndian(bytes.count - IndexPage.sizeBytes + 16)
    }

    subscript(index: Int) -> Entry {
        let (page, place) = index.quotientAndRemainder(dividingBy: IndexPage.capacity(Entry.self))
        return Entry(
            from: map.bytes, at: page * IndexPage.sizeBytes + IndexPage.headerBytes + place * Entry.encodedSize)
    }
}

/// Why an index file cannot be used.
struct IndexFault: Error {
    let position: Int
    let reason: String
    /// Whether there is no such file.
    var isMissing = false
    /// Whether it is what a process that died leaves: no file, a short one, or an index of the segment as it was at
    /// another time. Whoever needs it rebuilds it, and nothing points to a damaged disk.
    var isStale = false
}
