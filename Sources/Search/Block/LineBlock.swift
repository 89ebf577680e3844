import Bytes
public import Machine
import Synchronization
public import Telemetry

/// An immutable file of lines, open for reading: docs/formats/search-block.md. Any thread may call anything.
///
/// Opening verifies footer, streams and index. Filters and counters are verified when they are first used, parts of
/// chunks whenever they are read. Bytes that do not verify give `SearchError` `.damaged` with the file's name, the part
/// and the position; never a trap.
public final class LineBlock: Sendable {
    /// What the errors call the file.
    public let name: String
    /// What the footer says of all of it.
    public let details: LineBlockDetails
    /// The chunks, by stream in the order of the table; those of a stream by time, and apart in time.
    public let chunks: [LineChunkEntry]
    /// The size of the file in bytes.
    public let sizeBytes: Int
    /// The number of streams.
    public var streamCount: Int { table.count }

    private let table: StreamTable
    private let chunkStarts: [Int]
    private let filters: Section
    private let counters: Section
    let file: LineBlockFile

    /// A part of the file that is verified once.
    private final class Section: Sendable {
        let range: FileRange
        let checksum: UInt32
        let isVerified = Atomic(false)

        init(_ range: FileRange, _ checksum: UInt32) {
            self.range = range
            self.checksum = checksum
        }
    }

    /// Opens a block.
    ///
    /// - Parameter onDamage: called with each error of bytes that do not verify, now and whenever it is read, by the
    ///   thread that reads.
    public init(
        _ map: any MemoryMap, name: String, onDamage: @escaping @Sendable (SearchError) -> Void = { _ in }
    ) throws(SearchError) {
        self.name = name
        let file = LineBlockFile(map: map, name: name, onDamage: onDamage)
        self.file = file
        sizeBytes = map.bytes.count
        let footer = try file.footer()
        var reader = ByteReader(footer.bytes)
        do throws(BytesError) {
            details = try Self.details([UInt8](try reader.slice(Int(try reader.unsignedVarint()))))
            let count = Int(try reader.int64())
            var sections: [Section] = []
            for _ in 0..<4 {
                let range = try FileRange(&reader, limit: footer.position)
                sections.append(Section(range, try reader.uint32()))
            }
            guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the footer") }
            (filters, counters) = (sections[0], sections[1])
            table = try StreamTable(try file.checked(sections[2].range, sections[2].checksum))
            let index = try file.checked(sections[3].range, sections[3].checksum)
            chunks = try Self.entries(index, count, streams: table.count, sections)
        } catch {
            throw file.damage("footer", at: footer.position, error)
        }
        var starts = [Int](repeating: 0, count: table.count + 1)
        for entry in chunks { starts[entry.stream + 1] += 1 }
        for stream in 0..<table.count { starts[stream + 1] += starts[stream] }
        chunkStarts = starts
    }

    private static func details(_ bytes: [UInt8]) throws(BytesError) -> LineBlockDetails {
        do throws(SearchError) {
            return try LineBlockDetails(decoding: bytes)
        } catch {
            throw BytesError(code: .malformed, message: error.message)
        }
    }

    private static func entries(
        _ bytes: UnsafeRawBufferPointer, _ count: Int, streams: Int, _ sections: [Section]
    ) throws(BytesError) -> [LineChunkEntry] {
        guard count >= 0, count <= bytes.count / LineBlockFormat.minimumEntryBytes else {
            throw BytesError(code: .malformed, message: "\(count) chunks in \(bytes.count) bytes")
        }
        var reader = ByteReader(bytes)
        var last = LineChunkEntry()
        last.offset = LineBlockFormat.headerBytes
        var entries: [LineChunkEntry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let entry = try LineChunkEntry(&reader, after: last)
            guard entry.stream < streams, entry.stream >= last.stream else {
                throw BytesError(code: .malformed, message: "a chunk of no stream, or out of order")
            }
            entries.append(entry)
            last = entry
        }
        guard reader.isAtEnd, last.offset + last.storedBytes <= sections[0].range.offset,
            last.filter.end <= sections[0].range.count, last.counters.end <= sections[1].range.count
        else { throw BytesError(code: .malformed, message: "chunks behind their sections") }
        return entries
    }

    /// The labels of a stream.
    public func labels(ofStream stream: Int) -> StreamLabels { table.labels(stream) }

    /// The streams that satisfy all matchers.
    public func streams(matching matchers: [LabelMatcher]) -> RowBitmap { table.matching(matchers) }

    /// The chunks of a stream, ascending in time.
    public func chunks(ofStream stream: Int) -> Range<Int> { chunkStarts[stream]..<chunkStarts[stream + 1] }

    /// The lines of a chunk by minute and level; without reading the chunk.
    public func counters(ofChunk chunk: Int) throws(SearchError) -> [LineCounter] {
        let bytes = try counterBytes(chunks[chunk])
        do throws(BytesError) {
            return try ChunkCounters.read(bytes)
        } catch {
            throw file.damage("counters", at: counters.range.offset, error)
        }
    }

    func counterBytes(_ entry: LineChunkEntry) throws(SearchError) -> UnsafeRawBufferPointer {
        try part(of: counters, entry.counters, "counters")
    }

    func filterBytes(_ entry: LineChunkEntry) throws(SearchError) -> UnsafeRawBufferPointer {
        try part(of: filters, entry.filter, "filters")
    }

    private func part(
        of section: Section, _ range: FileRange, _ name: String
    ) throws(SearchError) -> UnsafeRawBufferPointer {
        if !section.isVerified.load(ordering: .relaxed) {
            _ = try file.verified(section.range, section.checksum, name)
            section.isVerified.store(true, ordering: .relaxed)
        }
        return file.slice(FileRange(offset: section.range.offset + range.offset, count: range.count))
    }

    /// The bytes of a chunk, all parts of which verify.
    func verifiedBytes(_ chunk: Int) throws(SearchError) -> UnsafeRawBufferPointer {
        let reader = try LineBlockReader()
        try reader.chunk(chunk, of: self).verify()
        let entry = chunks[chunk]
        return file.slice(FileRange(offset: entry.offset, count: entry.storedBytes))
    }
}

/// A block's bytes, and how its errors are told.
struct LineBlockFile: Sendable {
    let map: any MemoryMap
    let name: String
    let onDamage: @Sendable (SearchError) -> Void

    /// Valid as long as this value, or a copy, lives.
    var bytes: UnsafeRawBufferPointer { map.bytes }

    /// The bytes of a range that lies within the file.
    func slice(_ range: FileRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[range.offset..<range.end])
    }

    /// The bytes of a range within the file, which must have the checksum.
    func checked(_ range: FileRange, _ checksum: UInt32) throws(BytesError) -> UnsafeRawBufferPointer {
        let found = slice(range)
        guard CRC32C.checksum(found) == checksum else {
            throw BytesError(code: .malformed, message: "the checksum of \(range.count) bytes is another")
        }
        return found
    }

    func verified(
        _ range: FileRange, _ checksum: UInt32, _ part: String
    ) throws(SearchError) -> UnsafeRawBufferPointer {
        do throws(BytesError) {
            return try checked(range, checksum)
        } catch {
            throw damage(part, at: range.offset, error)
        }
    }

    func footer() throws(SearchError) -> (bytes: UnsafeRawBufferPointer, position: Int) {
        let least = LineBlockFormat.headerBytes + LineBlockFormat.trailerBytes
        guard bytes.count >= least else { throw damage("header", at: 0, "\(bytes.count) bytes are too few") }
        var header = ByteReader(bytes)
        guard (try? header.uint32()) == LineBlockFormat.magic, let version = try? header.uint16() else {
            throw damage("header", at: 0, "not a block of lines")
        }
        guard version == LineBlockFormat.version else {
            throw SearchError(
                version > LineBlockFormat.version ? .formatTooNew : .damaged,
                "\(name): format \(version) of blocks of lines")
        }
        let end = bytes.count - LineBlockFormat.trailerBytes
        var trailer = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[end...]))
        guard let count = try? Int(trailer.uint32()), let checksum = try? trailer.uint32(),
            (try? trailer.uint32()) == LineBlockFormat.magic, count <= end - LineBlockFormat.headerBytes
        else { throw damage("trailer", at: end, "the file has no end") }
        let range = FileRange(offset: end - count, count: count)
        return (try verified(range, checksum, "footer"), range.offset)
    }

    func damage(_ part: String, at position: Int, _ reason: String) -> SearchError {
        told(SearchError(.damaged, "\(name), \(part), byte \(position): \(reason)"))
    }

    func damage(_ part: String, at position: Int, _ error: BytesError) -> SearchError {
        told(SearchError(.damaged, "\(name), \(part), byte \(position): \(error.message)", cause: error))
    }

    private func told(_ error: SearchError) -> SearchError {
        onDamage(error)
        return error
    }
}
