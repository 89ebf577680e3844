/// Pipelines.
extension LogQLParser {
    /// Whether a stage comes next.
    var isAtStage: Bool { token.kind == .pipe || lineFilterOperation != nil }

    private var lineFilterOperation: LineFilter.Operation? { LineFilter.Operation(rawValue: token.kind.rawValue) }

    /// The stages up to what is none. `| unwrap` ends them where it may stand.
    mutating func stages(unwrap: inout Unwrap?, mayUnwrap: Bool) throws(QueryError) -> [LogStage] {
        var result: [LogStage] = []
        while isAtStage {
            if let operation = lineFilterOperation {
                // Behind `unwrap` only conditions on labels may stand.
                guard unwrap == nil else { throw unexpected() }
                result += try lineFilters(operation)
            } else {
                try advance()
                if unwrap != nil {
                    unwrap?.filters.append(try labelFilter())
                } else if token.kind == .unwrap, mayUnwrap {
                    unwrap = try unwrapStage()
                } else {
                    result.append(try stage())
                }
            }
        }
        return result
    }

    /// `|= "a" or "b"`; the negative ones become a filter each.
    private mutating func lineFilters(_ operation: LineFilter.Operation) throws(QueryError) -> [LogStage] {
        try advance()
        var texts = [try lineFilterText()]
        while try takes(.or) { texts.append(try lineFilterText()) }
        if operation.isNegative { return texts.map { .lineFilter(LineFilter(operation, [$0])) } }
        return [.lineFilter(LineFilter(operation, texts))]
    }

    private mutating func lineFilterText() throws(QueryError) -> LineFilter.Text {
        if token.kind == .string { return LineFilter.Text(try advance().text) }
        guard try takes(.ip) else { throw unexpected([.string, .ip]) }
        return LineFilter.Text(try inParentheses(), isAddress: true)
    }

    private mutating func inParentheses() throws(QueryError) -> String {
        try take(.openParenthesis)
        let text = try take(.string).text
        try take(.closeParenthesis)
        return text
    }

    private mutating func stage() throws(QueryError) -> LogStage {
        switch token.kind {
        case .json:
            try advance()
            return .json(token.kind == .identifier ? try fieldExpressions() : [])
        case .logfmt: return try logfmtStage()
        case .regexp:
            try advance()
            return .regexp(try checkedRegexp(try take(.string).text))
        case .pattern:
            try advance()
            return .pattern(try checkedPattern(try take(.string).text))
        case .unpack:
            try advance()
            return .unpack
        case .lineFormat:
            try advance()
            return .lineFormat(try take(.string).text)
        case .decolorize:
            try advance()
            return .decolorize
        case .labelFormat:
            try advance()
            return .labelFormat(try labelFormats())
        case .drop:
            try advance()
            return .drop(try labelSelections())
        case .keep:
            try advance()
            return .keep(try labelSelections())
        case .identifier, .openParenthesis: return .labelFilter(try labelFilter())
        default: throw unexpected()
        }
    }

    private mutating func logfmtStage() throws(QueryError) -> LogStage {
        try advance()
        var isStrict = false
        var keepsEmpty = false
        while token.kind == .functionFlag {
            if try advance().text == "--strict" { isStrict = true } else { keepsEmpty = true }
        }
        let expressions = token.kind == .identifier ? try fieldExpressions() : []
        return .logfmt(expressions, isStrict: isStrict, keepsEmpty: keepsEmpty)
    }

    private mutating func fieldExpressions() throws(QueryError) -> [FieldExpression] {
        var result: [FieldExpression] = []
        repeat {
            let label = try take(.identifier).text
            let expression = try takes(.equal) ? try take(.string).text : label
            result.append(FieldExpression(label, expression))
        } while try takes(.comma)
        return result
    }

    private mutating func labelFormats() throws(QueryError) -> [LabelFormat] {
        var result: [LabelFormat] = []
        repeat {
            let label = try take(.identifier).text
            try take(.equal)
            guard token.kind == .identifier || token.kind == .string else { throw unexpected([.identifier, .string]) }
            let isRename = token.kind == .identifier
            result.append(LabelFormat(label, try advance().text, isRename: isRename))
        } while try takes(.comma)
        return result
    }

    private mutating func labelSelections() throws(QueryError) -> [LabelSelection] {
        var result: [LabelSelection] = []
        repeat {
            let name = try take(.identifier).text
            if let operation = LogMatcher.Operation(rawValue: token.kind.rawValue) {
                try advance()
                result.append(.matcher(try checked(LogMatcher(name, operation, try take(.string).text))))
            } else {
                result.append(.name(name))
            }
        } while try takes(.comma)
        return result
    }

    private mutating func unwrapStage() throws(QueryError) -> Unwrap {
        try advance()
        let conversion: Unwrap.Conversion
        switch token.kind {
        case .identifier: return Unwrap(try advance().text)
        case .bytesConversion: conversion = .bytes
        case .durationConversion: conversion = .duration
        case .durationSecondsConversion: conversion = .durationSeconds
        default:
            throw unexpected([.identifier, .bytesConversion, .durationConversion, .durationSecondsConversion])
        }
        try advance()
        try take(.openParenthesis)
        let label = try take(.identifier).text
        try take(.closeParenthesis)
        return Unwrap(label, conversion: conversion)
    }
}

/// Conditions on labels.
extension LogQLParser {
    /// A condition with `and`, `or`, a comma or nothing between its parts.
    ///
    /// `and` binds more strongly than `or`; a comma, or nothing, means `and` and reaches to the end.
    ///
    /// - Parameter bound: how strongly what stands in front binds: 0 nothing, 1 `or`, 2 `and`.
    mutating func labelFilter(behind bound: Int = 0) throws(QueryError) -> LabelFilter {
        try enter()
        defer { leave() }
        var left = try labelFilterPart()
        while true {
            switch token.kind {
            case .or where bound < 1:
                try advance()
                left = .or(left, try labelFilter(behind: 1))
            case .and where bound < 2:
                try advance()
                left = .and(left, try labelFilter(behind: 2))
            case .comma:
                try advance()
                left = .and(left, try labelFilter())
            case .identifier, .openParenthesis: left = .and(left, try labelFilter())
            default: return left
            }
        }
    }

    private mutating func labelFilterPart() throws(QueryError) -> LabelFilter {
        if try takes(.openParenthesis) {
            let inside = try labelFilter()
            guard try takes(.closeParenthesis) else { throw unexpected() }
            return inside
        }
        guard token.kind == .identifier else { throw unexpected([.identifier, .openParenthesis]) }
        let name = try advance().text
        let sign = token.kind
        switch sign {
        case .matches, .matchesNot:
            try advance()
            let operation: LogMatcher.Operation = sign == .matches ? .matches : .matchesNot
            return .text(try checked(LogMatcher(name, operation, try take(.string).text)))
        case .equal, .notEqual:
            try advance()
            let isEqual = sign == .equal
            if token.kind == .string {
                return .text(LogMatcher(name, isEqual ? .equal : .notEqual, try advance().text))
            }
            if try takes(.ip) { return .address(name, isEqual ? .equal : .notEqual, try inParentheses()) }
            return try measureFilter(name, isEqual ? .equal : .notEqual)
        case .equalEqual, .greater, .greaterOrEqual, .less, .lessOrEqual:
            try advance()
            guard let comparison = LabelFilter.Comparison(rawValue: sign.rawValue) else { throw unexpected() }
            return try measureFilter(name, comparison)
        default: throw unexpected()
        }
    }

    private mutating func measureFilter(
        _ name: String, _ comparison: LabelFilter.Comparison
    ) throws(QueryError) -> LabelFilter {
        switch token.kind {
        case .duration: return .duration(name, comparison, try advance().nanoseconds)
        case .bytes: return .bytes(name, comparison, try advance().byteCount)
        case .number, .add, .subtract: return .number(name, comparison, try literal())
        default: throw unexpected()
        }
    }

    /// A number with its sign.
    mutating func literal() throws(QueryError) -> Double {
        let start = place
        let isNegative = token.kind == .subtract
        if token.kind != .number { try advance() }
        let text = try take(.number).text
        guard let value = GoNumber.parse(text) else {
            postpone(
                "unable to parse literal as a float: strconv.ParseFloat: parsing \(goQuoted(text)): invalid syntax",
                from: start)
            return 0
        }
        return isNegative ? -value : value
    }
}
