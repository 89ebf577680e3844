import Bytes
import Telemetry

/// What a page says of itself: docs/formats/series-block.md, "Pages".
struct PageHeader {
    struct Entry {
        /// The index among the table's fields.
        var field: Int
        /// The number of rows that have a value.
        var valid: Int
        var hasNulls: Bool
        /// The smallest, the largest and the sum, as bits of the field's type.
        var figures: (minimum: UInt64, maximum: UInt64, sum: UInt64)?
        var range: BlockRange
        var checksum: UInt32
    }

    private(set) var rows = 0
    private(set) var runCount = 0
    private(set) var firstSeries = 0
    private(set) var series = BlockRange(offset: 0, count: 0)
    private(set) var times = BlockRange(offset: 0, count: 0)
    private(set) var keysChecksum: UInt32 = 0
    private(set) var entries: [Entry] = []

    /// Reads a header. `position` is where the bytes behind it stand in the file, `limit` where the page ends.
    init(
        _ bytes: UnsafeRawBufferPointer, position: Int, limit: Int, fields: [(name: [UInt8], type: FieldType)]
    ) throws(BytesError) {
        var reader = ByteReader(bytes)
        rows = Int(try reader.unsignedVarint())
        runCount = Int(try reader.unsignedVarint())
        firstSeries = Int(try reader.unsignedVarint())
        guard rows > 0, rows <= BlockFormat.maximumRows, runCount > 0, runCount <= rows else {
            throw BytesError(code: .malformed, message: "\(rows) rows in \(runCount) runs")
        }
        var end = position
        series = try Self.range(&reader, &end, limit)
        times = try Self.range(&reader, &end, limit)
        keysChecksum = try reader.uint32()
        let count = try reader.count(minimumBytes: 7)
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let entry = try entry(&reader, &end, limit, fields)
            guard entries.last.map({ $0.field < entry.field }) ?? true else {
                throw BytesError(code: .malformed, message: "fields out of order")
            }
            entries.append(entry)
        }
        guard reader.isAtEnd, end == limit else {
            throw BytesError(code: .malformed, message: "a page of other length")
        }
    }

    private func entry(
        _ reader: inout ByteReader, _ end: inout Int, _ limit: Int, _ fields: [(name: [UInt8], type: FieldType)]
    ) throws(BytesError) -> Entry {
        let field = Int(try reader.unsignedVarint())
        let flags = try reader.uint8()
        guard field < fields.count, flags & ~(PageEncoder.hasNulls | PageEncoder.hasFigures) == 0 else {
            throw BytesError(code: .malformed, message: "field \(field) with flags \(flags)")
        }
        let hasNulls = flags & PageEncoder.hasNulls != 0
        let valid = hasNulls ? Int(try reader.unsignedVarint()) : rows
        guard valid > 0, valid <= rows else { throw BytesError(code: .malformed, message: "\(valid) values") }
        var figures: (UInt64, UInt64, UInt64)?
        if flags & PageEncoder.hasFigures != 0 {
            if fields[field].type == .float {
                figures = (try reader.uint64(), try reader.uint64(), try reader.uint64())
            } else {
                figures = (
                    UInt64(bitPattern: try reader.varlong()), UInt64(bitPattern: try reader.varlong()),
                    UInt64(bitPattern: try reader.varlong())
                )
            }
        }
        let range = try Self.range(&reader, &end, limit)
        return Entry(
            field: field, valid: valid, hasNulls: hasNulls, figures: figures, range: range,
            checksum: try reader.uint32())
    }

    private static func range(
        _ reader: inout ByteReader, _ end: inout Int, _ limit: Int
    ) throws(BytesError) -> BlockRange {
        let count = Int(try reader.unsignedVarint())
        guard count <= limit - end else { throw BytesError(code: .malformed, message: "a column behind its page") }
        defer { end += count }
        return BlockRange(offset: end, count: count)
    }

    func entry(of field: Int) -> Entry? { entries.first { $0.field == field } }

    /// What a summary says of a field.
    func summary(of field: Int, type: FieldType) -> FieldSummary {
        guard let entry = entry(of: field) else { return FieldSummary(count: 0, figures: nil) }
        guard let figures = entry.figures else { return FieldSummary(count: entry.valid, figures: nil) }
        let typed: FieldSummary.Figures? =
            switch type {
            case .float:
                .float(
                    minimum: Double(bitPattern: figures.minimum), maximum: Double(bitPattern: figures.maximum),
                    sum: Double(bitPattern: figures.sum))
            case .integer:
                .integer(
                    minimum: Int64(bitPattern: figures.minimum), maximum: Int64(bitPattern: figures.maximum),
                    sum: Int64(bitPattern: figures.sum))
            case .unsigned: .unsigned(minimum: figures.minimum, maximum: figures.maximum, sum: figures.sum)
            case .string, .boolean: nil
            }
        return FieldSummary(count: entry.valid, figures: typed)
    }
}
