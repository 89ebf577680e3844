internal import CMillrace

/// Numbers as Go's programs read, write and compute them.
enum GoNumber {
    /// What Go's ParseFloat reads; nil if it is no number.
    static func parse(_ text: String) -> Double? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }

    /// What Go's ParseFloat reads; nil if it is no number. A few digits, with a sign and a point, cost no string.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> Double? {
        if let value = short(bytes) { return value }
        guard let first = bytes.first, first > 0x20, bytes.count <= 1_000 else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let unsigned = (first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? text.dropFirst() : text[...])
            .lowercased()
        if unsigned.hasPrefix("0x"), !unsigned.contains("p") { return nil }
        if unsigned.hasPrefix("nan"), unsigned != "nan" || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            return nil
        }
        // Beyond the largest number Go tells an error.
        guard let value = Double(text) else { return nil }
        return value.isInfinite && !unsigned.hasPrefix("inf") ? nil : value
    }

    /// At most 15 digits, exact by one division.
    @inline(__always)
    private static func short(_ bytes: UnsafeRawBufferPointer) -> Double? {
        guard !bytes.isEmpty, bytes.count <= 17 else { return nil }
        var position = bytes[0] == UInt8(ascii: "-") ? 1 : 0
        var digits = 0
        var value: UInt64 = 0
        var scale = 1.0
        var sawPoint = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                value = value &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
                digits += 1
                if sawPoint { scale *= 10 }
            } else {
                return nil
            }
            position += 1
        }
        guard digits > 0, digits <= 15 else { return nil }
        let magnitude = Double(value) / scale
        return bytes[0] == UInt8(ascii: "-") ? -magnitude : magnitude
    }

    /// The shortest text, as Go's `%v` writes a number: an exponent below 1e-4 and from 1e21.
    static func text(_ value: Double) -> String {
        let magnitude = value.magnitude
        if magnitude != 0, magnitude < 1e-4 || magnitude >= 1e21, magnitude.isFinite {
            return NumberText.exponential(value, digitsOfExponent: 2)
        }
        return plain(value)
    }

    /// The shortest text without an exponent, as Go's 'f' with precision -1.
    static func plain(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return NumberText.plain(value)
    }

    /// With six digits behind the point, as Go's `%f`.
    static func fixed(_ value: Double, digits: Int = 6) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return plain(value) }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded(.toNearestOrEven)
        guard scaled < 9e18 else { return plain(value) }
        let sign = value.sign == .minus ? "-" : ""
        if digits == 0 { return sign + String(UInt64(scaled)) }
        var text = String(UInt64(scaled))
        while text.count <= digits { text = "0" + text }
        return sign + text.dropLast(digits) + "." + text.suffix(digits)
    }

    /// With six digits if these are all, else the shortest text.
    static func fixedOrExact(_ value: Double) -> String {
        let text = fixed(value)
        return parse(text) == value ? text : plain(value)
    }

    /// An operation on two numbers; a comparison gives 1 or 0, division by zero NaN.
    static func compute(_ operation: BinaryOperation.Operator, _ left: Double, _ right: Double) -> Double {
        switch operation {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: right == 0 ? .nan : left / right
        case .modulo: right == 0 ? .nan : left.truncatingRemainder(dividingBy: right)
        case .power: millrace_power(left, right)
        case .equal: left == right ? 1 : 0
        case .notEqual: left != right ? 1 : 0
        case .greater: left > right ? 1 : 0
        case .greaterOrEqual: left >= right ? 1 : 0
        case .less: left < right ? 1 : 0
        case .lessOrEqual: left <= right ? 1 : 0
        case .and, .or, .unless: .nan
        }
    }
}
