import Columns
internal import Series

/// Picking rows out of vectors.
extension Vector {
    /// Some rows, copied.
    func gathered(_ rows: [Int]) -> Vector {
        let valid = valid.map { valid in rows.map { valid[$0] } }
        switch self {
        case .null, .constant: return self
        case .floats(let values, _): return .floats(rows.map { values[$0] }, valid: valid)
        case .integers(let values, _): return .integers(rows.map { values[$0] }, valid: valid)
        case .unsigned(let values, _): return .unsigned(rows.map { values[$0] }, valid: valid)
        case .booleans(let values, _): return .booleans(rows.map { values[$0] }, valid: valid)
        case .values(let values): return .values(rows.map { values[$0] })
        case .strings(let codes, let dictionary, _):
            if case .values = dictionary {
                return .strings(codes: rows.map { codes[$0] }, dictionary: dictionary, valid: valid)
            }
            var strings = ByteStrings()
            for row in rows {
                dictionary.withBytes(Int(codes[row])) { strings.bytes.append(contentsOf: $0) }
                strings.offsets.append(UInt32(strings.bytes.count))
            }
            return .strings(
                codes: Array(0..<UInt32(rows.count)), dictionary: .packed(strings), valid: valid)
        }
    }

    /// Rows of several vectors, one behind the other.
    static func joined(_ rows: [(Vector, Int)]) -> Vector {
        .values(rows.map { $0.0.value($0.1) })
    }

    /// About how much memory so many rows take.
    func bytes(_ rows: Int) -> Int {
        switch self {
        case .null, .constant: 0
        case .floats, .integers, .unsigned: rows * 9
        case .booleans: rows * 2
        case .values: rows * 24
        case .strings(_, let dictionary, _):
            switch dictionary {
            case .packed(let strings): rows * 5 + strings.bytes.count + strings.offsets.count * 4
            case .values: rows * 4
            }
        }
    }
}
