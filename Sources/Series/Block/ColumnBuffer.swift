import Columns
import Telemetry

/// The values of one field that wait for their page, as 64-bit patterns: integers, floats' bits, codes of strings, bits.
struct ColumnBuffer: ~Copyable {
    let type: FieldType
    /// One per row; 0 where there is none.
    private(set) var values: [Int64] = []
    /// A bit per row.
    private(set) var validity: [UInt64] = []
    /// The strings that the codes mean; those of this column since the last piece.
    var dictionary = StringDictionary()
    /// The number of bytes that the rows' strings have together.
    private(set) var stringBytes = 0

    init(type: FieldType) { self.type = type }

    /// Appends rows of a column.
    ///
    /// - Returns: false if the column is of another type.
    mutating func append(_ column: borrowing FieldColumn, rows: Range<Int>) -> Bool {
        let start = values.count
        switch (column.values, type) {
        case (.absent, _):
            appendNothing(rows.count)
            return true
        case (.float(let floats), .float):
            for row in rows { values.append(Int64(bitPattern: floats[row].bitPattern)) }
        case (.integer(let integers), .integer): values.append(contentsOf: integers[rows])
        case (.unsigned(let integers), .unsigned):
            for row in rows { values.append(Int64(bitPattern: integers[row])) }
        case (.boolean(let booleans), .boolean): for row in rows { values.append(booleans[row] ? 1 : 0) }
        case (.string(let codes, let strings), .string):
            appendStrings(codes, strings, column.validity, rows: rows)
        default: return false
        }
        growValidity()
        guard let validity = column.validity else {
            for row in start..<values.count { self.validity[row >> 6] |= 1 << UInt64(row & 63) }
            return true
        }
        for (place, row) in rows.enumerated() {
            let target = start + place
            if validity[row >> 6] >> UInt64(row & 63) & 1 != 0 {
                self.validity[target >> 6] |= 1 << UInt64(target & 63)
            } else {
                values[target] = 0
            }
        }
        return true
    }

    private mutating func growValidity() {
        let words = (values.count + 63) / 64
        while validity.count < words { validity.append(0) }
    }

    private mutating func appendNothing(_ rows: Int) {
        for _ in 0..<rows { values.append(0) }
        growValidity()
    }

    private mutating func appendStrings(
        _ codes: [UInt32], _ strings: ByteStrings, _ validity: [UInt64]?, rows: Range<Int>
    ) {
        // Neighbours often have the same string.
        var (last, lastCode) = (UInt32.max, Int64(0))
        for row in rows {
            if let validity, validity[row >> 6] >> UInt64(row & 63) & 1 == 0 {
                values.append(0)
                continue
            }
            if codes[row] != last {
                last = codes[row]
                lastCode = Int64(strings.withString(Int(last)) { dictionary.code(of: $0) })
            }
            values.append(lastCode)
            stringBytes += Int(strings.offsets[Int(last) + 1] - strings.offsets[Int(last)])
        }
    }

    /// Whether a row has a value.
    func hasValue(_ row: Int) -> Bool { validity[row >> 6] >> UInt64(row & 63) & 1 != 0 }

    /// The number of the first rows that have a value.
    func valid(of rows: Int) -> Int {
        var count = 0
        for word in 0..<(rows >> 6) { count += validity[word].nonzeroBitCount }
        if rows & 63 != 0 { count += (validity[rows >> 6] & ((1 << UInt64(rows & 63)) - 1)).nonzeroBitCount }
        return count
    }

    /// Forgets the first rows, whose page is written.
    mutating func removeFirst(_ rows: Int) {
        let kept = values.count - rows
        var moved = [UInt64](repeating: 0, count: (kept + 63) / 64)
        for row in 0..<kept where hasValue(rows + row) { moved[row >> 6] |= 1 << UInt64(row & 63) }
        validity = moved
        values.removeFirst(rows)
        stringBytes = 0
        guard type == .string else { return }
        for row in 0..<kept where hasValue(row) {
            let code = Int(values[row])
            stringBytes += Int(dictionary.strings.offsets[code + 1] - dictionary.strings.offsets[code])
        }
    }

    /// Begins a new dictionary with the strings of the rows that wait.
    ///
    /// - Returns: the strings of the rows before.
    mutating func restartDictionary() -> ByteStrings {
        let old = dictionary.strings
        dictionary = StringDictionary()
        for row in values.indices where hasValue(row) {
            values[row] = Int64(old.withString(Int(values[row])) { dictionary.code(of: $0) })
        }
        return old
    }
}
