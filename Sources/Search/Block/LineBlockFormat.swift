import Bytes
import Telemetry

/// Constants of a block's file: docs/formats/search-block.md.
enum LineBlockFormat {
    /// "MLLB", at the beginning and at the end.
    static let magic: UInt32 = 0x4D4C_4C42
    static let version: UInt16 = 1
    /// Magic, version, flags.
    static let headerBytes = 8
    /// The footer's length and checksum, and the magic.
    static let trailerBytes = 12
    /// The most lines of a chunk that a reader takes.
    static let maximumLines = 1 << 17
    /// The most bytes of a chunk's lines that a reader takes.
    static let maximumRawBytes = 64 << 20
    /// The least bytes that the index needs for a chunk.
    static let minimumEntryBytes = 29
    /// Bytes of a filter's block.
    static let filterBlockBytes = 32
}

/// Bytes of a block's file.
struct FileRange: Sendable, Equatable {
    var offset = 0
    var count = 0

    var end: Int { offset + count }
}

/// What the index says of a chunk: lines of one stream.
public struct LineChunkEntry: Sendable {
    /// The stream's index in the block's table.
    public internal(set) var stream = 0
    /// The first line's time.
    public internal(set) var minimumTime: Int64 = 0
    /// The last line's time.
    public internal(set) var maximumTime: Int64 = 0
    /// The number of lines.
    public internal(set) var lines = 0
    /// The bytes of the lines as they came.
    public internal(set) var rawBytes = 0
    /// The bytes that the chunk takes in the file, without filter and index.
    public internal(set) var storedBytes = 0
    /// A bit per level that a line has: bit `LineLevel.rawValue`.
    public internal(set) var levels: UInt8 = 0

    /// Whether a line has a backslash: then a field's text may differ from its bytes in the line.
    var hasBackslash = false
    var hasMetadata = false
    var offset = 0
    /// Times, levels, metadata's head and body, lines' head and body: how many bytes each has.
    var parts: [6 of Int] = [6 of Int](repeating: 0)
    /// The checksums of times and levels, of the metadata's head, and of the lines' head.
    var checksums: [3 of UInt32] = [3 of UInt32](repeating: 0)
    var filter = FileRange()
    var counters = FileRange()
    /// The longest token with a digit.
    var longestNumber = 0
    /// The longest token without.
    var longestWord = 0

    func write(to writer: inout ByteWriter) {
        writer.writeUnsignedVarint(UInt32(stream))
        writer.writeVarlong(minimumTime)
        writer.writeVarlong(maximumTime &- minimumTime)
        writer.writeUnsignedVarint(UInt32(lines))
        writer.writeUnsignedVarint(UInt32(rawBytes))
        writer.write(levels)
        writer.write(UInt8((hasBackslash ? 1 : 0) | (hasMetadata ? 2 : 0)))
        for index in 0..<6 { writer.writeUnsignedVarint(UInt32(parts[index])) }
        for index in 0..<3 { writer.write(checksums[index]) }
        writer.writeUnsignedVarint(UInt32(filter.count))
        writer.writeUnsignedVarint(UInt32(counters.count))
        writer.writeUnsignedVarint(UInt32(longestNumber))
        writer.writeUnsignedVarint(UInt32(longestWord))
    }

    init() {}

    /// Reads it. Its bytes stand behind those of the chunk before.
    init(_ reader: inout ByteReader, after last: LineChunkEntry) throws(BytesError) {
        stream = Int(try reader.unsignedVarint())
        minimumTime = try reader.varlong()
        let span = try reader.varlong()
        lines = Int(try reader.unsignedVarint())
        rawBytes = Int(try reader.unsignedVarint())
        let (sum, overflows) = minimumTime.addingReportingOverflow(span)
        guard !overflows, lines >= 1, lines <= LineBlockFormat.maximumLines,
            rawBytes <= LineBlockFormat.maximumRawBytes
        else { throw BytesError(code: .malformed, message: "a chunk of \(lines) lines, \(rawBytes) bytes") }
        maximumTime = sum
        levels = try reader.uint8()
        let flags = try reader.uint8()
        (hasBackslash, hasMetadata) = (flags & 1 != 0, flags & 2 != 0)
        offset = last.offset + last.storedBytes
        for index in 0..<6 {
            parts[index] = Int(try reader.unsignedVarint())
            storedBytes += parts[index]
        }
        for index in 0..<3 { checksums[index] = try reader.uint32() }
        filter = FileRange(offset: last.filter.end, count: Int(try reader.unsignedVarint()))
        counters = FileRange(offset: last.counters.end, count: Int(try reader.unsignedVarint()))
        longestNumber = Int(try reader.unsignedVarint())
        longestWord = Int(try reader.unsignedVarint())
        guard filter.count % LineBlockFormat.filterBlockBytes == 0 else {
            throw BytesError(code: .malformed, message: "a filter of \(filter.count) bytes")
        }
    }

    /// Where a part stands in the file.
    func part(_ index: Int) -> FileRange {
        var start = offset
        for before in 0..<index { start += parts[before] }
        return FileRange(offset: start, count: parts[index])
    }
}

extension FileRange {
    func write(to writer: inout ByteWriter) {
        writer.write(Int64(offset))
        writer.write(Int64(count))
    }

    /// Reads a range, which must lie in front of `limit`.
    init(_ reader: inout ByteReader, limit: Int) throws(BytesError) {
        let (offset, count) = (try reader.int64(), try reader.int64())
        guard offset >= 0, count >= 0, offset <= Int64(limit), count <= Int64(limit) - offset else {
            throw BytesError(code: .malformed, message: "\(count) bytes from \(offset), behind \(limit)")
        }
        (self.offset, self.count) = (Int(offset), Int(count))
    }
}
