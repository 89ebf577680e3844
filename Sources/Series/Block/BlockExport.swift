import Columns
import Telemetry

/// Writes a block's points as line protocol, in the order of measurements, series and times, with times in nanoseconds.
/// Floats are written so that they are read as the same float.
public enum BlockExport {
    /// Writes all lines.
    ///
    /// - Parameter sink: takes whole lines, about a page at a time; returns false to end.
    public static func lines(of block: Block, _ sink: (UnsafeRawBufferPointer) -> Bool) throws(SeriesError) {
        for table in block.tables {
            let all = try table.matching(.all).members
            let columns = try table.columns(of: all)
            let cursor = try BlockCursor(table, series: all, range: .min ... .max, fields: table.fields.map(\.name))
            var lines = LineText(table)
            while let batch = try cursor.next() {
                lines.append(batch, columns)
                guard lines.bytes.withUnsafeBytes(sink) else { return }
                lines.bytes.removeAll(keepingCapacity: true)
            }
        }
    }
}

/// Lines of one measurement.
private struct LineText {
    var bytes: [UInt8] = []
    private let measurement: [UInt8]
    /// Each with its "=".
    private let fieldKeys: [[UInt8]]

    init(_ table: BlockTable) {
        measurement = Self.escaped(table.measurement, .measurement)
        fieldKeys = table.fields.map { Self.escaped($0.name, .fieldKey) + [UInt8(ascii: "=")] }
    }

    private static func escaped(_ content: [UInt8], _ place: LineEscaping.Place) -> [UInt8] {
        var result: [UInt8] = []
        content.withUnsafeBytes { LineEscaping.escape($0, place, into: &result) }
        return result
    }

    mutating func append(_ batch: PointBatch, _ series: SeriesColumns) {
        var row = 0
        for run in batch.runs {
            var key = measurement
            for tag in series.tags(of: Int(run.series)) {
                key.append(UInt8(ascii: ","))
                key += Self.escaped(tag.key, .tag)
                key.append(UInt8(ascii: "="))
                key += Self.escaped(tag.value, .tag)
            }
            for _ in 0..<run.count {
                bytes += key
                append(batch.columns, row: row)
                bytes.append(UInt8(ascii: " "))
                bytes += "\(batch.times[row])\n".utf8
                row += 1
            }
        }
    }

    private mutating func append(_ columns: [FieldColumn], row: Int) {
        var separator = UInt8(ascii: " ")
        for (field, column) in columns.enumerated() where column.hasValue(row) {
            bytes.append(separator)
            separator = UInt8(ascii: ",")
            bytes += fieldKeys[field]
            switch column.values {
            case .absent: break
            case .float(let values): bytes += "\(values[row])".utf8
            case .integer(let values): bytes += "\(values[row])i".utf8
            case .unsigned(let values): bytes += "\(values[row])u".utf8
            case .boolean(let values): bytes += (values[row] ? "true" : "false").utf8
            case .string(let codes, let strings):
                bytes.append(UInt8(ascii: "\""))
                strings.withString(Int(codes[row])) { LineEscaping.escape($0, .string, into: &bytes) }
                bytes.append(UInt8(ascii: "\""))
            }
        }
    }
}
