import Columns
internal import Series
internal import Telemetry

/// A value per row of a batch.
enum Vector {
    case null
    case floats([Double], valid: [UInt8]?)
    case integers([Int64], valid: [UInt8]?)
    case unsigned([UInt64], valid: [UInt8]?)
    case booleans([Bool], valid: [UInt8]?)
    case strings(codes: [UInt32], dictionary: StringDictionary, valid: [UInt8]?)
    case constant(Value)
    /// Values of any kinds.
    case values([Value])
}

/// Distinct strings that codes stand for.
enum StringDictionary {
    /// The strings of a column.
    case packed(ByteStrings)
    /// The values of a tag.
    case values([[UInt8]])

    var count: Int {
        switch self {
        case .packed(let strings): strings.count
        case .values(let values): values.count
        }
    }

    func withBytes<Result>(_ code: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        switch self {
        case .packed(let strings):
            strings.bytes.withUnsafeBytes {
                body(.init(rebasing: $0[Int(strings.offsets[code])..<Int(strings.offsets[code + 1])]))
            }
        case .values(let values): values[code].withUnsafeBytes(body)
        }
    }

    func bytes(_ code: Int) -> [UInt8] {
        switch self {
        case .packed(let strings):
            Array(strings.bytes[Int(strings.offsets[code])..<Int(strings.offsets[code + 1])])
        case .values(let values): values[code]
        }
    }
}

/// A batch with what its series' tags are.
struct BatchRows {
    let batch: PointBatch
    let table: SeriesTable

    var count: Int { batch.times.count }

    /// The values of a column.
    func vector(_ column: ColumnReference) -> Vector {
        switch column {
        case .field(let index): return field(batch.columns[index])
        case .tag(let index):
            var codes = [UInt32](repeating: 0, count: count)
            var row = 0
            let all = table.codes[index]
            for run in batch.runs {
                let code = all[Int(run.series)]
                for place in row..<row + Int(run.count) { codes[place] = code }
                row += Int(run.count)
            }
            return .strings(codes: codes, dictionary: .values(table.values[index]), valid: nil)
        }
    }

    private func field(_ column: FieldColumn) -> Vector {
        let valid = column.validity.map { expand($0, count: count) }
        switch column.values {
        case .absent: return .null
        case .float(let values): return .floats(values, valid: valid)
        case .integer(let values): return .integers(values, valid: valid)
        case .unsigned(let values): return .unsigned(values, valid: valid)
        case .boolean(let values): return .booleans(values, valid: valid)
        case .string(let codes, let dictionary):
            return .strings(codes: codes, dictionary: .packed(dictionary), valid: valid)
        }
    }
}

/// A byte per row, 1 where its bit is set.
func expand(_ bits: [UInt64], count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        for row in 0..<count { buffer[row] = UInt8(truncatingIfNeeded: bits[row >> 6] >> UInt64(row & 63)) & 1 }
        initialized = count
    }
}

extension Vector {
    /// The value of a row.
    func value(_ row: Int) -> Value {
        switch self {
        case .null: return .null
        case .constant(let value): return value
        case .values(let values): return values[row]
        case .floats(let values, let valid): return isSet(valid, row) ? .float(values[row]) : .null
        case .integers(let values, let valid): return isSet(valid, row) ? .integer(values[row]) : .null
        case .unsigned(let values, let valid): return isSet(valid, row) ? .unsigned(values[row]) : .null
        case .booleans(let values, let valid): return isSet(valid, row) ? .boolean(values[row]) : .null
        case .strings(let codes, let dictionary, let valid):
            guard isSet(valid, row) else { return .null }
            let bytes = dictionary.bytes(Int(codes[row]))
            // A tag that is missing is null in answers, and "" in conditions.
            if bytes.isEmpty, case .values = dictionary { return .null }
            return .string(bytes)
        }
    }

    private func isSet(_ valid: [UInt8]?, _ row: Int) -> Bool { valid.map { $0[row] != 0 } ?? true }

    /// Which rows have a value; nil: all.
    var valid: [UInt8]? {
        switch self {
        case .null, .constant, .values: nil
        case .floats(_, let valid), .integers(_, let valid), .unsigned(_, let valid), .booleans(_, let valid),
            .strings(_, _, let valid):
            valid
        }
    }

    /// Whether it holds numbers.
    var isNumeric: Bool {
        switch self {
        case .floats, .integers, .unsigned: true
        case .constant(let value): value.number != nil
        default: false
        }
    }

    /// The numbers as floats.
    func asFloats(count: Int) -> [Double] {
        switch self {
        case .floats(let values, _): values
        case .integers(let values, _): values.map { Double($0) }
        case .unsigned(let values, _): values.map { Double($0) }
        case .constant(let value): [Double](repeating: value.number ?? 0, count: count)
        default: [Double](repeating: 0, count: count)
        }
    }

    /// The integers; nil if they are none.
    func asIntegers(count: Int) -> [Int64]? {
        switch self {
        case .integers(let values, _): values
        case .constant(.integer(let value)): [Int64](repeating: value, count: count)
        default: nil
        }
    }

    /// The unsigned integers; nil if they are none. A constant may be a signed one that is not negative.
    func asUnsigned(count: Int) -> [UInt64]? {
        switch self {
        case .unsigned(let values, _): values
        case .constant(.unsigned(let value)): [UInt64](repeating: value, count: count)
        case .constant(.integer(let value)) where value >= 0: [UInt64](repeating: UInt64(value), count: count)
        default: nil
        }
    }
}

/// Both.
func intersection(_ left: [UInt8]?, _ right: [UInt8]?) -> [UInt8]? {
    guard let left, let right else { return left ?? right }
    var result = left
    for row in 0..<result.count { result[row] &= right[row] }
    return result
}
