internal import Columns
import Patterns
internal import Series

/// Decides conditions over whole batches: a byte per row, 1 for true. Strings are compared once per distinct value.
extension RowCondition {
    func evaluate(_ rows: BatchRows) -> [UInt8] {
        switch self {
        case .constant(let value): return [UInt8](repeating: value ? 1 : 0, count: rows.count)
        case .all(let terms):
            var result = [UInt8](repeating: 1, count: rows.count)
            for term in terms {
                let other = term.evaluate(rows)
                for row in 0..<result.count { result[row] &= other[row] }
            }
            return result
        case .any(let terms):
            var result = [UInt8](repeating: 0, count: rows.count)
            for term in terms {
                let other = term.evaluate(rows)
                for row in 0..<result.count { result[row] |= other[row] }
            }
            return result
        case .matches(let column, let pattern, let negated):
            guard case .strings(let codes, let dictionary, let valid) = rows.vector(column) else {
                return [UInt8](repeating: 0, count: rows.count)
            }
            return decide(codes, dictionary, valid) { pattern.matches($0) != negated }
        case .compare(let operation, let left, let right):
            return compared(operation, left.evaluate(rows), right.evaluate(rows), count: rows.count)
        }
    }
}

/// What a scan may decide by itself.
extension RowCondition {
    /// What it demands of single string fields, whatever else it demands.
    func stringTests(_ fields: [[UInt8]]) -> [StringTest] {
        switch self {
        case .all(let terms): return terms.flatMap { $0.stringTests(fields) }
        case .matches(.field(let index), let pattern, negated: false):
            return [StringTest(field: fields[index]) { pattern.matches($0) }]
        case .compare(.equal, .column(.field(let index)), .literal(.string(let text))),
            .compare(.equal, .literal(.string(let text)), .column(.field(let index))):
            return [StringTest(field: fields[index]) { isEqual($0, text) }]
        default: return []
        }
    }
}

private func isEqual(_ left: UnsafeRawBufferPointer, _ right: [UInt8]) -> Bool {
    right.withUnsafeBytes { equalBytes(left, $0) }
}

/// Applies a test to the distinct strings that occur, then to the rows.
private func decide(
    _ codes: [UInt32], _ dictionary: StringDictionary, _ valid: [UInt8]?, _ test: (UnsafeRawBufferPointer) -> Bool
) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: codes.count)
    // 2 stands for undecided: of a tag's many values only those in the batch are tested.
    var verdicts = [UInt8](repeating: 2, count: dictionary.count)
    for row in 0..<codes.count where valid == nil || valid?[row] != 0 {
        let code = Int(codes[row])
        if verdicts[code] == 2 { verdicts[code] = dictionary.withBytes(code, test) ? 1 : 0 }
        result[row] = verdicts[code]
    }
    return result
}

private func compared(_ operation: Operator, _ left: Vector, _ right: Vector, count: Int) -> [UInt8] {
    switch (left, right) {
    case (.strings(let codes, let dictionary, let valid), .constant(.string(let text))):
        return decide(codes, dictionary, valid) { bytes in
            let equal = isEqual(bytes, text)
            return operation == .equal ? equal : operation == .notEqual ? !equal : false
        }
    case (.constant(.string), .strings): return compared(operation.mirrored, right, left, count: count)
    case (.strings, .strings): return pairwise(operation, left, right, count: count)
    case (.booleans(let values, let valid), .constant(.boolean(let wanted))):
        let result = values.map {
            UInt8((operation == .equal && $0 == wanted) || (operation == .notEqual && $0 != wanted) ? 1 : 0)
        }
        return intersection(result, valid) ?? result
    case (.constant(.boolean), .booleans): return compared(operation.mirrored, right, left, count: count)
    case (.booleans, .booleans): return pairwise(operation, left, right, count: count)
    default: break
    }
    guard left.isNumeric, right.isNumeric else { return [UInt8](repeating: 0, count: count) }
    let result: [UInt8]
    if let leftValues = left.asIntegers(count: count), let rightValues = right.asIntegers(count: count) {
        result = numbers(operation, leftValues, rightValues)
    } else if let leftValues = left.asUnsigned(count: count), let rightValues = right.asUnsigned(count: count) {
        result = numbers(operation, leftValues, rightValues)
    } else {
        result = numbers(operation, left.asFloats(count: count), right.asFloats(count: count))
    }
    let valid = intersection(left.valid, right.valid)
    return intersection(result, valid) ?? result
}

/// The slow way, for columns of strings or booleans compared with each other.
private func pairwise(_ operation: Operator, _ left: Vector, _ right: Vector, count: Int) -> [UInt8] {
    (0..<count).map { row in
        let (leftValue, rightValue) = (left.value(row), right.value(row))
        guard leftValue != .null, rightValue != .null else { return 0 }
        let equal = leftValue == rightValue
        return (operation == .equal && equal) || (operation == .notEqual && !equal) ? 1 : 0
    }
}

private func numbers<Number: Comparable>(_ operation: Operator, _ left: [Number], _ right: [Number]) -> [UInt8] {
    switch operation {
    case .equal: test(left, right) { $0 == $1 }
    case .notEqual: test(left, right) { $0 != $1 }
    case .less: test(left, right) { $0 < $1 }
    case .lessOrEqual: test(left, right) { $0 <= $1 }
    case .greater: test(left, right) { $0 > $1 }
    case .greaterOrEqual: test(left, right) { $0 >= $1 }
    default: [UInt8](repeating: 0, count: left.count)
    }
}

@inline(__always)
private func test<Number>(_ left: [Number], _ right: [Number], _ body: (Number, Number) -> Bool) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: left.count) { buffer, initialized in
        left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                for row in 0..<left.count { buffer[row] = body(left[row], right[row]) ? 1 : 0 }
            }
        }
        initialized = left.count
    }
}

extension Operator {
    /// The comparison with its sides exchanged.
    var mirrored: Operator {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        default: self
        }
    }
}
