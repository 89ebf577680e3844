internal import Telemetry

/// Computes expressions over whole batches.
extension RowExpression {
    /// A value per row.
    func evaluate(_ rows: BatchRows) -> Vector {
        switch self {
        case .column(let column): rows.vector(column)
        case .literal(let value): .constant(value)
        case .cast(let type, let inner): converted(inner.evaluate(rows), to: type, count: rows.count)
        case .arithmetic(let operation, let left, let right):
            computed(operation, left.evaluate(rows), right.evaluate(rows), count: rows.count)
        }
    }
}

private func converted(_ vector: Vector, to type: FieldType, count: Int) -> Vector {
    switch (vector, type) {
    case (.floats, .float), (.integers, .integer), (.unsigned, .unsigned), (.booleans, .boolean), (.strings, .string):
        return vector
    case (.floats(let values, let valid), .integer):
        return .integers(values.map { Int64(exactly: $0.rounded(.towardZero)) ?? .min }, valid: valid)
    case (.floats(let values, let valid), .unsigned):
        return .unsigned(values.map { unsignedBits($0) }, valid: valid)
    case (.integers, .float), (.unsigned, .float):
        return .floats(vector.asFloats(count: count), valid: vector.valid)
    case (.integers(let values, let valid), .unsigned):
        return .unsigned(values.map { UInt64(bitPattern: $0) }, valid: valid)
    case (.unsigned(let values, let valid), .integer):
        return .integers(values.map { Int64(bitPattern: $0) }, valid: valid)
    default: return .null
    }
}

/// As Go converts on this machine: a negative number wraps around.
private func unsignedBits(_ value: Double) -> UInt64 {
    let whole = value.rounded(.towardZero)
    if let unsigned = UInt64(exactly: whole) { return unsigned }
    return Int64(exactly: whole).map { UInt64(bitPattern: $0) } ?? 1 << 63
}

/// InfluxQL's arithmetic: integers stay integers but for division; dividing by zero gives zero.
private func computed(_ operation: Operator, _ left: Vector, _ right: Vector, count: Int) -> Vector {
    if case .constant(let leftValue) = left, case .constant(let rightValue) = right {
        return .constant(scalar(operation, leftValue, rightValue))
    }
    guard left.isNumeric, right.isNumeric else { return .null }
    let valid = intersection(left.valid, right.valid)
    if operation != .divide {
        if let leftValues = left.asIntegers(count: count), let rightValues = right.asIntegers(count: count) {
            return .integers(
                combine(leftValues, rightValues) { integerResult(operation, $0, $1) }, valid: valid)
        }
        if let leftValues = left.asUnsigned(count: count), let rightValues = right.asUnsigned(count: count) {
            return .unsigned(
                combine(leftValues, rightValues) { unsignedResult(operation, $0, $1) }, valid: valid)
        }
    }
    let leftValues = left.asFloats(count: count)
    let rightValues = right.asFloats(count: count)
    switch operation {
    case .add: return .floats(combine(leftValues, rightValues) { $0 + $1 }, valid: valid)
    case .subtract: return .floats(combine(leftValues, rightValues) { $0 - $1 }, valid: valid)
    case .multiply: return .floats(combine(leftValues, rightValues) { $0 * $1 }, valid: valid)
    case .divide: return .floats(combine(leftValues, rightValues) { $1 == 0 ? 0 : $0 / $1 }, valid: valid)
    case .modulo:
        return .floats(combine(leftValues, rightValues) { $0.truncatingRemainder(dividingBy: $1) }, valid: valid)
    default: return .null
    }
}

@inline(__always)
private func combine<Number>(
    _ left: [Number], _ right: [Number], _ body: (Number, Number) -> Number
) -> [Number] {
    [Number](unsafeUninitializedCapacity: left.count) { buffer, initialized in
        for row in 0..<left.count { buffer.initializeElement(at: row, to: body(left[row], right[row])) }
        initialized = left.count
    }
}

func integerResult(_ operation: Operator, _ left: Int64, _ right: Int64) -> Int64 {
    switch operation {
    case .add: left &+ right
    case .subtract: left &- right
    case .multiply: left &* right
    case .modulo: right == 0 || right == -1 ? 0 : left % right
    case .bitwiseAnd: left & right
    case .bitwiseOr: left | right
    case .bitwiseXor: left ^ right
    default: 0
    }
}

func unsignedResult(_ operation: Operator, _ left: UInt64, _ right: UInt64) -> UInt64 {
    switch operation {
    case .add: left &+ right
    case .subtract: left &- right
    case .multiply: left &* right
    case .modulo: right == 0 ? 0 : left % right
    case .bitwiseAnd: left & right
    case .bitwiseOr: left | right
    case .bitwiseXor: left ^ right
    default: 0
    }
}

/// The same of two values; null if one is, or is no number.
func scalar(_ operation: Operator, _ left: Value, _ right: Value) -> Value {
    guard let leftNumber = left.number, let rightNumber = right.number else { return .null }
    if operation != .divide {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): return .integer(integerResult(operation, left, right))
        case (.unsigned(let left), .unsigned(let right)): return .unsigned(unsignedResult(operation, left, right))
        case (.unsigned(let left), .integer(let right)) where right >= 0:
            return .unsigned(unsignedResult(operation, left, UInt64(right)))
        case (.integer(let left), .unsigned(let right)) where left >= 0:
            return .unsigned(unsignedResult(operation, UInt64(left), right))
        default: break
        }
    }
    switch operation {
    case .add: return .float(leftNumber + rightNumber)
    case .subtract: return .float(leftNumber - rightNumber)
    case .multiply: return .float(leftNumber * rightNumber)
    case .divide: return .float(rightNumber == 0 ? 0 : leftNumber / rightNumber)
    case .modulo: return .float(leftNumber.truncatingRemainder(dividingBy: rightNumber))
    default: return .null
    }
}
