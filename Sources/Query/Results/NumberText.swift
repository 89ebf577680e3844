/// Numbers as Go writes them, in InfluxDB's answers.
public enum NumberText {
    /// A float as Go's encoding/json writes it: the shortest text that reads back the same, with an exponent only below
    /// 1e-6 and from 1e21 on. Infinities and NaN, which JSON lacks, never get here.
    public static func float(_ value: Double) -> String {
        let magnitude = value.magnitude
        if magnitude != 0, magnitude < 1e-6 || magnitude >= 1e21 { return exponential(value, digitsOfExponent: 1) }
        return plain(value)
    }

    /// A float without an exponent.
    public static func plain(_ value: Double) -> String {
        if value == value.rounded(.towardZero), value.magnitude < 9_007_199_254_740_992 {
            return value == 0 && value.sign == .minus ? "-0" : String(Int64(value))
        }
        let text = value.description
        guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "e")) else {
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
        let (sign, digits) = digits(text[..<mark])
        let exponent = Int(text[text.utf8.index(after: mark)...]) ?? 0
        // The value is 0.DIGITS · 10^point.
        let point = exponent + 1
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if point >= digits.utf8.count {
            return sign + digits + String(repeating: "0", count: point - digits.utf8.count)
        }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }

    /// A float with an exponent of at least this many digits, as Go's %e does it with 2.
    static func exponential(_ value: Double, digitsOfExponent: Int) -> String {
        let text = value.description
        let mark = text.utf8.firstIndex(of: UInt8(ascii: "e")) ?? text.endIndex
        let (sign, digits) = digits(text[..<mark])
        let exponent = mark < text.endIndex ? Int(text[text.utf8.index(after: mark)...]) ?? 0 : 0
        var power = String(exponent.magnitude)
        while power.utf8.count < digitsOfExponent { power = "0" + power }
        let fraction = digits.utf8.count > 1 ? "." + digits.dropFirst() : ""
        return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(power)"
    }

    /// The sign, and the digits without dot and trailing zeros, of "D.DDD".
    private static func digits(_ mantissa: Substring) -> (sign: String, digits: String) {
        var digits = mantissa.filter { $0 != "." && $0 != "-" }
        while digits.utf8.count > 1, digits.hasSuffix("0") { digits.removeLast() }
        return (mantissa.hasPrefix("-") ? "-" : "", digits)
    }
}
