/// The functions of templates that are served; docs/logql.md lists them.
enum TemplateFunctions {
    /// What a function is given, and the patterns it may use.
    struct Call {
        var name: String
        var values: [TemplateValue]
        var patterns: TemplatePatterns

        /// The text of an argument.
        func text(_ index: Int) -> String { index < values.count ? values[index].text : "" }

        /// An argument as a whole number: 0 for what is none.
        func integer(_ index: Int) -> Int64 {
            guard index < values.count else { return 0 }
            switch values[index] {
            case .integer(let number): return number
            case .float(let number): return number.magnitude < 9e18 ? Int64(number) : 0
            case .boolean(let flag): return flag ? 1 : 0
            case .text(let text): return Int64(text) ?? 0
            case .nothing, .time: return 0
            }
        }

        /// An argument as a number: 0 for what is none.
        func float(_ index: Int) -> Double {
            guard index < values.count else { return 0 }
            switch values[index] {
            case .integer(let number): return Double(number)
            case .float(let number): return number
            case .boolean(let flag): return flag ? 1 : 0
            case .text(let text): return GoNumber.parse(text) ?? 0
            case .nothing, .time: return 0
            }
        }

        /// That a function does not like what it is given.
        func fault(_ message: String) -> QueryError {
            QueryError(.execution, "template: line:1: executing \"line\": error calling \(name): \(message)")
        }
    }

    typealias Function = @Sendable (Call) throws -> TemplateValue

    private static let table: [String: (count: ClosedRange<Int>, function: Function)] = {
        var table: [String: (count: ClosedRange<Int>, function: Function)] = [:]
        for (name, entry) in texts { table[name] = entry }
        for (name, entry) in moreTexts { table[name] = entry }
        for (name, entry) in numbers { table[name] = entry }
        for (name, entry) in comparisons { table[name] = entry }
        for (name, entry) in times { table[name] = entry }
        return table
    }()

    /// The names of all.
    static let names: Set<String> = Set(table.keys).union(["__line__", "__timestamp__", "and", "or"])

    static func call(
        _ name: String, _ values: [TemplateValue], _ patterns: TemplatePatterns
    ) throws(QueryError) -> TemplateValue {
        let call = Call(name: name, values: values, patterns: patterns)
        guard let entry = table[name] else { throw call.fault("no such function") }
        guard entry.count.contains(values.count) else {
            let wanted = entry.count.lowerBound
            throw QueryError(
                .execution,
                "template: line:1: wrong number of args for \(name): want \(values.count < wanted ? "at least " : "")"
                    + "\(values.count < wanted ? wanted : entry.count.upperBound) got \(values.count)")
        }
        do {
            return try entry.function(call)
        } catch let error as QueryError {
            throw error
        } catch {
            throw call.fault("\(error)")
        }
    }

    /// The most bytes that a function makes.
    static let maximumBytes = 1 << 20
}

/// Texts.
extension TemplateFunctions {
    static let texts: [String: (count: ClosedRange<Int>, function: Function)] = [
        "ToLower": (1...1, { .text($0.text(0).lowercased()) }),
        "ToUpper": (1...1, { .text($0.text(0).uppercased()) }),
        "lower": (1...1, { .text($0.text(0).lowercased()) }),
        "upper": (1...1, { .text($0.text(0).uppercased()) }),
        "title": (1...1, { .text(GoText.title($0.text(0))) }),
        "Replace": (
            4...4, { .text(GoText.replace($0.text(0), $0.text(1), by: $0.text(2), most: Int(clamping: $0.integer(3)))) }
        ),
        "replace": (3...3, { .text(GoText.replace($0.text(2), $0.text(0), by: $0.text(1), most: -1)) }),
        "Trim": (2...2, { .text(GoText.trim($0.text(0), $0.text(1), start: true, end: true)) }),
        "TrimLeft": (2...2, { .text(GoText.trim($0.text(0), $0.text(1), start: true, end: false)) }),
        "TrimRight": (2...2, { .text(GoText.trim($0.text(0), $0.text(1), start: false, end: true)) }),
        "trimAll": (2...2, { .text(GoText.trim($0.text(1), $0.text(0), start: true, end: true)) }),
        "TrimPrefix": (2...2, { .text(GoText.without(prefix: $0.text(1), $0.text(0))) }),
        "trimPrefix": (2...2, { .text(GoText.without(prefix: $0.text(0), $0.text(1))) }),
        "TrimSuffix": (2...2, { .text(GoText.without(suffix: $0.text(1), $0.text(0))) }),
        "trimSuffix": (2...2, { .text(GoText.without(suffix: $0.text(0), $0.text(1))) }),
        "TrimSpace": (1...1, { .text(GoText.trimSpace($0.text(0))) }),
        "trim": (1...1, { .text(GoText.trimSpace($0.text(0))) }),
        "contains": (2...2, { .boolean(GoText.contains($0.text(1), $0.text(0))) }),
        "hasPrefix": (2...2, { .boolean($0.text(1).utf8.starts(with: $0.text(0).utf8)) }),
        "hasSuffix": (2...2, { .boolean($0.text(1).utf8.reversed().starts(with: $0.text(0).utf8.reversed())) }),
        "trunc": (2...2, { .text(GoText.truncate($0.text(1), Int(clamping: $0.integer(0)))) }),
        "substr": (
            3...3, { .text(GoText.part($0.text(2), Int(clamping: $0.integer(0)), Int(clamping: $0.integer(1)))) }
        ),
        "alignLeft": (2...2, { .text(GoText.align($0.text(1), try width($0, 0), left: true)) }),
        "alignRight": (2...2, { .text(GoText.align($0.text(1), try width($0, 0), left: false)) }),
        "indent": (2...2, { .text(GoText.indent($0.text(1), try width($0, 0))) }),
        "nindent": (2...2, { .text("\n" + GoText.indent($0.text(1), try width($0, 0))) }),
        "repeat": (
            2...2,
            { call in
                let count = call.integer(0)
                guard count >= 0, count <= Int64(maximumBytes / max(1, call.text(1).utf8.count)) else {
                    throw call.fault("count out of range")
                }
                return .text(String(repeating: call.text(1), count: Int(count)))
            }
        ),
    ]

    /// A width, which has a bound.
    private static func width(_ call: Call, _ index: Int) throws(QueryError) -> Int {
        let width = call.integer(index)
        guard width <= 10_000 else { throw call.fault("width out of range") }
        return Int(clamping: width)
    }

    static let moreTexts: [String: (count: ClosedRange<Int>, function: Function)] = [
        "regexReplaceAll": (
            3...3,
            { call in
                .text(try call.patterns.replaceAll(call.text(0), in: call.text(1), by: call.text(2), isLiteral: false))
            }
        ),
        "regexReplaceAllLiteral": (
            3...3,
            { call in
                .text(try call.patterns.replaceAll(call.text(0), in: call.text(1), by: call.text(2), isLiteral: true))
            }
        ),
        "count": (
            2...2,
            { call in .integer(Int64(try call.patterns.count(call.text(0), in: call.text(1)))) }
        ),
        "urlencode": (1...1, { .text(GoText.urlEncoded($0.text(0))) }),
        "urldecode": (
            1...1,
            { call in
                guard let text = GoText.urlDecoded(call.text(0)) else { throw call.fault("invalid URL escape") }
                return .text(text)
            }
        ),
        "b64enc": (1...1, { .text(GoText.base64($0.text(0))) }),
        "b64dec": (1...1, { .text(GoText.fromBase64($0.text(0)) ?? "illegal base64 data at input byte 0") }),
        "default": (2...2, { $0.values[1].isTrue ? $0.values[1] : $0.values[0] }),
        "print": (0...64, { .text(GoText.joined($0.values)) }),
        "println": (0...64, { .text($0.values.map(\.text).joined(separator: " ") + "\n") }),
        "printf": (1...64, { .text(GoText.formatted($0.text(0), Array($0.values.dropFirst()))) }),
    ]
}
