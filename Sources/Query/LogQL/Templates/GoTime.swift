/// Times as Go's layouts write and read them: `2006-01-02T15:04:05.000Z07:00`.
enum GoTime {
    /// The words of layouts, longer ones in front of those that begin them.
    private static let words = [
        "January", "Jan", "Monday", "Mon", "MST", "2006", "-07:00:00", "-07:00", "-0700", "-07", "Z07:00", "Z0700",
        "Z07", "002", "01", "02", "03", "04", "05", "06", "15", "PM", "pm", "_2", "1", "2", "3", "4", "5",
    ]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let day: Int64 = 86_400

    /// A time of the calendar.
    private struct Fields {
        var year = 0
        var month = 1
        var day = 1
        var hour = 0
        var minute = 0
        var second = 0
        var nanosecond = 0
        var weekday = 0
        var dayOfYear = 1
    }

    /// Cuts a layout into its words, fractions of seconds and other text.
    private static func parts(_ layout: String) -> [Substring] {
        var result: [Substring] = []
        var rest = Substring(layout)
        var plain = rest.startIndex
        func endPlain() { if plain < rest.startIndex { result.append(layout[plain..<rest.startIndex]) } }
        while !rest.isEmpty {
            if let fraction = fraction(rest) {
                endPlain()
                result.append(fraction)
                rest = rest.dropFirst(fraction.count)
                plain = rest.startIndex
            } else if let word = words.first(where: { rest.hasPrefix($0) }) {
                endPlain()
                result.append(rest.prefix(word.count))
                rest = rest.dropFirst(word.count)
                plain = rest.startIndex
            } else {
                rest = rest.dropFirst()
            }
        }
        endPlain()
        return result
    }

    /// `.000` or `.999`, no digit behind it.
    private static func fraction(_ text: Substring) -> Substring? {
        guard let first = text.first, first == "." || first == ",", let digit = text.dropFirst().first,
            digit == "0" || digit == "9"
        else { return nil }
        let digits = text.dropFirst().prefix { $0 == digit }
        if let next = text.dropFirst(digits.count + 1).first, next.isNumber { return nil }
        return text.prefix(digits.count + 1)
    }

    private static func fields(_ nanoseconds: Int64, zone: Int) -> Fields {
        let (seconds, rest) = floorDivide(nanoseconds, 1_000_000_000)
        let (days, clock) = floorDivide(seconds + Int64(zone), day)
        var fields = Fields()
        (fields.year, fields.month, fields.day) = civil(days)
        fields.hour = Int(clock / 3_600)
        fields.minute = Int(clock / 60 % 60)
        fields.second = Int(clock % 60)
        fields.nanosecond = Int(rest)
        fields.weekday = Int(floorDivide(days + 4, 7).rest)
        fields.dayOfYear = Int(days - self.days(fields.year, 1, 1)) + 1
        return fields
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, rest: Int64) {
        let rest = ((value % by) + by) % by
        return ((value - rest) / by, rest)
    }

    /// Days since 1970 of a date of the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = floorDivide(Int64(year), 400)
        let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
        let dayOfEra = era.rest * 365 + era.rest / 4 - era.rest / 100 + dayOfYear
        return era.quotient * 146_097 + dayOfEra - 719_468
    }

    private static func civil(_ days: Int64) -> (Int, Int, Int) {
        let era = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (era.rest - era.rest / 1_460 + era.rest / 36_524 - era.rest / 146_096) / 365
        let dayOfYear = era.rest - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let dayOfMonth = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        let month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        return (Int(yearOfEra + era.quotient * 400) + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    /// A time as a layout writes it.
    static func text(_ nanoseconds: Int64, zone: Int, layout: String) -> String {
        let fields = fields(nanoseconds, zone: zone)
        return parts(layout).map { written(String($0), fields, zone) }.joined()
    }

    private static func padded(_ number: Int, _ width: Int, _ filler: Character = "0") -> String {
        let text = String(number)
        return String(repeating: filler, count: max(0, width - text.count)) + text
    }

    private static func written(_ part: String, _ fields: Fields, _ zone: Int) -> String {
        let half = fields.hour % 12 == 0 ? 12 : fields.hour % 12
        switch part {
        case "January": return months[fields.month - 1]
        case "Jan": return String(months[fields.month - 1].prefix(3))
        case "01": return padded(fields.month, 2)
        case "1": return String(fields.month)
        case "Monday": return weekdays[fields.weekday]
        case "Mon": return String(weekdays[fields.weekday].prefix(3))
        case "2006": return padded(fields.year, 4)
        case "06": return padded(fields.year % 100, 2)
        case "02": return padded(fields.day, 2)
        case "_2": return padded(fields.day, 2, " ")
        case "2": return String(fields.day)
        case "002": return padded(fields.dayOfYear, 3)
        case "15": return padded(fields.hour, 2)
        case "03": return padded(half, 2)
        case "3": return String(half)
        case "04": return padded(fields.minute, 2)
        case "4": return String(fields.minute)
        case "05": return padded(fields.second, 2)
        case "5": return String(fields.second)
        case "PM": return fields.hour >= 12 ? "PM" : "AM"
        case "pm": return fields.hour >= 12 ? "pm" : "am"
        case "MST": return zone == 0 ? "UTC" : offset(zone, "-0700")
        case "Z07:00", "Z0700", "Z07": return zone == 0 ? "Z" : offset(zone, "-" + part.dropFirst())
        case "-07:00:00", "-07:00", "-0700", "-07": return offset(zone, part)
        default: return fractionText(part, fields.nanosecond)
        }
    }

    private static func offset(_ zone: Int, _ layout: String) -> String {
        let sign = zone < 0 ? "-" : "+"
        let (hours, minutes) = (padded(abs(zone) / 3_600, 2), padded(abs(zone) / 60 % 60, 2))
        switch layout {
        case "-07": return sign + hours
        case "-0700": return sign + hours + minutes
        case "-07:00:00": return sign + hours + ":" + minutes + ":" + padded(abs(zone) % 60, 2)
        default: return sign + hours + ":" + minutes
        }
    }

    private static func fractionText(_ part: String, _ nanosecond: Int) -> String {
        guard fraction(Substring(part)) != nil else { return part }
        var digits = String(padded(nanosecond, 9).prefix(part.count - 1))
        if part.hasSuffix("9") {
            while digits.hasSuffix("0") { digits.removeLast() }
            if digits.isEmpty { return "" }
        }
        return String(part.prefix(1)) + digits
    }
}

/// Reading.
extension GoTime {
    /// A time that a layout describes, nil if the text is none. Without a zone it is in the one given, in seconds from
    /// UTC.
    static func parse(_ text: String, layout: String, zone: Int = 0) -> (nanoseconds: Int64, zone: Int)? {
        var fields = Fields()
        var zone = zone
        var isAfternoon: Bool?
        var rest = Substring(text)
        for part in parts(layout) {
            guard read(String(part), &rest, &fields, &zone, &isAfternoon) else { return nil }
            // A fraction of a second may stand where the layout has none.
            if part == "05" || part == "5", let mark = rest.first, mark == "." || mark == ",",
                rest.dropFirst().first?.isNumber == true
            {
                let digits = rest.dropFirst().prefix { $0.isNumber }
                fields.nanosecond = Int((digits + "000000000").prefix(9)) ?? 0
                rest = rest.dropFirst(digits.count + 1)
            }
        }
        guard rest.isEmpty, (1...12).contains(fields.month), (1...31).contains(fields.day), fields.hour < 24,
            fields.minute < 60, fields.second < 60, (1...9_999).contains(fields.year)
        else { return nil }
        if let isAfternoon { fields.hour = fields.hour % 12 + (isAfternoon ? 12 : 0) }
        let clock = Int64(fields.hour * 3_600 + fields.minute * 60 + fields.second - zone)
        let seconds = days(fields.year, fields.month, fields.day) * day + clock
        let (scaled, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? nil : (scaled &+ Int64(fields.nanosecond), zone)
    }

    private static func read(
        _ part: String, _ rest: inout Substring, _ fields: inout Fields, _ zone: inout Int, _ isAfternoon: inout Bool?
    ) -> Bool {
        func number(_ least: Int, _ most: Int) -> Int? {
            let digits = rest.prefix(most).prefix { $0.isASCII && $0.isNumber }
            guard digits.count >= least else { return nil }
            rest = rest.dropFirst(digits.count)
            return Int(digits)
        }
        func store(_ value: Int?, _ keyPath: WritableKeyPath<Fields, Int>) -> Bool {
            guard let value else { return false }
            fields[keyPath: keyPath] = value
            return true
        }
        switch part {
        case "2006": return store(number(4, 4), \.year)
        case "06": return store(number(2, 2).map { $0 >= 69 ? 1900 + $0 : 2000 + $0 }, \.year)
        case "01": return store(number(2, 2), \.month)
        case "1": return store(number(1, 2), \.month)
        case "January", "Jan":
            let isShort = part == "Jan"
            for (index, month) in months.enumerated() {
                let name = isShort ? String(month.prefix(3)) : month
                guard rest.lowercased().hasPrefix(name.lowercased()) else { continue }
                rest = rest.dropFirst(name.count)
                fields.month = index + 1
                return true
            }
            return false
        case "Monday", "Mon":
            guard let name = weekdays.map({ part == "Mon" ? String($0.prefix(3)) : $0 }).first(where: rest.hasPrefix)
            else { return false }
            rest = rest.dropFirst(name.count)
            return true
        case "02": return store(number(2, 2), \.day)
        case "2", "_2":
            if part == "_2", rest.first == " " { rest = rest.dropFirst() }
            return store(number(1, 2), \.day)
        case "15", "03": return store(number(2, 2), \.hour)
        case "3": return store(number(1, 2), \.hour)
        case "04": return store(number(2, 2), \.minute)
        case "4": return store(number(1, 2), \.minute)
        case "05": return store(number(2, 2), \.second)
        case "5": return store(number(1, 2), \.second)
        case "PM", "pm":
            let word = rest.prefix(2).lowercased()
            guard word == "am" || word == "pm" else { return false }
            rest = rest.dropFirst(2)
            isAfternoon = word == "pm"
            return true
        case "MST":
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            return name.count >= 3
        case "Z07:00", "Z0700", "Z07", "-07:00", "-0700", "-07": return readZone(part, &rest, &zone)
        default: return readText(part, &rest, &fields)
        }
    }

    private static func readZone(_ part: String, _ rest: inout Substring, _ zone: inout Int) -> Bool {
        if part.hasPrefix("Z"), rest.first == "Z" {
            rest = rest.dropFirst()
            zone = 0
            return true
        }
        guard let sign = rest.first, sign == "+" || sign == "-" else { return false }
        let form = part.dropFirst()
        let text = rest.dropFirst().prefix(form.count)
        let digits = text.filter { $0 != ":" }
        guard text.count == form.count, let number = Int(digits) else { return false }
        let seconds = digits.count == 2 ? number * 3_600 : number / 100 * 3_600 + number % 100 * 60
        zone = sign == "-" ? -seconds : seconds
        rest = rest.dropFirst(form.count + 1)
        return true
    }

    private static func readText(_ part: String, _ rest: inout Substring, _ fields: inout Fields) -> Bool {
        if fraction(Substring(part)) != nil {
            // The second in front has taken it already, if it is there.
            if part.hasSuffix("9") || fields.nanosecond != 0 { return true }
            return rest.first != "."
        }
        guard rest.hasPrefix(part) else { return false }
        rest = rest.dropFirst(part.count)
        return true
    }
}
