/// Durations as Go's and Prometheus's programs write them; all in nanoseconds.
enum GoDuration {
    /// Reads `1h30m`, `5d`: whole numbers with units from years to milliseconds, the larger first.
    ///
    /// - Throws: what is wrong, in Prometheus's words.
    static func parsePrometheus(_ text: String) throws(QueryError) -> Int64 {
        if text == "0" { return 0 }
        guard !text.isEmpty else { throw QueryError(.syntax, "empty duration string") }
        let invalid = QueryError(.syntax, "not a valid duration string: \(goQuoted(text))")
        var rest = Array(text.utf8)[...]
        var last = -1
        var total: Int64 = 0
        while let first = rest.first {
            guard isDigit(first) else { throw invalid }
            let digits = rest.prefix(while: isDigit)
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !isDigit($0) }
            rest = rest.dropFirst(unit.count)
            guard !unit.isEmpty else { throw invalid }
            let name = String(decoding: unit, as: UTF8.self)
            guard let place = prometheusUnits.firstIndex(where: { $0.name == name }) else {
                throw QueryError(.syntax, "unknown unit \(goQuoted(name)) in duration \(goQuoted(text))")
            }
            guard place > last else { throw invalid }
            last = place
            guard let number = Int64(String(decoding: digits, as: UTF8.self)) else {
                throw QueryError(.syntax, "duration out of range")
            }
            let (product, overflows) = number.multipliedReportingOverflow(by: prometheusUnits[place].nanoseconds)
            let (sum, carries) = total.addingReportingOverflow(product)
            guard !overflows, !carries else { throw QueryError(.syntax, "duration out of range") }
            total = sum
        }
        return total
    }

    private static let millisecond: Int64 = 1_000_000
    private static let second: Int64 = 1_000_000_000
    private static let prometheusUnits: [(name: String, nanoseconds: Int64)] = [
        ("y", 365 * 86_400 * second), ("w", 7 * 86_400 * second), ("d", 86_400 * second), ("h", 3_600 * second),
        ("m", 60 * second), ("s", second), ("ms", millisecond),
    ]

    /// Reads `-1.5h300ms`: signed, with fractions, units from hours to nanoseconds in any order. Nil if it is none.
    static func parseGo(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.elementsEqual("0".utf8) { return 0 }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
            rest = rest.dropFirst(unit.count)
            let name = String(decoding: unit, as: UTF8.self)
            guard let scale = goUnits[name], let part = nanoseconds(number, scale) else { return nil }
            let (sum, overflows) = total.addingReportingOverflow(part)
            guard !overflows else { return nil }
            total = sum
        }
        return isNegative ? -total : total
    }

    private static let goUnits: [String: Int64] = [
        "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": millisecond, "s": second, "m": 60 * second,
        "h": 3_600 * second,
    ]

    /// `1.5` times a unit; exact for whole numbers.
    private static func nanoseconds(_ number: ArraySlice<UInt8>, _ scale: Int64) -> Int64? {
        let parts = number.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, number.contains(where: isDigit) else { return nil }
        let wholeText = String(decoding: parts[0], as: UTF8.self)
        guard let whole = wholeText.isEmpty ? 0 : Int64(wholeText) else { return nil }
        let (product, overflows) = whole.multipliedReportingOverflow(by: scale)
        guard !overflows else { return nil }
        guard parts.count == 2, !parts[1].isEmpty else { return product }
        guard let fraction = Double("0." + String(decoding: parts[1], as: UTF8.self)) else { return nil }
        let (sum, carries) = product.addingReportingOverflow(Int64(fraction * Double(scale)))
        return carries ? nil : sum
    }

    /// Either form; Prometheus's first.
    static func parse(_ text: String) -> Int64? {
        if let value = try? parsePrometheus(text) { return value }
        return parseGo(text)
    }

    /// As Go writes it: `1h0m0s`, `1.5s`, `250ms`, `0s`.
    static func goText(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let magnitude = nanoseconds.magnitude
        if magnitude < 1_000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return sign + fraction(magnitude, 1_000) + "µs" }
        if magnitude < 1_000_000_000 { return sign + fraction(magnitude, 1_000_000) + "ms" }
        let minutes = magnitude / 60_000_000_000
        let seconds = fraction(magnitude % 60_000_000_000, 1_000_000_000) + "s"
        if minutes == 0 { return sign + seconds }
        if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    private static func fraction(_ value: UInt64, _ unit: UInt64) -> String {
        let rest = value % unit
        guard rest != 0 else { return "\(value / unit)" }
        var digits = String(unit + rest).dropFirst()
        while digits.last == "0" { digits = digits.dropLast() }
        return "\(value / unit).\(digits)"
    }

    /// As Prometheus writes it: `1h30m`, `5d`; milliseconds are the smallest.
    static func prometheusText(_ nanoseconds: Int64) -> String {
        var milliseconds = nanoseconds / millisecond
        if milliseconds == 0 { return "0s" }
        var text = milliseconds < 0 ? "-" : ""
        milliseconds = abs(milliseconds)
        func take(_ name: String, _ unit: Int64, exactly: Bool) {
            if exactly, milliseconds % unit != 0 { return }
            let count = milliseconds / unit
            if count > 0 {
                text += "\(count)\(name)"
                milliseconds -= count * unit
            }
        }
        take("y", 365 * 86_400_000, exactly: true)
        take("w", 7 * 86_400_000, exactly: true)
        take("d", 86_400_000, exactly: false)
        take("h", 3_600_000, exactly: false)
        take("m", 60_000, exactly: false)
        take("s", 1_000, exactly: false)
        take("ms", 1, exactly: false)
        return text
    }

    /// As Prometheus writes it if that is exact and not negative, which the language reads in Go's form only.
    static func offsetText(_ nanoseconds: Int64) -> String {
        nanoseconds > 0 && nanoseconds % millisecond == 0 ? prometheusText(nanoseconds) : goText(nanoseconds)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
