import Columns
import Telemetry

/// A column that is put together from rows of columns of several batches.
struct MergedColumn {
    private let type: FieldType?
    // Of these only that of the column's type is used; a payload of an enum would be copied at each change.
    private var floats: [Double] = []
    private var integers: [Int64] = []
    private var unsigned: [UInt64] = []
    private var booleans: [Bool] = []
    private var codes: [UInt32] = []
    private var validity: [UInt64] = []
    private var rows = 0
    private var missing = 0
    private var strings = StringDictionary()
    /// For each source: a batch's number, and for each of its codes the code here plus 1, or 0 if it did not occur yet.
    private var known: [(generation: Int, codes: [UInt32])]

    init(type: FieldType?, sources: Int) {
        self.type = type
        known = Array(repeating: (0, []), count: type == .string ? sources : 0)
    }

    /// Appends rows of a source's batch, which its number tells from the source's others.
    mutating func append(_ column: FieldColumn, _ range: Range<Int>, source: Int, generation: Int) {
        switch (type, column.values) {
        case (.float, .float(let other)): floats += other[range]
        case (.integer, .integer(let other)): integers += other[range]
        case (.unsigned, .unsigned(let other)): unsigned += other[range]
        case (.boolean, .boolean(let other)): booleans += other[range]
        case (.string, .string(let other, let dictionary)):
            if known[source].generation != generation {
                known[source] = (generation, [UInt32](repeating: 0, count: dictionary.count))
            }
            for row in range { codes.append(column.hasValue(row) ? code(other[row], of: dictionary, source) : 0) }
        default: return appendNothing(range.count)
        }
        grow(range.count)
        guard column.validity != nil else {
            for row in rows..<rows + range.count { validity[row >> 6] |= 1 << UInt64(row & 63) }
            return rows += range.count
        }
        for row in range {
            let bit: UInt64 = column.hasValue(row) ? 1 : 0
            validity[rows >> 6] |= bit << UInt64(rows & 63)
            missing += bit == 0 ? 1 : 0
            rows += 1
        }
    }

    private mutating func code(_ code: UInt32, of dictionary: ByteStrings, _ source: Int) -> UInt32 {
        if known[source].codes[Int(code)] == 0 {
            known[source].codes[Int(code)] = dictionary.withString(Int(code)) { strings.code(of: $0) } + 1
        }
        return known[source].codes[Int(code)] - 1
    }

    private mutating func appendNothing(_ count: Int) {
        grow(count)
        rows += count
        missing += count
        for _ in 0..<count {
            switch type {
            case .float: floats.append(0)
            case .integer: integers.append(0)
            case .unsigned: unsigned.append(0)
            case .boolean: booleans.append(false)
            case .string: codes.append(0)
            case nil: break
            }
        }
    }

    private mutating func grow(_ count: Int) {
        while validity.count * 64 < rows + count { validity.append(0) }
    }

    /// The column, and it is empty.
    mutating func take() -> FieldColumn {
        defer {
            self = MergedColumn(type: type, sources: known.count)
        }
        guard missing < rows else { return FieldColumn(.absent) }
        let values: FieldColumn.Values =
            switch type {
            case .float: .float(floats)
            case .integer: .integer(integers)
            case .unsigned: .unsigned(unsigned)
            case .boolean: .boolean(booleans)
            case .string: .string(codes: codes, dictionary: strings.strings)
            case nil: .absent
            }
        return FieldColumn(values, validity: missing == 0 ? nil : validity)
    }
}
