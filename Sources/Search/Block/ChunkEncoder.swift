import Bytes
import Columns
import Telemetry

/// Writes chunks. Its memory is kept between them.
struct ChunkEncoder: ~Copyable {
    private var columns: ColumnEncoder
    private var head = ByteWriter()
    private var body = ByteWriter()

    /// Nil if there is no memory for compression.
    init?() {
        guard let columns = ColumnEncoder() else { return nil }
        self.columns = columns
    }

    /// Appends a chunk of at least one line, its filter and its counters.
    ///
    /// - Returns: what the index is to say of it; the stream and the places are the caller's matter.
    mutating func encode(
        _ rows: borrowing LineRows, into output: inout ByteWriter, filters: inout ByteWriter,
        counters: inout ByteWriter
    ) throws(BytesError) -> LineChunkEntry {
        var entry = LineChunkEntry()
        entry.minimumTime = rows.times[0]
        entry.maximumTime = rows.times[rows.count - 1]
        entry.lines = rows.count
        entry.rawBytes = rows.rawBytes
        let start = output.count
        IntegerCodec.encode(rows.times, into: &output)
        entry.parts[0] = output.count - start
        IntegerCodec.encode(rows.levels.map { Int64($0.rawValue) }, into: &output)
        entry.parts[1] = output.count - start - entry.parts[0]
        entry.checksums[0] = output.withUnsafeBytes { CRC32C.checksum(.init(rebasing: $0[start...])) }
        if rows.hasMetadata {
            entry.hasMetadata = true
            try rows.metadataBytes.withUnsafeBytes { bytes throws(BytesError) in
                try append(bytes, rows.metadata, areTokensWanted: false, part: 2, &entry, &output)
            }
        }
        columns.tokens.removeAll()
        try rows.bytes.withUnsafeBytes { bytes throws(BytesError) in
            entry.hasBackslash = ByteSearch.first(UInt8(ascii: "\\"), in: bytes) != nil
            try append(bytes, rows.lines, areTokensWanted: true, part: 4, &entry, &output)
        }
        entry.storedBytes = output.count - start
        entry.filter.count = filters.count
        TokenFilter.write(columns.tokens, to: &filters)
        entry.filter.count = filters.count - entry.filter.count
        entry.longestNumber = columns.tokens.longestWithDigit
        entry.longestWord = columns.tokens.longestWord
        entry.counters.count = counters.count
        entry.levels = ChunkCounters.write(rows, to: &counters)
        entry.counters.count = counters.count - entry.counters.count
        return entry
    }

    private mutating func append(
        _ bytes: UnsafeRawBufferPointer, _ ranges: [TextRange], areTokensWanted: Bool, part: Int,
        _ entry: inout LineChunkEntry, _ output: inout ByteWriter
    ) throws(BytesError) {
        head.removeAll()
        body.removeAll(keepingAtMost: 8 << 20)
        try columns.encode(bytes, ranges, areTokensWanted: areTokensWanted, head: &head, body: &body)
        entry.parts[part] = head.count
        entry.parts[part + 1] = body.count
        entry.checksums[part / 2] = head.withUnsafeBytes { CRC32C.checksum($0) }
        head.withUnsafeBytes { output.write(contentsOf: $0) }
        body.withUnsafeBytes { output.write(contentsOf: $0) }
    }
}
