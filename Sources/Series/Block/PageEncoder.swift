import Bytes
import Columns
import Telemetry

/// Writes one page: docs/formats/series-block.md, "Pages".
struct PageEncoder: ~Copyable {
    /// Bits of a field's flags.
    static let hasNulls: UInt8 = 1
    static let hasFigures: UInt8 = 2

    private let rows: Int
    private var header = ByteWriter(capacity: 512)
    private var body = ByteWriter(capacity: 16 << 10)
    private var entries = ByteWriter(capacity: 512)
    private var entryCount: UInt32 = 0

    init(rows: Int) { self.rows = rows }

    /// The series and times.
    mutating func encodeKeys(_ runs: [SeriesRun], _ times: [Int64]) {
        header.writeUnsignedVarint(UInt32(rows))
        header.writeUnsignedVarint(UInt32(runs.count))
        header.writeUnsignedVarint(UInt32(runs[0].series))
        if runs.count > 1 {
            IntegerCodec.encode(runs.map { Int64($0.series) }, into: &body)
            IntegerCodec.encode(runs.map { Int64($0.count) }, into: &body)
        }
        header.writeUnsignedVarint(UInt32(body.count))
        let start = body.count
        times.withUnsafeBufferPointer {
            IntegerCodec.encode(UnsafeBufferPointer(rebasing: $0[..<rows]), into: &body)
        }
        header.writeUnsignedVarint(UInt32(body.count - start))
        header.write(body.withUnsafeBytes { CRC32C.checksum($0) })
    }

    /// A field; nothing is written if no row has a value.
    mutating func encode(_ column: borrowing ColumnBuffer, field: Int, hasFigures wantsFigures: Bool) {
        let valid = column.valid(of: rows)
        guard valid > 0 else { return }
        entryCount += 1
        let start = body.count
        let hasFigures = wantsFigures && column.type != .string && column.type != .boolean
        entries.writeUnsignedVarint(UInt32(field))
        entries.write((valid < rows ? Self.hasNulls : 0) | (hasFigures ? Self.hasFigures : 0))
        if valid < rows {
            entries.writeUnsignedVarint(UInt32(valid))
            encodeWithNulls(column, valid: valid, hasFigures: hasFigures)
        } else {
            column.values.withUnsafeBufferPointer {
                encode(UnsafeBufferPointer(rebasing: $0[..<rows]), column.type, hasFigures: hasFigures)
            }
        }
        entries.writeUnsignedVarint(UInt32(body.count - start))
        entries.write(body.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[start...])) })
    }

    private mutating func encodeWithNulls(_ column: borrowing ColumnBuffer, valid: Int, hasFigures: Bool) {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: rows) { scratch in
            for row in 0..<rows { scratch[row] = column.hasValue(row) ? 1 : 0 }
            IntegerCodec.encode(UnsafeBufferPointer(scratch), into: &body)
            var place = 0
            for row in 0..<rows where column.hasValue(row) {
                scratch[place] = column.values[row]
                place += 1
            }
            encode(UnsafeBufferPointer(rebasing: scratch[..<valid]), column.type, hasFigures: hasFigures)
        }
    }

    private mutating func encode(_ values: UnsafeBufferPointer<Int64>, _ type: FieldType, hasFigures: Bool) {
        if hasFigures { writeFigures(values, type) }
        if type == .float {
            FloatCodec.encode(values, into: &body)
        } else {
            IntegerCodec.encode(values, into: &body)
        }
    }

    private mutating func writeFigures(_ values: UnsafeBufferPointer<Int64>, _ type: FieldType) {
        switch type {
        case .float:
            var (minimum, maximum, sum) = (Double.infinity, -Double.infinity, 0.0)
            for value in values {
                let float = Double(bitPattern: UInt64(bitPattern: value))
                if float < minimum { minimum = float }
                if float > maximum { maximum = float }
                sum += float
            }
            entries.write(minimum)
            entries.write(maximum)
            entries.write(sum)
        case .unsigned:
            var (minimum, maximum, sum) = (UInt64.max, UInt64.min, UInt64(0))
            for value in values {
                let integer = UInt64(bitPattern: value)
                (minimum, maximum) = (min(minimum, integer), max(maximum, integer))
                sum &+= integer
            }
            for figure in [minimum, maximum, sum] { entries.writeVarlong(Int64(bitPattern: figure)) }
        default:
            var (minimum, maximum, sum) = (Int64.max, Int64.min, Int64(0))
            for value in values {
                (minimum, maximum) = (min(minimum, value), max(maximum, value))
                sum &+= value
            }
            for figure in [minimum, maximum, sum] { entries.writeVarlong(figure) }
        }
    }

    /// Appends the page: checksum and length of the header, the header, the columns.
    consuming func write(to output: inout ByteWriter) {
        header.writeUnsignedVarint(entryCount)
        entries.withUnsafeBytes { header.write(contentsOf: $0) }
        output.write(header.withUnsafeBytes { CRC32C.checksum($0) })
        output.write(UInt32(header.count))
        header.withUnsafeBytes { output.write(contentsOf: $0) }
        body.withUnsafeBytes { output.write(contentsOf: $0) }
    }
}

/// Collects what a reader has to know of a table's pages before it reads one.
struct PageIndexBuilder {
    private var positions: [Int64] = []
    private var lengths: [Int64] = []
    private var rows: [Int64] = []
    private var first: [Int64] = []
    private var last: [Int64] = []
    private var minimum: [Int64] = []
    private var maximum: [Int64] = []
    private var pieces: [[Piece]]

    private struct Piece {
        /// The first page behind those whose codes are of this piece.
        var endPage: Int
        var bytes: BlockRange
        var checksum: UInt32
    }

    init(pieces fields: Int) { pieces = Array(repeating: [], count: fields) }

    var pageCount: Int { lengths.count }
    var rowCount: Int { Int(rows.reduce(0, +)) }
    var minimumTime: Int64 { minimum.min() ?? .max }
    var maximumTime: Int64 { maximum.max() ?? .min }

    mutating func add(
        _ bytes: BlockRange, rows: Int, first: Int32, last: Int32, from minimum: Int64, through maximum: Int64
    ) {
        positions.append(Int64(bytes.offset))
        lengths.append(Int64(bytes.count))
        self.rows.append(Int64(rows))
        self.first.append(Int64(first))
        self.last.append(Int64(last))
        self.minimum.append(minimum)
        self.maximum.append(maximum)
    }

    mutating func addPiece(_ field: Int, bytes: BlockRange, checksum: UInt32) {
        pieces[field].append(Piece(endPage: lengths.count, bytes: bytes, checksum: checksum))
    }

    /// Appends the index. Pieces may stand between pages, so positions are stored, not lengths alone.
    func write(to writer: inout ByteWriter) {
        for list in [positions, lengths, rows, first, last, minimum, maximum] {
            IntegerCodec.encode(list, into: &writer)
        }
        for field in pieces {
            writer.writeUnsignedVarint(UInt32(field.count))
            for piece in field {
                writer.writeUnsignedVarint(UInt32(piece.endPage))
                piece.bytes.write(to: &writer)
                writer.write(piece.checksum)
            }
        }
    }
}
