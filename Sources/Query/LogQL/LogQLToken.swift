/// A piece of a query's text.
struct LogQLToken: Equatable {
    /// What it is. The raw value is its name in errors: clients show these.
    enum Kind: String, CaseIterable {
        case end = "$end"
        // In the order in which errors name what they expected.
        case bytes = "BYTES"
        case identifier = "IDENTIFIER"
        case string = "STRING"
        case number = "NUMBER"
        case functionFlag = "FUNCTION_FLAG"
        case duration = "DURATION"
        case range = "RANGE"
        case equal = "="
        case matches = "=~"
        case matchesNot = "!~"
        case hasNotPattern = "!>"
        case openBrace = "{"
        case closeBrace = "}"
        case closeBracket = "]"
        case comma = ","
        case dot = "."
        case pipeMatch = "|~"
        case pipeExact = "|="
        case pipePattern = "|>"
        case openParenthesis = "("
        case closeParenthesis = ")"
        case by
        case without
        case countOverTime = "COUNT_OVER_TIME"
        case rate = "RATE"
        case rateCounter = "RATE_COUNTER"
        case sum = "SUM"
        case sort = "SORT"
        case sortDescending = "SORT_DESC"
        case avg = "AVG"
        case max = "MAX"
        case min = "MIN"
        case count = "COUNT"
        case stddev = "STDDEV"
        case stdvar = "STDVAR"
        case bottomk = "BOTTOMK"
        case topk = "TOPK"
        case approximateTopk = "APPROX_TOPK"
        case bytesOverTime = "BYTES_OVER_TIME"
        case bytesRate = "BYTES_RATE"
        case bool
        case json
        case regexp
        case logfmt
        case pipe = "|"
        case lineFormat = "line_format"
        case labelFormat = "label_format"
        case unwrap
        case avgOverTime = "AVG_OVER_TIME"
        case sumOverTime = "SUM_OVER_TIME"
        case minOverTime = "MIN_OVER_TIME"
        case maxOverTime = "MAX_OVER_TIME"
        case stdvarOverTime = "STDVAR_OVER_TIME"
        case stddevOverTime = "STDDEV_OVER_TIME"
        case quantileOverTime = "QUANTILE_OVER_TIME"
        case bytesConversion = "BYTES_CONV"
        case durationConversion = "DURATION_CONV"
        case durationSecondsConversion = "DURATION_SECONDS_CONV"
        case firstOverTime = "FIRST_OVER_TIME"
        case lastOverTime = "LAST_OVER_TIME"
        case absentOverTime = "ABSENT_OVER_TIME"
        case vector = "VECTOR"
        case labelReplace = "label_replace"
        case unpack
        case offset
        case pattern
        case ip
        case on
        case ignoring
        case groupLeft = "group_left"
        case groupRight = "group_right"
        case decolorize
        case drop
        case keep
        case variants
        case of
        case or
        case and
        case unless
        case equalEqual = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
    }

    var kind: Kind
    /// An identifier, a string's meaning, a number's text, a flag.
    var text = ""
    /// A duration's or a range's nanoseconds.
    var nanoseconds: Int64 = 0
    /// A size.
    var byteCount: UInt64 = 0
    /// The line in errors; Loki tells 0 for tokens that it reads a character further than its scanner.
    var line = 1
    /// The column of its first character, from 1.
    var column = 1
}

extension LogQLToken {
    /// Words that are what they are wherever they stand.
    static let keywords: [String: Kind] = {
        let kinds: [Kind] = [
            .by, .without, .bool, .json, .regexp, .logfmt, .lineFormat, .labelFormat, .unwrap, .unpack, .offset,
            .pattern, .on, .ignoring, .groupLeft, .groupRight, .decolorize, .drop, .keep, .variants, .of, .or, .and,
            .unless,
        ]
        return Dictionary(uniqueKeysWithValues: kinds.map { ($0.rawValue, $0) })
    }()

    /// Words that are names unless a parenthesis follows, or `by (`, `without (`.
    static let functions: [String: Kind] = [
        "rate": .rate, "rate_counter": .rateCounter, "count_over_time": .countOverTime, "bytes_rate": .bytesRate,
        "bytes_over_time": .bytesOverTime, "avg_over_time": .avgOverTime, "sum_over_time": .sumOverTime,
        "min_over_time": .minOverTime, "max_over_time": .maxOverTime, "stdvar_over_time": .stdvarOverTime,
        "stddev_over_time": .stddevOverTime, "quantile_over_time": .quantileOverTime,
        "first_over_time": .firstOverTime, "last_over_time": .lastOverTime, "absent_over_time": .absentOverTime,
        "vector": .vector, "sum": .sum, "avg": .avg, "max": .max, "min": .min, "count": .count, "stddev": .stddev,
        "stdvar": .stdvar, "bottomk": .bottomk, "topk": .topk, "sort": .sort, "sort_desc": .sortDescending,
        "label_replace": .labelReplace, "approx_topk": .approximateTopk, "bytes": .bytesConversion,
        "duration": .durationConversion, "duration_seconds": .durationSecondsConversion, "ip": .ip,
    ]

    /// Signs of two characters.
    static let pairs: [String: Kind] = {
        let kinds: [Kind] = [
            .matches, .matchesNot, .hasNotPattern, .pipeMatch, .pipeExact, .pipePattern, .equalEqual, .notEqual,
            .lessOrEqual, .greaterOrEqual,
        ]
        return Dictionary(uniqueKeysWithValues: kinds.map { ($0.rawValue, $0) })
    }()

    /// Signs of one character.
    static let signs: [Unicode.Scalar: Kind] = [
        ",": .comma, ".": .dot, "{": .openBrace, "}": .closeBrace, "=": .equal, "|": .pipe, "(": .openParenthesis,
        ")": .closeParenthesis, "]": .closeBracket, "<": .less, ">": .greater, "+": .add, "-": .subtract,
        "*": .multiply, "/": .divide, "%": .modulo, "^": .power,
    ]
}
