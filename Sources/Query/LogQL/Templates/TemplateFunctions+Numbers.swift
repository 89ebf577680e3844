/// Numbers, comparisons and times.
extension TemplateFunctions {
    private static func whole(
        _ call: Call, _ body: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
    ) -> TemplateValue {
        var result = call.integer(0)
        for index in 1..<max(1, call.values.count) { result = body(result, call.integer(index)).partialValue }
        return .integer(result)
    }

    private static func real(_ call: Call, _ body: (Double, Double) -> Double) -> TemplateValue {
        var result = call.float(0)
        for index in 1..<max(1, call.values.count) { result = body(result, call.float(index)) }
        return .float(result)
    }

    private static func divided(_ call: Call, _ isModulo: Bool) throws(QueryError) -> TemplateValue {
        guard call.integer(1) != 0 else { throw call.fault("runtime error: integer divide by zero") }
        return whole(call) { left, right in
            isModulo ? left.remainderReportingOverflow(dividingBy: right) : left.dividedReportingOverflow(by: right)
        }
    }

    static let numbers: [String: (count: ClosedRange<Int>, function: Function)] = [
        "int": (1...1, { .integer($0.integer(0)) }),
        "float64": (1...1, { .float($0.float(0)) }),
        "add": (1...64, { whole($0) { $0.addingReportingOverflow($1) } }),
        "sub": (2...2, { whole($0) { $0.subtractingReportingOverflow($1) } }),
        "mul": (1...64, { whole($0) { $0.multipliedReportingOverflow(by: $1) } }),
        "div": (2...2, { call in try divided(call, false) }),
        "mod": (2...2, { call in try divided(call, true) }),
        "max": (1...64, { whole($0) { (Swift.max($0, $1), false) } }),
        "min": (1...64, { whole($0) { (Swift.min($0, $1), false) } }),
        "addf": (1...64, { real($0, +) }),
        "subf": (1...64, { real($0, -) }),
        "mulf": (1...64, { real($0, *) }),
        "divf": (1...64, { real($0, /) }),
        "maxf": (1...64, { real($0) { Swift.max($0, $1) } }),
        "minf": (1...64, { real($0) { Swift.min($0, $1) } }),
        "ceil": (1...1, { .float($0.float(0).rounded(.up)) }),
        "floor": (1...1, { .float($0.float(0).rounded(.down)) }),
        "round": (2...3, { .float(rounded($0.float(0), places: $0.integer(1))) }),
        "bytes": (
            1...1,
            { call in
                guard let bytes = ByteSize.parse(call.text(0)) else { throw call.fault("unhandled size name") }
                return .float(Double(bytes))
            }
        ),
        "duration": (1...1, { call in try seconds(call) }),
        "duration_seconds": (1...1, { call in try seconds(call) }),
    ]

    private static func rounded(_ value: Double, places: Int64) -> Double {
        var scale = 1.0
        for _ in 0..<Swift.min(max(places, 0), 15) { scale *= 10 }
        return (value * scale).rounded() / scale
    }

    private static func seconds(_ call: Call) throws(QueryError) -> TemplateValue {
        guard let nanoseconds = GoDuration.parseGo(call.text(0)) else {
            throw call.fault("time: invalid duration \(goQuoted(call.text(0)))")
        }
        return .float(Double(nanoseconds) / 1e9)
    }

    static let comparisons: [String: (count: ClosedRange<Int>, function: Function)] = [
        "not": (1...1, { .boolean(!$0.values[0].isTrue) }),
        "len": (1...1, { .integer(Int64($0.text(0).utf8.count)) }),
        "eq": (
            2...64,
            { call in
                for other in call.values.dropFirst() {
                    if try order(call, call.values[0], other) == 0 { return .boolean(true) }
                }
                return .boolean(false)
            }
        ),
        "ne": (2...2, { call in .boolean(try order(call, call.values[0], call.values[1]) != 0) }),
        "lt": (2...2, { call in .boolean(try order(call, call.values[0], call.values[1]) < 0) }),
        "le": (2...2, { call in .boolean(try order(call, call.values[0], call.values[1]) <= 0) }),
        "gt": (2...2, { call in .boolean(try order(call, call.values[0], call.values[1]) > 0) }),
        "ge": (2...2, { call in .boolean(try order(call, call.values[0], call.values[1]) >= 0) }),
    ]

    /// How two values of one kind stand to each other.
    private static func order(_ call: Call, _ left: TemplateValue, _ right: TemplateValue) throws(QueryError) -> Int {
        func sign<Value: Comparable>(_ left: Value, _ right: Value) -> Int { left < right ? -1 : left == right ? 0 : 1 }
        switch (left, right) {
        case (.text(let left), .text(let right)):
            return left == right ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
        case (.integer(let left), .integer(let right)): return sign(left, right)
        case (.float(let left), .float(let right)): return sign(left, right)
        case (.boolean(let left), .boolean(let right)): return left == right ? 0 : left ? 1 : -1
        case (.time(let left, _), .time(let right, _)): return sign(left, right)
        default: throw call.fault("incompatible types for comparison")
        }
    }

    static let times: [String: (count: ClosedRange<Int>, function: Function)] = [
        "date": (2...2, { .text(GoTime.text(time($0, 1), zone: 0, layout: $0.text(0))) }),
        "toDate": (2...2, { parsed($0.text(1), $0.text(0)) }),
        // Without a list of zones each is UTC, as an unknown one is for Loki.
        "toDateInZone": (3...3, { parsed($0.text(2), $0.text(0)) }),
        "unixEpoch": (1...1, { .text(String(floored(time($0, 0), 1_000_000_000))) }),
        "unixEpochMillis": (1...1, { .text(String(floored(time($0, 0), 1_000_000))) }),
        "unixEpochNanos": (1...1, { .text(String(time($0, 0))) }),
        "unixToTime": (1...1, { call in try fromUnix(call) }),
    ]

    private static func floored(_ value: Int64, _ by: Int64) -> Int64 { (value - ((value % by) + by) % by) / by }

    private static func time(_ call: Call, _ index: Int) -> Int64 {
        if index < call.values.count, case .time(let nanoseconds, _) = call.values[index] { return nanoseconds }
        return call.integer(index).multipliedReportingOverflow(by: 1_000_000_000).partialValue
    }

    /// A time; what is none is the first moment of the year 1 for Go, here that of 1970.
    private static func parsed(_ text: String, _ layout: String) -> TemplateValue {
        let time = GoTime.parse(text, layout: layout)
        return .time(time?.nanoseconds ?? 0, zone: time?.zone ?? 0)
    }

    /// The number of digits tells the unit: days, seconds, milliseconds, microseconds, nanoseconds.
    private static func fromUnix(_ call: Call) throws(QueryError) -> TemplateValue {
        let text = call.text(0)
        let units: [Int: Int64] = [5: 86_400_000_000_000, 10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1]
        guard let number = Int64(text), let unit = units[text.utf8.count] else {
            throw call.fault("unable to parse time '\(text)'")
        }
        return .time(number.multipliedReportingOverflow(by: unit).partialValue, zone: 0)
    }
}
