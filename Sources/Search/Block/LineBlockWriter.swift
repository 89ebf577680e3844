import Bytes
public import Telemetry
public import View

/// What a block is to hold, told piece by piece as `LineBlockWriter.create` asks for it.
public protocol LineBlockContent {
    /// Writes the next lines: `begin` for each stream, once, and then its lines in the order of time. It returns once
    /// `block.isFlushDue`, and false if nothing follows.
    mutating func advance(_ block: inout LineBlockEncoder) throws(SearchError) -> Bool
}

/// Writes blocks of lines: docs/formats/search-block.md.
///
/// Memory: the lines of one chunk (1 MiB, or one line), what was written of it, and the index.
public enum LineBlockWriter {
    /// Writes one block with everything that the content gives, and syncs it.
    ///
    /// - Parameters:
    ///   - store: where it goes.
    ///   - details: what is known before; lines, streams and times are counted here.
    ///   - content: the lines. Streams without lines are welcome.
    /// - Returns: the entry for the manifest; nil if there was no line, and then no block.
    /// - Throws: `ViewError`: the store's, or that of the content with the `SearchError` as its cause.
    public static func create<Content: LineBlockContent>(
        in store: any BlockStore, details: LineBlockDetails, content: inout Content
    ) throws(ViewError) -> BlockEntry? {
        var isEmpty = false
        do throws(ViewError) {
            return try store.create { sink throws(ViewError) in
                do throws(SearchError) {
                    var block = try LineBlockEncoder(details: details)
                    while try content.advance(&block) { try block.flush(sink) }
                    isEmpty = try block.finish() == 0
                    if isEmpty { throw SearchError(.invalid, "no lines") }
                    try block.flush(sink)
                    return block.details.encoded()
                } catch {
                    throw ViewError(error)
                }
            }
        } catch {
            if isEmpty { return nil }
            throw error
        }
    }
}

/// The bytes of one block, in order.
public struct LineBlockEncoder: ~Copyable {
    /// Handing on begins at this number of bytes.
    private static let flushBytes = 1 << 20

    private(set) var details: LineBlockDetails
    private var output = ByteWriter(capacity: 1 << 20)
    private var flushed = 0
    private var streams: [StreamLabels] = []
    private var rows = LineRows()
    private var encoder: ChunkEncoder
    private var index = ByteWriter()
    private var filters = ByteWriter()
    private var counters = ByteWriter()
    private var chunkCount = 0
    private var streamHasLines = false
    /// Lines that were left out because the same line of the same time was there.
    public private(set) var duplicates = 0

    init(details: LineBlockDetails) throws(SearchError) {
        guard let encoder = ChunkEncoder() else { throw SearchError(.limitReached, "no memory for compression") }
        self.encoder = encoder
        self.details = details
        output.write(LineBlockFormat.magic)
        output.write(LineBlockFormat.version)
        output.write(UInt16(0))
    }

    /// Whether enough was written to hand it on.
    public var isFlushDue: Bool { output.count >= Self.flushBytes }

    /// The lines that follow are of this stream, which comes once.
    public mutating func begin(_ stream: StreamLabels) throws(SearchError) {
        try endChunk()
        if streamHasLines || streams.isEmpty {
            streams.append(stream)
        } else {
            streams[streams.count - 1] = stream
        }
        streamHasLines = false
    }

    /// Adds a line of the stream.
    ///
    /// - Parameters:
    ///   - time: in nanoseconds since 1970; not before that of the stream's line before.
    ///   - line: at most `LineRows.maximumLineBytes`.
    ///   - metadata: as `MetadataText.encode` gives it; empty for none.
    /// - Throws: `.invalid` for a line that is too long or out of order.
    public mutating func append(
        time: Int64, level: LineLevel, line: UnsafeRawBufferPointer, metadata: UnsafeRawBufferPointer
    ) throws(SearchError) {
        guard line.count <= LineRows.maximumLineBytes, metadata.count <= LineRows.maximumLineBytes,
            rows.times.last ?? .min <= time, !streams.isEmpty
        else { throw SearchError(.invalid, "a line of \(line.count) bytes at \(time) does not belong here") }
        if rows.isFull(before: time) { try endChunk() }
        rows.append(time: time, level: level, line: line, metadata: metadata)
    }

    /// Copies a chunk of another block as it stands. Its lines are not before those of the stream's chunk before.
    mutating func copy(_ chunk: Int, of block: LineBlock) throws(SearchError) {
        try endChunk()
        var entry = block.chunks[chunk]
        let filter = try block.filterBytes(entry)
        let counted = try block.counterBytes(entry)
        output.write(contentsOf: try block.verifiedBytes(chunk))
        filters.write(contentsOf: filter)
        counters.write(contentsOf: counted)
        add(&entry)
    }

    private mutating func endChunk() throws(SearchError) {
        guard rows.count > 0 else { return }
        duplicates += rows.duplicates
        var entry: LineChunkEntry
        do throws(BytesError) {
            entry = try encoder.encode(rows, into: &output, filters: &filters, counters: &counters)
        } catch {
            throw SearchError(.limitReached, "cannot compress lines", cause: error)
        }
        add(&entry)
        rows.removeAll()
    }

    private mutating func add(_ entry: inout LineChunkEntry) {
        entry.stream = streams.count - 1
        entry.write(to: &index)
        streamHasLines = true
        chunkCount += 1
        details.minimumTime = min(details.minimumTime, entry.minimumTime)
        details.maximumTime = max(details.maximumTime, entry.maximumTime)
        details.lines += Int64(entry.lines)
        details.rawBytes += Int64(entry.rawBytes)
    }

    /// Writes what remains, the index and the footer.
    ///
    /// - Returns: the number of lines.
    mutating func finish() throws(SearchError) -> Int64 {
        try endChunk()
        if !streamHasLines { streams = streams.dropLast() }
        details.streams = Int64(streams.count)
        var table = ByteWriter()
        StreamTable.encode(streams, into: &table)
        var footer = ByteWriter()
        let encoded = details.encoded()
        footer.writeUnsignedVarint(UInt32(encoded.count))
        footer.write(contentsOf: encoded)
        footer.write(Int64(chunkCount))
        Self.append(filters, to: &output, at: flushed, &footer)
        Self.append(counters, to: &output, at: flushed, &footer)
        Self.append(table, to: &output, at: flushed, &footer)
        Self.append(index, to: &output, at: flushed, &footer)
        footer.withUnsafeBytes { output.write(contentsOf: $0) }
        output.write(UInt32(footer.count))
        output.write(footer.withUnsafeBytes { CRC32C.checksum($0) })
        output.write(LineBlockFormat.magic)
        return details.lines
    }

    private static func append(
        _ section: borrowing ByteWriter, to output: inout ByteWriter, at flushed: Int, _ footer: inout ByteWriter
    ) {
        FileRange(offset: flushed + output.count, count: section.count).write(to: &footer)
        footer.write(section.withUnsafeBytes { CRC32C.checksum($0) })
        section.withUnsafeBytes { output.write(contentsOf: $0) }
    }

    /// Hands on what was written.
    mutating func flush(_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(SearchError) {
        do throws(ViewError) {
            try output.withUnsafeBytes { bytes throws(ViewError) in try sink(bytes) }
        } catch {
            throw SearchError(.storage, error.message, cause: error)
        }
        flushed += output.count
        output.removeAll(keepingAtMost: 4 << 20)
    }
}
