/// One value of a result.
public enum Value: Sendable, Equatable {
    case null
    case float(Double)
    case integer(Int64)
    case unsigned(UInt64)
    case boolean(Bool)
    case string([UInt8])

    /// A text.
    static func text(_ text: String) -> Value { .string(Array(text.utf8)) }

    /// The number as a float; nil if it is none.
    var number: Double? {
        switch self {
        case .float(let value): value
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        default: nil
        }
    }
}
