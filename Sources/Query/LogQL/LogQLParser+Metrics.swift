/// Expressions of numbers.
extension LogQLParser {
    /// An expression whose operators all bind more strongly than `bound`.
    mutating func expression(above bound: Int) throws(QueryError) -> LogQLQuery {
        try enter()
        defer { leave() }
        let start = place
        var left = try operand()
        while let sign = BinaryOperation.Operator(rawValue: token.kind.rawValue), sign.precedence > bound {
            try advance()
            var shape = BinaryOperation(sign, .literal(0), .literal(0))
            try modifiers(&shape)
            // `^` groups from the right, all others from the left.
            let right = try expression(above: sign == .power ? sign.precedence - 1 : sign.precedence)
            left = .metric(combine(shape, left, right, from: start))
        }
        return left
    }

    /// `bool`, `on (a)`, `ignoring (a)`, `group_left (b)`.
    private mutating func modifiers(_ shape: inout BinaryOperation) throws(QueryError) {
        shape.returnsBool = try takes(.bool)
        guard token.kind == .on || token.kind == .ignoring else { return }
        shape.isOn = try advance().kind == .on
        let labels = try names()
        shape.labels = labels.isEmpty ? nil : labels
        guard token.kind == .groupLeft || token.kind == .groupRight else { return }
        shape.cardinality = try advance().kind == .groupLeft ? .manyToOne : .oneToMany
        // A parenthesis belongs to the labels, as it does for Loki.
        guard token.kind == .openParenthesis else { return }
        let included = try names()
        shape.included = included.isEmpty ? nil : included
    }

    private mutating func combine(
        _ shape: BinaryOperation, _ left: LogQLQuery, _ right: LogQLQuery, from start: Int
    ) -> MetricExpression {
        let sign = shape.operator
        func typeName(_ selector: LogSelector) -> String {
            selector.stages.isEmpty ? "*syntax.MatchersExpr" : "*syntax.PipelineExpr"
        }
        func refuse(_ leg: String, _ selector: LogSelector) -> String {
            "unexpected type for \(leg) leg of binary operation (\(sign.rawValue)): \(typeName(selector))"
        }
        var result = shape
        switch (left, right) {
        case (.lines(let selector), _): postpone(refuse("left", selector), from: start)
        case (_, .lines(let selector)): postpone(refuse("right", selector), from: start)
        case (.metric(let left), .metric(let right)):
            if sign.isLogical {
                for (leg, side) in [("left", left), ("right", right)] {
                    guard case .literal(let value) = side else { continue }
                    postpone(
                        "unexpected literal for \(leg) leg of logical/set binary operation (\(sign.rawValue)): "
                            + GoNumber.fixed(value), from: start)
                    return left
                }
            }
            if case .literal(let first) = left, case .literal(let second) = right {
                return .literal(GoNumber.compute(sign, first, second))
            }
            (result.left, result.right) = (left, right)
        }
        return .binary(result)
    }

    private mutating func operand() throws(QueryError) -> LogQLQuery {
        switch token.kind {
        case .openParenthesis: return try parenthesis()
        case .openBrace:
            var unwrap: Unwrap?
            let matchers = try matchers()
            return .lines(LogSelector(matchers: matchers, stages: try stages(unwrap: &unwrap, mayUnwrap: false)))
        case .number, .add, .subtract: return .metric(.literal(try literal()))
        case .vector: return .metric(try vector())
        case .labelReplace: return .metric(try labelReplace())
        case .variants: throw .logQL("variants are not served", token.line, token.column)
        default:
            if let operation = Self.rangeOperations[token.kind] { return .metric(try rangeAggregation(operation)) }
            if let operation = Self.vectorOperations[token.kind] { return .metric(try vectorAggregation(operation)) }
            throw unexpected()
        }
    }

    private mutating func parenthesis() throws(QueryError) -> LogQLQuery {
        try advance()
        let inside = try expression(above: 0)
        guard try takes(.closeParenthesis) else { throw unexpected() }
        return inside
    }

    /// An operand that must be of numbers.
    private mutating func metric() throws(QueryError) -> MetricExpression {
        // A selector's function is missing: the text stops being right where the selector ends.
        guard case .metric(let expression) = try expression(above: 0) else { throw unexpected() }
        return expression
    }

    private mutating func vector() throws(QueryError) -> MetricExpression {
        let start = place
        try advance()
        try take(.openParenthesis)
        let text = try take(.number).text
        try take(.closeParenthesis)
        guard let value = GoNumber.parse(text) else {
            postpone("unable to parse vectorExpr as a float: \(text)", from: start)
            return .vector(0)
        }
        return .vector(value)
    }

    private mutating func labelReplace() throws(QueryError) -> MetricExpression {
        let start = place
        try advance()
        try take(.openParenthesis)
        let operand = try metric()
        var texts: [String] = []
        for _ in 0..<4 {
            guard try takes(.comma) else { throw unexpected(texts.isEmpty ? [] : [.comma]) }
            texts.append(try take(.string).text)
        }
        try take(.closeParenthesis)
        do throws(QueryError) {
            _ = try LogQLPattern.whole(texts[3])
        } catch {
            postpone("invalid regex in label_replace: \(error.message)", from: start)
        }
        return .labelReplace(
            LabelReplacement(
                operand, target: texts[0], replacement: texts[1], source: texts[2], pattern: texts[3]))
    }

    private mutating func vectorAggregation(
        _ operation: VectorAggregation.Operation
    ) throws(QueryError) -> MetricExpression {
        let start = place
        try advance()
        var grouping = try grouping()
        guard try takes(.openParenthesis) else {
            throw unexpected(grouping == nil ? [.openParenthesis, .by, .without] : [.openParenthesis])
        }
        var parameter: String?
        if token.kind == .number {
            var ahead = self
            let number = try ahead.advance().text
            if ahead.token.kind == .comma {
                try ahead.advance()
                self = ahead
                parameter = number
            }
        }
        let operand = try metric()
        guard try takes(.closeParenthesis) else { throw unexpected() }
        if grouping == nil { grouping = try self.grouping() }
        var count = 0
        if let fault = Self.parameterFault(operation, parameter, grouping, &count) { postpone(fault, from: start) }
        return .aggregation(VectorAggregation(operation, operand, count: count, grouping: grouping ?? Grouping()))
    }

    private static func parameterFault(
        _ operation: VectorAggregation.Operation, _ parameter: String?, _ grouping: Grouping?, _ count: inout Int
    ) -> String? {
        let name = operation.rawValue
        switch operation {
        case .topk, .bottomk, .approximateTopk:
            guard let parameter else { return "parameter required for operation \(name)" }
            guard let number = Int(parameter) else { return "invalid parameter \(name)(\(parameter)," }
            guard number > 0 else { return "invalid parameter (must be greater than 0) \(name)(\(parameter)" }
            count = number
            if operation == .approximateTopk, grouping != nil { return "grouping not allowed for \(name) aggregation" }
        case .sort, .sortDescending:
            if let parameter { return "unsupported parameter for operation \(name)(\(parameter)," }
            if let grouping, !grouping.labels.isEmpty { return "sort and sort_desc doesn't allow grouping by " }
        default:
            if let parameter { return "unsupported parameter for operation \(name)(\(parameter)," }
        }
        return nil
    }

    private static let rangeOperations: [LogQLToken.Kind: RangeAggregation.Operation] = {
        let pairs = RangeAggregation.Operation.allCases.compactMap { operation in
            LogQLToken.functions[operation.rawValue].map { ($0, operation) }
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }()

    private static let vectorOperations: [LogQLToken.Kind: VectorAggregation.Operation] = {
        let pairs = VectorAggregation.Operation.allCases.compactMap { operation in
            LogQLToken.functions[operation.rawValue].map { ($0, operation) }
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }()
}

/// Functions of windows.
extension LogQLParser {
    private mutating func rangeAggregation(
        _ operation: RangeAggregation.Operation
    ) throws(QueryError) -> MetricExpression {
        let start = place
        try advance()
        try take(.openParenthesis)
        var parameter: String?
        if token.kind == .number {
            parameter = try advance().text
            try take(.comma)
            guard token.kind == .openBrace || token.kind == .openParenthesis else {
                throw unexpected([.openBrace, .openParenthesis])
            }
        }
        guard token.kind == .openBrace || token.kind == .openParenthesis else {
            throw unexpected([.number, .openBrace, .openParenthesis])
        }
        let range = try logRange()
        try take(.closeParenthesis)
        let grouping = try grouping()
        let result = RangeAggregation(
            operation, range, parameter: parameter.flatMap(GoNumber.parse), grouping: grouping)
        if let fault = Self.rangeFault(result, parameter) { postpone(fault, from: start) }
        return .range(result)
    }

    /// `{…} | … [5m] offset 1m`, the window in front of the pipeline or behind it, in parentheses or not.
    private mutating func logRange() throws(QueryError) -> LogRange {
        try enter()
        defer { leave() }
        guard try takes(.openParenthesis) else { return try plainRange() }
        if token.kind == .openParenthesis {
            let inside = try logRange()
            try take(.closeParenthesis)
            return inside
        }
        var range = LogRange(LogSelector(matchers: []), interval: 0)
        range.selector.matchers = try matchers()
        if token.kind == .range {
            try window(&range)
            try pipeline(&range)
            try take(.closeParenthesis)
            return range
        }
        try pipeline(&range)
        if token.kind == .range {
            try window(&range)
            try take(.closeParenthesis)
            return range
        }
        guard try takes(.closeParenthesis) else { throw unexpected() }
        guard token.kind == .range else { throw unexpected([.range]) }
        try window(&range)
        // Behind `({…}) [5m]` an `unwrap` may stand, if there was no pipeline.
        if range.selector.stages.isEmpty, range.unwrap == nil, token.kind == .pipe { try pipeline(&range) }
        return range
    }

    private mutating func plainRange() throws(QueryError) -> LogRange {
        var range = LogRange(LogSelector(matchers: try matchers()), interval: 0)
        if token.kind == .range {
            try window(&range)
            try pipeline(&range)
        } else {
            try pipeline(&range)
            guard token.kind == .range else { throw unexpected() }
            try window(&range)
        }
        return range
    }

    private mutating func pipeline(_ range: inout LogRange) throws(QueryError) {
        range.selector.stages += try stages(unwrap: &range.unwrap, mayUnwrap: true)
    }

    /// `[5m] offset 1m`.
    private mutating func window(_ range: inout LogRange) throws(QueryError) {
        range.interval = try take(.range).nanoseconds
        guard try takes(.offset) else { return }
        range.offset = try take(.duration).nanoseconds
    }

    private static func rangeFault(_ range: RangeAggregation, _ parameter: String?) -> String? {
        let operation = range.operation
        if let parameter {
            guard operation == .quantileOverTime else {
                return "parameter \(parameter) not supported for operation \(operation.rawValue)"
            }
            guard range.parameter != nil else { return "invalid parameter for operation \(operation.rawValue)" }
        } else if operation == .quantileOverTime {
            return "parameter required for operation \(operation.rawValue)"
        }
        if range.grouping != nil {
            switch operation {
            case .avgOverTime, .stddevOverTime, .stdvarOverTime, .quantileOverTime, .maxOverTime, .minOverTime,
                .firstOverTime, .lastOverTime:
                break
            default: return "grouping not allowed for \(operation.rawValue) aggregation"
            }
        }
        let countsLines: Bool
        switch operation {
        case .bytesOverTime, .bytesRate, .countOverTime: countsLines = true
        case .rate, .absentOverTime: return nil
        default: countsLines = false
        }
        if range.range.unwrap != nil {
            return countsLines ? "invalid aggregation \(operation.rawValue) with unwrap" : nil
        }
        return countsLines ? nil : "invalid aggregation \(operation.rawValue) without unwrap"
    }
}
