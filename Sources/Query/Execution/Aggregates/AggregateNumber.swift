internal import Series
internal import Telemetry

/// A number that aggregates run over. Booleans run as integers.
protocol AggregateNumber: Comparable, Hashable, Sendable {
    static var zero: Self { get }
    static func sum(_ left: Self, _ right: Self) -> Self
    static func difference(_ left: Self, _ right: Self) -> Self
    /// What lies between two, for a median.
    static func middle(_ low: Self, _ high: Self) -> Double
    var asDouble: Double { get }
    func value(_ type: FieldType) -> Value
    /// A column's values, as this type.
    static func values(_ column: FieldColumn.Values) -> [Self]?
    /// A summary's smallest and largest value and its sum.
    static func figures(_ figures: FieldSummary.Figures?) -> (minimum: Self, maximum: Self, sum: Self)?
}

extension Double: AggregateNumber {
    static func sum(_ left: Double, _ right: Double) -> Double { left + right }
    static func difference(_ left: Double, _ right: Double) -> Double { left - right }
    static func middle(_ low: Double, _ high: Double) -> Double { low + (high - low) / 2 }
    var asDouble: Double { self }
    func value(_ type: FieldType) -> Value { .float(self) }
    static func values(_ column: FieldColumn.Values) -> [Double]? {
        if case .float(let values) = column { values } else { nil }
    }
    static func figures(_ figures: FieldSummary.Figures?) -> (minimum: Double, maximum: Double, sum: Double)? {
        if case .float(let minimum, let maximum, let sum)? = figures { (minimum, maximum, sum) } else { nil }
    }
}

extension Int64: AggregateNumber {
    static func sum(_ left: Int64, _ right: Int64) -> Int64 { left &+ right }
    static func difference(_ left: Int64, _ right: Int64) -> Int64 { left &- right }
    static func middle(_ low: Int64, _ high: Int64) -> Double { Double(low) + Double(high &- low) / 2 }
    var asDouble: Double { Double(self) }
    func value(_ type: FieldType) -> Value { type == .boolean ? .boolean(self != 0) : .integer(self) }
    static func values(_ column: FieldColumn.Values) -> [Int64]? {
        switch column {
        case .integer(let values): values
        case .boolean(let values): values.map { $0 ? 1 : 0 }
        default: nil
        }
    }
    static func figures(_ figures: FieldSummary.Figures?) -> (minimum: Int64, maximum: Int64, sum: Int64)? {
        if case .integer(let minimum, let maximum, let sum)? = figures { (minimum, maximum, sum) } else { nil }
    }
}

extension UInt64: AggregateNumber {
    static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 { left &+ right }
    static func difference(_ left: UInt64, _ right: UInt64) -> UInt64 { left &- right }
    static func middle(_ low: UInt64, _ high: UInt64) -> Double { Double(low) + Double(high - low) / 2 }
    var asDouble: Double { Double(self) }
    func value(_ type: FieldType) -> Value { .unsigned(self) }
    static func values(_ column: FieldColumn.Values) -> [UInt64]? {
        if case .unsigned(let values) = column { values } else { nil }
    }
    static func figures(_ figures: FieldSummary.Figures?) -> (minimum: UInt64, maximum: UInt64, sum: UInt64)? {
        if case .unsigned(let minimum, let maximum, let sum)? = figures { (minimum, maximum, sum) } else { nil }
    }
}
