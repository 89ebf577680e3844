import Machine

/// Reads and writes index files. What cannot be read is rebuilt from the log, so nothing here is ever synced.
enum IndexFile {
    /// Writes `entries` from the page that holds entry `first` on, and cuts the file after them.
    static func write<Entry: IndexEntry>(
        _ entries: [Entry], from first: Int = 0, baseOffset: Int64, coveredBytes: Int64, directory: String,
        files: any FileSystem
    ) throws(MachineError) {
        let perPage = IndexPage.capacity(Entry.self)
        let firstPage = first / perPage
        let pageCount = max(1, (entries.count + perPage - 1) / perPage)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: (pageCount - firstPage) * IndexPage.sizeBytes, alignment: 8)
        defer { buffer.deallocate() }
        for page in firstPage..<pageCount {
            let start = (page - firstPage) * IndexPage.sizeBytes
            IndexPage.encode(
                entries[page * perPage..<min(entries.count, (page + 1) * perPage)], baseOffset: baseOffset,
                coveredBytes: coveredBytes,
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + IndexPage.sizeBytes]))
        }
        let path = directory + "/" + SegmentName.file(baseOffset, Entry.kind)
        let file = try files.open(path, .readWriteCreate)
        defer { file.close() }
        // The first page goes last: without it, what a process that dies here leaves does not verify, however many of the
        // other pages it has written.
        let start = Int64(firstPage * IndexPage.sizeBytes)
        let split = min(buffer.count, IndexPage.sizeBytes)
        let bytes = UnsafeRawBufferPointer(buffer)
        try file.write(UnsafeRawBufferPointer(rebasing: bytes[split...]), at: start + Int64(split))
        try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<split]), at: start)
        // Most files have this size now, and cutting one to its size costs the file system as much as creating it.
        let size = Int64(pageCount * IndexPage.sizeBytes)
        if try file.size() != size { try file.truncate(to: size) }
    }

    /// Maps an index file and verifies every page of it.
    static func read<Entry: IndexEntry>(
        _ type: Entry.Type, baseOffset: Int64, directory: String, files: any FileSystem
    ) throws(IndexFault) -> IndexView<Entry> {
        let path = directory + "/" + SegmentName.file(baseOffset, Entry.kind)
        let map: any MemoryMap
        do throws(MachineError) {
            let file = try files.open(path, .read)
            defer { file.close() }
            map = try file.map(Int(try file.size()))
        } catch {
            let isMissing = error.code == .notFound
            throw IndexFault(position: 0, reason: "\(error)", isMissing: isMissing, isStale: isMissing)
        }
        return try IndexView(map, baseOffset: baseOffset)
    }
}
