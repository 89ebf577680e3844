extension LogQLQuery {
    /// What `format_query` answers: what fits into 100 characters stays on a line, all else gets a line of its own.
    public func formatted(width: Int = 100) -> String {
        let formatter = LogQLFormatter(width: width)
        switch self {
        case .lines(let selector): return formatter.text(selector, 0)
        case .metric(let expression): return formatter.text(expression, 0)
        }
    }
}

/// Lays a query out over lines.
struct LogQLFormatter {
    let width: Int

    private func indent(_ level: Int) -> String { String(repeating: "  ", count: level) }

    private func fits(_ text: String) -> Bool { text.utf8.count <= width }

    func text(_ selector: LogSelector, _ level: Int) -> String {
        let whole = "\(selector)"
        if fits(whole) || selector.stages.isEmpty { return indent(level) + whole }
        var result = indent(level) + selector.matchersText
        for stage in selector.stages { result += "\n" + indent(level + 1) + "\(stage)" }
        return result
    }

    func text(_ expression: MetricExpression, _ level: Int) -> String {
        let whole = "\(expression)"
        if fits(whole) { return indent(level) + whole }
        switch expression {
        case .literal, .vector: return indent(level) + whole
        case .range(let range): return text(range, level)
        case .aggregation(let aggregation): return text(aggregation, level)
        case .binary(let operation): return text(operation, level)
        case .labelReplace(let replacement):
            let arguments =
                [text(replacement.operand, level + 1)] + replacement.texts.map { indent(level + 1) + $0 }
            return indent(level) + "label_replace(\n" + arguments.joined(separator: ",\n") + "\n" + indent(level) + ")"
        }
    }

    private func text(_ range: RangeAggregation, _ level: Int) -> String {
        var result = indent(level) + range.operation.rawValue + "(\n"
        if let parameter = range.parameter { result += indent(level + 1) + GoNumber.text(parameter) + ",\n" }
        result += text(range.range.selector, level + 1)
        if let unwrap = range.range.unwrap {
            result += "\n" + indent(level + 2) + unwrap.ownText
            for filter in unwrap.filters { result += "\n" + indent(level + 2) + "| \(filter)" }
        }
        result += " [" + GoDuration.prometheusText(range.range.interval) + "]"
        if range.range.offset != 0 { result += " offset " + GoDuration.offsetText(range.range.offset) }
        return result + "\n" + indent(level) + ")" + (range.grouping.map { " " + text($0) } ?? "")
    }

    private func text(_ aggregation: VectorAggregation, _ level: Int) -> String {
        var result = indent(level) + aggregation.operation.rawValue
        if !aggregation.grouping.isSingle { result += " " + text(aggregation.grouping) }
        result += "(\n"
        if aggregation.count != 0 { result += indent(level + 1) + "\(aggregation.count),\n" }
        return result + text(aggregation.operand, level + 1) + "\n" + indent(level) + ")"
    }

    private func text(_ grouping: Grouping) -> String {
        (grouping.isWithout ? "without" : "by") + " (" + grouping.labels.joined(separator: ", ") + ")"
    }

    private func text(_ operation: BinaryOperation, _ level: Int) -> String {
        let precedence = operation.operator.precedence
        let left = side(operation.left, level + 1) { $0 < precedence || ($0 == precedence && precedence == 6) }
        let right = side(operation.right, level + 1) { $0 < precedence || ($0 == precedence && precedence != 6) }
        return left + "\n" + indent(level) + operation.signText(separator: ", ") + "\n" + right
    }

    /// A side of an operation, in parentheses if it would be read otherwise.
    private func side(_ expression: MetricExpression, _ level: Int, binds: (Int) -> Bool) -> String {
        guard case .binary(let operation) = expression, binds(operation.operator.precedence), !fits("\(expression)")
        else { return text(expression, level) }
        return indent(level) + "(\n" + text(expression, level + 1) + "\n" + indent(level) + ")"
    }
}
