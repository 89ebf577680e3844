/// The bounds of InfluxDB's times, in nanoseconds since 1970.
public enum InfluxTime {
    /// The first time that a point may have; also what "no lower bound" is.
    public static let minimum: Int64 = -9_223_372_036_854_775_806
    /// The last time that a point may have; also what "no upper bound" is.
    public static let maximum: Int64 = 9_223_372_036_854_775_806
}

/// Times as text.
public enum TimeText {
    /// Appends a time as RFC 3339 in UTC, with the fraction that it has: "2026-01-02T03:04:05.6Z".
    public static func append(_ nanoseconds: Int64, to bytes: inout [UInt8]) {
        var seconds = nanoseconds / 1_000_000_000
        var fraction = nanoseconds % 1_000_000_000
        if fraction < 0 {
            fraction += 1_000_000_000
            seconds -= 1
        }
        append(seconds: seconds, fraction: fraction, to: &bytes)
    }

    /// The same of seconds, which reach further, and nanoseconds behind them.
    static func append(seconds: Int64, fraction: Int64 = 0, to bytes: inout [UInt8]) {
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        let (year, month, day) = date(days)
        append(year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        append(Int(rest / 3_600), digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(Int(rest / 60 % 60), digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(Int(rest % 60), digits: 2, to: &bytes)
        if fraction != 0 {
            bytes.append(UInt8(ascii: "."))
            append(Int(fraction), digits: 9, to: &bytes)
            while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
        }
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// The date of a day since 1970. The algorithm is Howard Hinnant's civil_from_days.
    private static func date(_ days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func days(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    /// What a text says of a time.
    enum Reading: Equatable {
        /// The nanoseconds since 1970.
        case time(Int64)
        /// A time that no point can have; its seconds since 1970.
        case beyond(seconds: Int64)
        /// It begins like a time and is none.
        case invalid
        /// It is no time.
        case none
    }

    /// The nanoseconds of "2026-01-02", "2026-01-02 03:04:05.6" or RFC 3339; nil if it is no time, or none that a point
    /// can have.
    public static func parse(_ text: String) -> Int64? {
        if case .time(let time) = read(text) { time } else { nil }
    }

    /// Reads a text.
    static func read(_ text: String) -> Reading {
        let letters = Array(text.utf8.prefix(10))
        let isDate =
            letters.count == 10
            && letters.enumerated().allSatisfy { index, letter in
                index == 4 || index == 7 ? letter == 45 : letter >= 48 && letter <= 57
            }
        guard isDate else { return .none }
        guard let (seconds, fraction) = components(text) else { return .invalid }
        guard let time = assemble(seconds, fraction), time > InfluxTime.minimum, time <= InfluxTime.maximum else {
            return .beyond(seconds: seconds)
        }
        return .time(time)
    }

    private static func components(_ text: String) -> (seconds: Int64, fraction: Int64)? {
        var reader = Reader(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), (1...12).contains(month), day >= 1, day <= length(of: month, year)
        else { return nil }
        let base = days(year: year, month: month, day: day)
        if reader.isAtEnd { return (base * 86_400, 0) }
        let isZoned = reader.take("T")
        guard isZoned || reader.take(" "), let hour = reader.number(2), reader.take(":"),
            let minute = reader.number(2), reader.take(":"), let second = reader.number(2), hour < 24, minute < 60,
            second < 60
        else { return nil }
        guard let fraction = reader.fraction() else { return nil }
        var seconds = base * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
        if isZoned {
            guard let zone = reader.zone() else { return nil }
            seconds -= Int64(zone)
        }
        return reader.isAtEnd ? (seconds, fraction) : nil
    }

    private static func length(of month: Int, _ year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func assemble(_ seconds: Int64, _ fraction: Int64) -> Int64? {
        // The first second of all begins before the first nanosecond.
        guard seconds != Int64.min / 1_000_000_000 - 1 else {
            let (product, _) = (seconds + 1).multipliedReportingOverflow(by: 1_000_000_000)
            let (sum, overflow) = product.subtractingReportingOverflow(1_000_000_000 - fraction)
            return overflow ? nil : sum
        }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow2) = product.addingReportingOverflow(fraction)
        return overflow || overflow2 ? nil : sum
    }

    private struct Reader {
        private var rest: Substring.UTF8View

        init(_ text: String) { rest = Substring(text).utf8 }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func take(_ letter: Unicode.Scalar) -> Bool {
            guard let first = rest.first, first == UInt8(ascii: letter) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func number(_ digits: Int) -> Int? {
            var value = 0
            for _ in 0..<digits {
                guard let digit = rest.popFirst(), digit >= 48, digit <= 57 else { return nil }
                value = value * 10 + Int(digit - 48)
            }
            return value
        }

        /// The nanoseconds behind a dot; 0 without one.
        mutating func fraction() -> Int64? {
            guard take(".") else { return 0 }
            var (value, scale) = (Int64(0), Int64(1_000_000_000))
            while let digit = rest.first, digit >= 48, digit <= 57 {
                guard scale > 1 else { return nil }
                value = value * 10 + Int64(digit - 48)
                scale /= 10
                rest.removeFirst()
            }
            return scale == 1_000_000_000 ? nil : value * scale
        }

        /// The seconds east of Greenwich.
        mutating func zone() -> Int? {
            if take("Z") { return 0 }
            let west = take("-")
            guard west || take("+"), let hours = number(2), take(":"), let minutes = number(2) else { return nil }
            return (west ? -1 : 1) * (hours * 3_600 + minutes * 60)
        }
    }
}
