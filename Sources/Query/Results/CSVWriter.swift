/// CSV as InfluxDB 1.6 writes it: a header per statement, then a line per row with the series' name and tags before it.
/// What has no series leaves no trace, errors neither.
struct CSVWriter {
    private var statement = -1
    private var columns: [String] = []

    mutating func add(_ rows: ResultRows, statement: Int, _ format: ResultFormat, to bytes: inout [UInt8]) {
        if statement != self.statement || rows.columns != columns {
            if self.statement >= 0 { bytes.append(UInt8(ascii: "\n")) }
            self.statement = statement
            columns = rows.columns
            bytes.append(contentsOf: "name,tags".utf8)
            for column in columns {
                bytes.append(UInt8(ascii: ","))
                Self.append(Array(column.utf8), to: &bytes)
            }
            bytes.append(UInt8(ascii: "\n"))
        }
        var prefix: [UInt8] = []
        Self.append(rows.name, to: &prefix)
        prefix.append(UInt8(ascii: ","))
        Self.append(Self.tags(rows.tags), to: &prefix)
        for row in 0..<rows.count {
            bytes.append(contentsOf: prefix)
            if let times = rows.times {
                bytes.append(UInt8(ascii: ","))
                let unit: Int64 = if case .units(let unit) = format.epoch { unit } else { 1 }
                IntegerText.append(times[row] / unit, to: &bytes)
            }
            for vector in rows.values {
                bytes.append(UInt8(ascii: ","))
                Self.append(vector.value(row), to: &bytes)
            }
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    private static func tags(_ tags: [(key: [UInt8], value: [UInt8])]) -> [UInt8] {
        var text: [UInt8] = []
        for (key, value) in tags where !value.isEmpty {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            escape(key, to: &text)
            text.append(UInt8(ascii: "="))
            escape(value, to: &text)
        }
        return text
    }

    private static func escape(_ part: [UInt8], to text: inout [UInt8]) {
        for byte in part {
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "=") {
                text.append(UInt8(ascii: "\\"))
            }
            text.append(byte)
        }
    }

    private static func append(_ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .null: break
        case .float(let number): bytes.append(contentsOf: NumberText.plain(number).utf8)
        case .integer(let number): IntegerText.append(number, to: &bytes)
        case .unsigned(let number): bytes.append(contentsOf: String(number).utf8)
        case .boolean(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .string(let text): append(text, to: &bytes)
        }
    }

    /// A field, in quotes where Go's encoding/csv puts some.
    private static func append(_ field: [UInt8], to bytes: inout [UInt8]) {
        let special: Set<UInt8> = [44, 34, 13, 10]
        let first = String(decoding: field.prefix(4), as: UTF8.self).unicodeScalars.first
        guard first?.properties.isWhitespace == true || field.contains(where: special.contains) || field == [92, 46]
        else {
            bytes.append(contentsOf: field)
            return
        }
        bytes.append(34)
        for byte in field {
            if byte == 34 { bytes.append(34) }
            bytes.append(byte)
        }
        bytes.append(34)
    }

    static func failure(_ message: String) -> [UInt8] {
        var bytes = Array("error\n".utf8)
        append(Array(message.utf8), to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }
}
