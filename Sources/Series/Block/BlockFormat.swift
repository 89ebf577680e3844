import Bytes
import Telemetry

/// Constants of a block's file: docs/formats/series-block.md.
enum BlockFormat {
    /// "MLSB", at the beginning and at the end.
    static let magic: UInt32 = 0x4D4C_5342
    static let version: UInt16 = 1
    /// Magic, version, flags.
    static let headerBytes = 8
    /// The footer's length and checksum, and the magic.
    static let trailerBytes = 12
    /// The most rows of a page. Twice the target: a page ends at a series' end if it can.
    static let maximumRows = 2048
    /// A page of short series ends at the end of a series from this number of rows on.
    static let targetRows = 1024
    /// A series with this number of rows in a page gets pages of its own, which can be summed up without decoding.
    static let ownPageRows = 256
    /// A page ends when the strings of its rows reach this number of bytes.
    static let maximumStringBytes = 1 << 20
    /// A piece of strings, which the pages of a column share, ends behind the page that reaches this number of bytes.
    /// Whoever reads a page decompresses the whole piece.
    static let pieceBytes = 256 << 10
    /// Or this number of strings.
    static let pieceStrings = 32_768
    /// The fewest bytes a page can have: checksum, length, and a header of 8.
    static let minimumPageBytes = 16
    /// The most strings of a piece: those of the pages before, and one page more.
    static let maximumPieceStrings = pieceStrings + maximumRows
}

/// Where something stands in a block's file.
struct BlockRange: Equatable {
    var offset: Int
    var count: Int

    func write(to writer: inout ByteWriter) {
        writer.write(Int64(offset))
        writer.write(Int64(count))
    }

    init(offset: Int, count: Int) {
        self.offset = offset
        self.count = count
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

/// What the footer says of one measurement.
struct TableFooter {
    var name: [UInt8]
    var fields: [(name: [UInt8], type: FieldType)]
    var tagKeys: [[UInt8]]
    var seriesCount = 0
    var rowCount = 0
    var minimumTime = Int64.max
    var maximumTime = Int64.min
    var pageCount = 0
    var pages = BlockRange(offset: 0, count: 0)
    var series = BlockRange(offset: 0, count: 0)
    var seriesChecksum: UInt32 = 0
    var index = BlockRange(offset: 0, count: 0)
    var indexChecksum: UInt32 = 0

    init(name: [UInt8], fields: [(name: [UInt8], type: FieldType)], tagKeys: [[UInt8]]) {
        self.name = name
        self.fields = fields
        self.tagKeys = tagKeys
    }

    func write(to writer: inout ByteWriter) {
        writer.writeBytes(name)
        writer.writeUnsignedVarint(UInt32(fields.count))
        for field in fields {
            writer.writeBytes(field.name)
            writer.write(field.type.rawValue)
        }
        writer.writeUnsignedVarint(UInt32(tagKeys.count))
        for key in tagKeys { writer.writeBytes(key) }
        writer.write(Int64(seriesCount))
        writer.write(Int64(rowCount))
        writer.write(minimumTime)
        writer.write(maximumTime)
        writer.write(Int64(pageCount))
        pages.write(to: &writer)
        series.write(to: &writer)
        writer.write(seriesChecksum)
        index.write(to: &writer)
        writer.write(indexChecksum)
    }

    /// Reads it. All ranges lie in front of `limit`; the numbers are no larger than what the ranges could hold.
    init(_ reader: inout ByteReader, limit: Int) throws(BytesError) {
        name = try reader.bytes()
        fields = []
        for _ in 0..<(try reader.count(minimumBytes: 2)) {
            let name = try reader.bytes()
            guard let type = FieldType(rawValue: try reader.uint8()) else {
                throw BytesError(code: .malformed, message: "a field of an unknown type")
            }
            fields.append((name, type))
        }
        tagKeys = []
        for _ in 0..<(try reader.count(minimumBytes: 1)) { tagKeys.append(try reader.bytes()) }
        let (series, rows) = (try reader.int64(), try reader.int64())
        minimumTime = try reader.int64()
        maximumTime = try reader.int64()
        let pageCount = try reader.int64()
        pages = try BlockRange(&reader, limit: limit)
        self.series = try BlockRange(&reader, limit: limit)
        seriesChecksum = try reader.uint32()
        index = try BlockRange(&reader, limit: limit)
        indexChecksum = try reader.uint32()
        guard pageCount >= 0, pageCount <= Int64(pages.count / BlockFormat.minimumPageBytes), rows >= 0,
            rows <= pageCount * Int64(BlockFormat.maximumRows), series >= 0, series <= rows + Int64(self.series.count)
        else {
            throw BytesError(code: .malformed, message: "\(series) series, \(rows) rows in \(pageCount) pages")
        }
        (self.pageCount, rowCount, seriesCount) = (Int(pageCount), Int(rows), Int(series))
    }
}

extension ByteWriter {
    /// A length and the bytes.
    mutating func writeBytes(_ bytes: [UInt8]) {
        writeUnsignedVarint(UInt32(bytes.count))
        write(contentsOf: bytes)
    }
}

extension ByteReader {
    /// A length and the bytes.
    mutating func bytes() throws(BytesError) -> [UInt8] {
        [UInt8](try slice(Int(try unsignedVarint())))
    }

    /// The number of elements that follow, each of at least so many bytes.
    mutating func count(minimumBytes: Int) throws(BytesError) -> Int {
        let count = Int(try unsignedVarint())
        guard count <= remaining / minimumBytes else {
            throw BytesError(code: .malformed, message: "\(count) elements in \(remaining) bytes")
        }
        return count
    }
}
