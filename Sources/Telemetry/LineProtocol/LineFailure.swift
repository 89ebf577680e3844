/// Why a line is refused. The texts are InfluxDB's: clients match them literally.
public enum LineFailure: Error, Sendable, Equatable {
    case missingMeasurement
    case missingFields
    case missingTagKey
    case missingTagValue
    case invalidTagFormat
    case duplicateTags
    /// The key, or the key with a field's, has more than 65,535 bytes.
    case keyTooLong(Int)
    case missingFieldKey
    case missingFieldValue
    case invalidNumber
    /// An integer beyond 64 bits: where its digits stand in the line.
    case integerOutOfRange(Range<Int>)
    /// An unsigned integer beyond 64 bits: where its digits stand in the line.
    case unsignedOutOfRange(Range<Int>)
    case invalidFloat
    case invalidBoolean
    case unbalancedQuotes
    case invalidFieldFormat
    case badTimestamp
    /// A timestamp beyond 64 bits, or a lone minus sign: where it stands in the line.
    case timestampUnreadable(Range<Int>)
    case timeOutsideRange
    /// Something follows the timestamp.
    case invalidPoint
    /// A tag has the name `time`.
    case timeTag
    /// No field has another name than `time`.
    case timeField
    /// A string has more than 64 KiB: the field's key in the line, and the string's bytes.
    case fieldTooLong(key: Range<Int>, byteCount: Int)

    /// The most bytes of a series key with a field's, as InfluxDB.
    public static let maximumKeyBytes = 65_535
    /// The most bytes of a string value, as written.
    public static let maximumStringBytes = 64 << 10

    /// Whether the line cannot be read. Otherwise it can, but InfluxDB drops its point: such lines are counted
    /// (`dropped=`) and only the first of a request is explained.
    public var isUnreadable: Bool {
        switch self {
        case .timeTag, .timeField, .fieldTooLong: false
        default: true
        }
    }

    /// The reason alone.
    ///
    /// - Parameters:
    ///   - line: the bytes of the refused line.
    ///   - measurement: the line's measurement, unescaped.
    func reason(line: UnsafeRawBufferPointer, measurement: String) -> String {
        func text(_ range: Range<Int>) -> String {
            String(decoding: line[range.lowerBound..<min(range.upperBound, range.lowerBound + 64)], as: UTF8.self)
        }
        switch self {
        case .missingMeasurement: return "missing measurement"
        case .missingFields: return "missing fields"
        case .missingTagKey: return "missing tag key"
        case .missingTagValue: return "missing tag value"
        case .invalidTagFormat: return "invalid tag format"
        case .duplicateTags: return "duplicate tags"
        case .keyTooLong(let count): return "max key length exceeded: \(count) > \(Self.maximumKeyBytes)"
        case .missingFieldKey: return "missing field key"
        case .missingFieldValue: return "missing field value"
        case .invalidNumber: return "invalid number"
        case .integerOutOfRange(let digits):
            return "unable to parse integer \(text(digits)): \(Self.outOfRange("ParseInt", text(digits)))"
        case .unsignedOutOfRange(let digits):
            return "unable to parse unsigned \(text(digits)): \(Self.outOfRange("ParseUint", text(digits)))"
        case .invalidFloat: return "invalid float"
        case .invalidBoolean: return "invalid boolean"
        case .unbalancedQuotes: return "unbalanced quotes"
        case .invalidFieldFormat: return "invalid field format"
        case .badTimestamp: return "bad timestamp"
        case .timestampUnreadable(let digits):
            guard digits.count > 1 else { return "strconv.ParseInt: parsing \"\(text(digits))\": invalid syntax" }
            return Self.outOfRange("ParseInt", text(digits))
        case .timeOutsideRange:
            return "time outside range \(TimePrecision.times.lowerBound) - \(TimePrecision.times.upperBound)"
        case .invalidPoint: return "point is invalid"
        case .timeTag: return "invalid tag key: input tag \"time\" on measurement \"\(measurement)\" is invalid"
        case .timeField: return "invalid field name: input field \"time\" on measurement \"\(measurement)\" is invalid"
        case .fieldTooLong(let key, let count):
            return """
                input field "\(text(key))" on measurement "\(measurement)" is too long, \(count) > \
                \(Self.maximumStringBytes)
                """
        }
    }

    private static func outOfRange(_ function: String, _ text: String) -> String {
        "strconv.\(function): parsing \"\(text)\": value out of range"
    }
}
