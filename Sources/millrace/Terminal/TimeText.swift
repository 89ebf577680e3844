/// Times as people write them: RFC 3339, or how long ago.
enum TimeText {
    /// Milliseconds since 1970-01-01 UTC, from `2026-11-21T01:38:05Z`, `2026-11-21 01:38:05.123+02:00`, `2026-11-21`
    /// (midnight UTC), or `90s`, `15m`, `1h`, `2d`, `1w` before `now` (`ago` may follow); nil if it is none of these.
    static func milliseconds(_ text: String, now: Int64) -> Int64? {
        if let age = duration(text.hasSuffix("ago") ? trimmed(text.dropLast(3)) : text) {
            let (time, overflow) = now.subtractingReportingOverflow(age)
            return overflow ? nil : time
        }
        return rfc3339(text)
    }

    /// Milliseconds, from a sum of numbers with units: `500ms`, `1h30m`.
    static func duration(_ text: String) -> Int64? {
        var rest = Substring(text)
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Int64(digits), let factor = units[String(unit)] else { return nil }
            let (part, tooLarge) = number.multipliedReportingOverflow(by: factor)
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !tooLarge, !overflow else { return nil }
            total = sum
        }
        return text.isEmpty ? nil : total
    }

    /// A duration as `duration(_:)` reads it, in the largest unit that needs no fraction: `7d`, `36h`, `90s`.
    static func text(milliseconds: Int64) -> String {
        let units: [(String, Int64)] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
        for (unit, factor) in units where milliseconds > 0 && milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return "\(milliseconds)ms"
    }

    private static let units: [String: Int64] = [
        "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
    ]

    private static func trimmed(_ text: Substring) -> String {
        String(text.reversed().drop { $0 == " " }.reversed())
    }

    private static func rfc3339(_ text: String) -> Int64? {
        var scanner = Scanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), (1...12).contains(month), (1...daysIn(month, of: year)).contains(day)
        else { return nil }
        var milliseconds = days(year, month, day) * 86_400_000
        if scanner.isAtEnd { return milliseconds }
        guard scanner.skip("T") || scanner.skip("t") || scanner.skip(" "), let hour = scanner.number(2),
            scanner.skip(":"), let minute = scanner.number(2), hour < 24, minute < 60
        else { return nil }
        milliseconds += (hour * 60 + minute) * 60_000
        if scanner.skip(":") {
            // 60 is a leap second; it counts as the first of the next minute.
            guard let second = scanner.number(2), second <= 60 else { return nil }
            milliseconds += second * 1_000
            if scanner.skip(".") {
                guard let fraction = scanner.fraction() else { return nil }
                milliseconds += fraction
            }
        }
        guard let offset = scanner.zone(), scanner.isAtEnd else { return nil }
        return milliseconds - offset
    }

    /// Days from 1970-01-01, in the Gregorian calendar (Howard Hinnant's `days_from_civil`).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
    }
}

/// Reads a text from the left.
private struct Scanner {
    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { place == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    /// Exactly so many digits.
    mutating func number(_ digits: Int) -> Int64? {
        guard place + digits <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[place..<place + digits] {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        place += digits
        return value
    }

    /// Any number of digits after the point, as milliseconds.
    mutating func fraction() -> Int64? {
        let digits = bytes[place...].prefix { (48...57).contains($0) }
        guard !digits.isEmpty else { return nil }
        place += digits.count
        let padded = Array(digits.prefix(3)) + Array(repeating: 48, count: max(0, 3 - digits.count))
        return padded.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    /// `Z`, `+02:00`, or nothing (UTC), as milliseconds.
    mutating func zone() -> Int64? {
        if isAtEnd || skip("Z") || skip("z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes) * 60_000
    }
}
