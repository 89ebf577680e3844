/// Durations as InfluxQL writes them: `1h30m`, `10u`, `2w`.
public enum DurationText {
    private static let units: [(String, Int64)] = [
        ("w", 604_800_000_000_000), ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000), ("u", 1_000), ("ns", 1),
    ]

    /// The nanoseconds of a text; nil if it is none. Wraps silently beyond 292 years, which the caller sees as negative.
    static func parse(_ text: String) throws(QueryError) -> Int64 {
        var total: Int64 = 0
        var rest = Substring(text).unicodeScalars
        guard text.unicodeScalars.count >= 2 else { throw QueryError(.syntax, "invalid duration") }
        var last = ""
        while !rest.isEmpty {
            let digits = rest.prefix(while: isDigit)
            rest.removeFirst(digits.count)
            guard let number = Int64(String(digits)), let first = rest.popFirst() else {
                throw QueryError(.syntax, "invalid duration")
            }
            var name = first == "µ" ? "u" : String(first)
            if first == "n" || first == "m", rest.first == "s" {
                rest.removeFirst()
                name += "s"
            }
            guard let unit = units.first(where: { $0.0 == name }) else {
                throw QueryError(.syntax, "invalid duration")
            }
            total &+= number &* unit.1
            last = "\(number)\(name)"
        }
        guard total >= 0 else {
            throw QueryError(.syntax, "overflowed duration \(last): choose a smaller duration or INF")
        }
        return total
    }

    /// The text of a duration in the largest unit that divides it.
    public static func text(_ nanoseconds: Int64) -> String {
        guard nanoseconds != 0 else { return "0s" }
        for (name, unit) in units where nanoseconds % unit == 0 { return "\(nanoseconds / unit)\(name)" }
        return "\(nanoseconds)ns"
    }

    /// A duration as InfluxDB shows retention policies: `168h0m0s`, `0s`.
    public static func clockText(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let fraction = nanoseconds % 1_000_000_000
        guard fraction == 0 || seconds > 0 else { return subsecondText(nanoseconds) }
        var text = ""
        if seconds >= 3600 { text += "\(seconds / 3600)h" }
        if seconds >= 60 { text += "\(seconds / 60 % 60)m" }
        return text + "\(seconds % 60)" + fractionText(fraction, digits: 9) + "s"
    }

    private static func subsecondText(_ nanoseconds: Int64) -> String {
        if nanoseconds < 1_000 { return "\(nanoseconds)ns" }
        if nanoseconds < 1_000_000 { return "\(nanoseconds / 1000)\(fractionText(nanoseconds % 1000, digits: 3))µs" }
        return "\(nanoseconds / 1_000_000)\(fractionText(nanoseconds % 1_000_000, digits: 6))ms"
    }

    private static func fractionText(_ fraction: Int64, digits: Int) -> String {
        guard fraction != 0 else { return "" }
        let text = String(fraction)
        var padded = String(repeating: "0", count: digits - text.count) + text
        while padded.hasSuffix("0") { padded.removeLast() }
        return "." + padded
    }
}
