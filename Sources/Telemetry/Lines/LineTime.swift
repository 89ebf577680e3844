/// The times that log lines and their shippers write, in nanoseconds since 1970.
public enum LineTime {
    /// RFC 3339, and what is close to it: a space for the `T`, a comma in front of the fraction, digits beyond the ninth,
    /// an offset without a colon; without an offset the time is UTC.
    ///
    /// - Returns: the time and how many bytes it takes; nil if the text does not begin with one, or it does not fit.
    public static func parsePrefix(_ text: UnsafeRawBufferPointer) -> (time: Int64, length: Int)? {
        var reader = TimeReader(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("T") || reader.take("t") || reader.take(" "),
            let hour = reader.number(2), reader.take(":"), let minute = reader.number(2), reader.take(":"),
            let second = reader.number(2)
        else { return nil }
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61 else { return nil }
        let fraction = reader.fraction()
        let offset = reader.offset()
        let days = days(year: Int64(year), month: Int64(month), day: Int64(day))
        let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - Int64(offset)
        let (scaled, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (time, overflows) = scaled.addingReportingOverflow(fraction)
        return isTooLarge || overflows ? nil : (time, reader.position)
    }

    /// A text that is a time as a whole: as `parsePrefix`, or a number as `time(ofNumber:)`.
    public static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
        if let (time, length) = parsePrefix(text) { return length == text.count ? time : nil }
        return number(text)
    }

    /// A number of seconds, milliseconds, microseconds or nanoseconds since 1970: its size tells which.
    ///
    /// 10¹¹ seconds lie in the year 5138, 10¹¹ milliseconds in 1973.
    public static func time(ofNumber number: Int64) -> Int64? {
        let unit: Int64 =
            switch number.magnitude {
            case ..<100_000_000_000: 1_000_000_000
            case ..<100_000_000_000_000: 1_000_000
            case ..<100_000_000_000_000_000: 1_000
            default: 1
            }
        let (time, overflows) = number.multipliedReportingOverflow(by: unit)
        return overflows ? nil : time
    }

    /// Digits, with a sign and a fraction if need be.
    private static func number(_ text: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = UnsafeRawBufferPointer(rebasing: text[(isNegative ? 1 : 0)...])
        var reader = TimeReader(digits)
        let count = digits.prefix { $0 >= 48 && $0 <= 57 }.count
        guard (1...18).contains(count) || count == 19, let whole = reader.long(count) else { return nil }
        let signed = isNegative ? -whole : whole
        let fraction = reader.fraction()
        guard reader.position == digits.count, let time = time(ofNumber: signed) else { return nil }
        // Only of seconds a fraction says something that the number does not.
        guard fraction > 0, whole < 100_000_000_000 else { return time }
        let (sum, overflows) = time.addingReportingOverflow(isNegative ? -fraction : fraction)
        return overflows ? nil : sum
    }

    /// The days from 1970-01-01 to a date: Howard Hinnant's algorithm for the proleptic Gregorian calendar.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

private struct TimeReader {
    private let text: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    mutating func take(_ letter: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: letter) else { return false }
        position += 1
        return true
    }

    private var digit: Int64? {
        guard position < text.count, text[position] >= 48, text[position] <= 57 else { return nil }
        return Int64(text[position] - 48)
    }

    mutating func number(_ digits: Int) -> Int? {
        long(digits).map { Int($0) }
    }

    /// Nil if there are fewer digits, or the number does not fit.
    mutating func long(_ digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit else { return nil }
            let (scaled, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = scaled.addingReportingOverflow(digit)
            guard !isTooLarge, !overflows else { return nil }
            value = sum
            position += 1
        }
        return value
    }

    /// The nanoseconds behind a dot or a comma; 0 without. A dot without a digit behind it stays.
    mutating func fraction() -> Int64 {
        let start = position
        guard take(".") || take(",") else { return 0 }
        var (value, scale, count) = (Int64(0), Int64(100_000_000), 0)
        while let digit {
            value += digit * scale
            scale /= 10
            count += 1
            position += 1
        }
        if count == 0 { position = start }
        return value
    }

    /// The seconds east of Greenwich; 0 without.
    mutating func offset() -> Int {
        if take("Z") || take("z") { return 0 }
        let start = position
        let isWest = take("-")
        guard isWest || take("+"), let hours = number(2) else {
            position = start
            return 0
        }
        _ = take(":")
        guard let minutes = number(2), hours < 24, minutes < 60 else {
            position = start
            return 0
        }
        return (isWest ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }
}
