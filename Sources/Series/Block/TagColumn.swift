import Bytes
import Columns

/// Where the parts of one tag's column stand in a block.
struct TagColumn: Sendable {
    struct ValuePart: Sendable {
        /// The code of its first value.
        var firstCode: Int
        var count: Int
        /// Its first value.
        var first: [UInt8]
        var range: BlockRange
    }

    struct PostingPart: Sendable {
        var firstCode: Int
        var count: Int
        var range: BlockRange
    }

    let key: [UInt8]
    private(set) var valueCount = 0
    private(set) var values: [ValuePart] = []
    private(set) var codes: [BlockRange] = []
    /// Nil if there is no inverted index.
    private(set) var postings: [PostingPart]?

    /// Reads the directory of a column; the parts follow it. `start` is where the reader's bytes begin in the file.
    init(_ reader: inout ByteReader, key: [UInt8], seriesCount: Int, start: Int) throws(BytesError) {
        self.key = key
        valueCount = Int(try reader.unsignedVarint())
        guard valueCount <= seriesCount || seriesCount == 0 else {
            throw BytesError(code: .malformed, message: "\(valueCount) values of \(seriesCount) series")
        }
        var code = 0
        for _ in 0..<(try reader.count(minimumBytes: 3)) {
            let count = Int(try reader.unsignedVarint())
            let first = try reader.bytes()
            let length = Int(try reader.unsignedVarint())
            values.append(.init(firstCode: code, count: count, first: first, range: .init(offset: 0, count: length)))
            code += count
        }
        guard code == valueCount else { throw BytesError(code: .malformed, message: "\(code) values in parts") }
        let parts = (seriesCount + SeriesSection.codesPerPart - 1) / SeriesSection.codesPerPart
        guard parts <= reader.remaining else { throw BytesError(code: .malformed, message: "\(parts) parts of codes") }
        for _ in 0..<parts { codes.append(.init(offset: 0, count: Int(try reader.unsignedVarint()))) }
        if try reader.uint8() == SeriesSection.hasPostings { try readPostings(&reader) }
        try place(&reader, start: start)
    }

    private mutating func readPostings(_ reader: inout ByteReader) throws(BytesError) {
        var (parts, code): ([PostingPart], Int) = ([], 0)
        for _ in 0..<(try reader.count(minimumBytes: 2)) {
            let count = Int(try reader.unsignedVarint())
            let length = Int(try reader.unsignedVarint())
            parts.append(.init(firstCode: code, count: count, range: .init(offset: 0, count: length)))
            code += count
        }
        guard code == valueCount else { throw BytesError(code: .malformed, message: "an index of \(code) values") }
        postings = parts
    }

    /// The parts stand one behind the other.
    private mutating func place(_ reader: inout ByteReader, start: Int) throws(BytesError) {
        for index in values.indices { try Self.place(&values[index].range, &reader, start) }
        for index in codes.indices { try Self.place(&codes[index], &reader, start) }
        guard var parts = postings else { return }
        for index in parts.indices { try Self.place(&parts[index].range, &reader, start) }
        postings = parts
    }

    private static func place(_ range: inout BlockRange, _ reader: inout ByteReader, _ start: Int) throws(BytesError) {
        range.offset = start + reader.position
        try reader.skip(range.count)
    }

    /// The part that has a code, by its index.
    func valuePart(of code: Int) -> Int {
        var (low, high) = (0, values.count)
        while low + 1 < high {
            let middle = (low + high) / 2
            if values[middle].firstCode <= code { low = middle } else { high = middle }
        }
        return low
    }

    /// The part that has a value if any has; nil if it goes before all.
    func valuePart(of value: [UInt8]) -> Int? {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if SeriesKey.compare(values[middle].first, value) <= 0 { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }
}

/// The series of a table: who has no rows, and the tags.
struct SeriesIndex: Sendable {
    let present: OrdinalSet
    let columns: [TagColumn]

    init(_ bytes: UnsafeRawBufferPointer, _ footer: TableFooter) throws(BytesError) {
        var reader = ByteReader(bytes)
        var present = OrdinalSet(universe: footer.seriesCount, full: true)
        let absent = Int(try reader.unsignedVarint())
        guard absent <= footer.seriesCount else {
            throw BytesError(code: .malformed, message: "too many absent series")
        }
        for ordinal in try IntegerCodec.decodePrefix(&reader, count: absent) { present.remove(Int(ordinal)) }
        var columns: [TagColumn] = []
        for key in footer.tagKeys {
            columns.append(
                try TagColumn(&reader, key: key, seriesCount: footer.seriesCount, start: footer.series.offset))
        }
        guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the series") }
        (self.present, self.columns) = (present, columns)
    }
}
