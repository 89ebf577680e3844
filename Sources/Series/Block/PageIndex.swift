import Bytes
import Columns

/// What is known of a table's pages without reading them.
struct PageIndex: Sendable {
    let positions: [Int64]
    let lengths: [Int64]
    let rows: [Int64]
    let first: [Int64]
    let last: [Int64]
    let minimum: [Int64]
    let maximum: [Int64]
    /// For each field, the pieces of its strings.
    let pieces: [[Piece]]

    struct Piece: Sendable {
        /// The first page that it has no strings of.
        var endPage: Int
        var bytes: BlockRange
        var checksum: UInt32
    }

    var count: Int { positions.count }

    init(_ bytes: UnsafeRawBufferPointer, _ footer: TableFooter) throws(BytesError) {
        var reader = ByteReader(bytes)
        let count = footer.pageCount
        positions = try IntegerCodec.decodePrefix(&reader, count: count)
        lengths = try IntegerCodec.decodePrefix(&reader, count: count)
        rows = try IntegerCodec.decodePrefix(&reader, count: count)
        first = try IntegerCodec.decodePrefix(&reader, count: count)
        last = try IntegerCodec.decodePrefix(&reader, count: count)
        minimum = try IntegerCodec.decodePrefix(&reader, count: count)
        maximum = try IntegerCodec.decodePrefix(&reader, count: count)
        var pieces: [[Piece]] = []
        for _ in footer.fields {
            var list: [Piece] = []
            for _ in 0..<(try reader.count(minimumBytes: 21)) {
                let endPage = Int(try reader.unsignedVarint())
                let range = try BlockRange(&reader, limit: footer.pages.offset + footer.pages.count)
                list.append(Piece(endPage: endPage, bytes: range, checksum: try reader.uint32()))
            }
            pieces.append(list)
        }
        self.pieces = pieces
        guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the index") }
        try check(footer)
    }

    /// Every page lies within the table's pages and says something possible; pages ascend by series.
    private func check(_ footer: TableFooter) throws(BytesError) {
        var (end, lastSeries, rows) = (Int64(footer.pages.offset), Int64(0), Int64(0))
        let limit = Int64(footer.pages.offset + footer.pages.count)
        for page in 0..<count {
            guard positions[page] >= end, positions[page] <= limit,
                lengths[page] >= Int64(BlockFormat.minimumPageBytes),
                lengths[page] <= limit - positions[page], self.rows[page] > 0,
                self.rows[page] <= Int64(BlockFormat.maximumRows), first[page] >= lastSeries, last[page] >= first[page],
                last[page] < Int64(footer.seriesCount), minimum[page] <= maximum[page]
            else { throw BytesError(code: .malformed, message: "page \(page) of the index is impossible") }
            (end, lastSeries) = (positions[page] + lengths[page], last[page])
            rows += self.rows[page]
        }
        guard rows == Int64(footer.rowCount) else {
            throw BytesError(code: .malformed, message: "\(rows) rows in the pages, \(footer.rowCount) in the footer")
        }
    }

    /// The first page from `start` on whose last series is `series` or later.
    func firstPage(from start: Int, through series: Int64) -> Int {
        var (low, high) = (start, count)
        while low < high {
            let middle = (low + high) / 2
            if last[middle] < series { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// How many rows there are in the pages that can hold some series, ascending, in a range of times.
    func rows(of series: [UInt32], in range: ClosedRange<Int64>) -> Int {
        var (page, place, total) = (0, 0, 0)
        while page < count, place < series.count {
            page = firstPage(from: page, through: Int64(series[place]))
            guard page < count else { break }
            while place < series.count, Int64(series[place]) < first[page] { place += 1 }
            guard place < series.count else { break }
            guard Int64(series[place]) <= last[page] else { continue }
            if minimum[page] <= range.upperBound, maximum[page] >= range.lowerBound { total += Int(rows[page]) }
            page += 1
        }
        return total
    }

    /// The piece that has the strings of a field in a page.
    func piece(field: Int, page: Int) -> Int? {
        let list = pieces[field]
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle].endPage <= page { low = middle + 1 } else { high = middle }
        }
        return low < list.count ? low : nil
    }
}
