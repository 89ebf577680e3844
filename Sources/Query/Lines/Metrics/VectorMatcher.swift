internal import Telemetry

/// Operations on two sides of which each is a matrix, or one is a number.
enum VectorMatcher {
    /// A number against each number of the other side.
    static func apply(
        _ operation: BinaryOperation, number: Double, isLeft: Bool, to matrix: SeriesMatrix
    ) -> SeriesMatrix {
        var result = matrix
        for index in result.series.indices {
            for step in result.series[index].values.indices {
                let value = result.series[index].values[step]
                guard !value.isAbsent else { continue }
                result.series[index].values[step] = BinaryOperator.apply(
                    operation.operator, isLeft ? number : value, isLeft ? value : number,
                    filters: operation.operator.isComparison && !operation.returnsBool, kept: value)
            }
        }
        result.removeEmpty()
        return result
    }

    /// Series that meet.
    static func apply(
        _ operation: BinaryOperation, _ left: SeriesMatrix, _ right: SeriesMatrix, steps: QuerySteps
    ) throws(QueryError) -> SeriesMatrix {
        var result =
            operation.operator.isLogical
            ? sets(operation, left, right, steps) : try pairs(operation, left, right, steps)
        result.removeEmpty()
        return result
    }

    private static func signature(_ labels: StreamLabels, _ operation: BinaryOperation) -> StreamLabels {
        if operation.isOn { return labels.keeping(operation.labels ?? []) }
        guard let ignored = operation.labels, !ignored.isEmpty else { return labels }
        return labels.dropping(ignored)
    }

    /// Which signatures are there at each moment.
    private static func presence(
        _ matrix: SeriesMatrix, _ operation: BinaryOperation, _ steps: QuerySteps
    ) -> [StreamLabels: [Bool]] {
        var present: [StreamLabels: [Bool]] = [:]
        for series in matrix.series {
            let key = signature(series.labels, operation)
            var flags = present.removeValue(forKey: key) ?? [Bool](repeating: false, count: steps.count)
            for step in 0..<steps.count where !series.values[step].isAbsent { flags[step] = true }
            present[key] = flags
        }
        return present
    }

    private static func sets(
        _ operation: BinaryOperation, _ left: SeriesMatrix, _ right: SeriesMatrix, _ steps: QuerySteps
    ) -> SeriesMatrix {
        // `or` takes of the right what the left has not; the others take of the left.
        let isUnion = operation.operator == .or
        let others = presence(isUnion ? left : right, operation, steps)
        var kept = isUnion ? right : left
        let wanted = operation.operator == .and
        for index in kept.series.indices {
            let flags = others[signature(kept.series[index].labels, operation)]
            for step in 0..<steps.count where (flags?[step] ?? false) != wanted {
                kept.series[index].values[step] = SeriesMatrix.absent
            }
        }
        return isUnion ? united(left, kept) : kept
    }

    /// Both sides; a series of either side stands once.
    private static func united(_ left: SeriesMatrix, _ right: SeriesMatrix) -> SeriesMatrix {
        var result = left
        var places: [StreamLabels: Int] = [:]
        for (index, series) in left.series.enumerated() { places[series.labels] = index }
        for series in right.series {
            guard let place = places[series.labels] else {
                result.series.append(series)
                continue
            }
            for step in series.values.indices where result.series[place].values[step].isAbsent {
                result.series[place].values[step] = series.values[step]
            }
        }
        return result
    }

    /// The one side by signature: several series may share one if they are never there at the same moment.
    private static func pairs(
        _ operation: BinaryOperation, _ left: SeriesMatrix, _ right: SeriesMatrix, _ steps: QuerySteps
    ) throws(QueryError) -> SeriesMatrix {
        let swaps = operation.cardinality == .oneToMany
        let (many, one) = swaps ? (right, left) : (left, right)
        let partners = Dictionary(grouping: one.series) { signature($0.labels, operation) }
        for (_, group) in partners where group.count > 1 {
            for step in 0..<steps.count where group.count(where: { !$0.values[step].isAbsent }) > 1 {
                throw QueryError(
                    .execution,
                    "found duplicate series on the \(swaps ? "left" : "right") hand-side"
                        + ";many-to-many matching not allowed: matching labels must be unique on one side")
            }
        }
        let filters = operation.operator.isComparison && !operation.returnsBool
        var result = SeriesMatrix()
        var places: [StreamLabels: Int] = [:]
        var met: [StreamLabels: [Bool]] = [:]
        for series in many.series {
            let key = signature(series.labels, operation)
            for partner in partners[key] ?? [] {
                let labels = resultLabels(series.labels, partner.labels, operation)
                let place = places[labels] ?? result.series.count
                if place == result.series.count {
                    places[labels] = place
                    let values = [Double](repeating: SeriesMatrix.absent, count: steps.count)
                    result.series.append(.init(labels: labels, values: values))
                }
                // Who met whom: of one to one by the signature, else by the outcome's labels.
                let meeting = operation.cardinality == .oneToOne ? key : labels
                var flags = met.removeValue(forKey: meeting) ?? [Bool](repeating: false, count: steps.count)
                for step in 0..<steps.count where !series.values[step].isAbsent && !partner.values[step].isAbsent {
                    guard !flags[step] else { throw ambiguous(operation) }
                    flags[step] = true
                    let (mine, theirs) = (series.values[step], partner.values[step])
                    result.series[place].values[step] = BinaryOperator.apply(
                        operation.operator, swaps ? theirs : mine, swaps ? mine : theirs, filters: filters, kept: mine)
                }
                met[meeting] = flags
            }
        }
        return result
    }

    private static func ambiguous(_ operation: BinaryOperation) -> QueryError {
        QueryError(
            .execution,
            operation.cardinality == .oneToOne
                ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                : "multiple matches for labels: grouping labels must ensure unique matches")
    }

    private static func resultLabels(
        _ many: StreamLabels, _ one: StreamLabels, _ operation: BinaryOperation
    ) -> StreamLabels {
        var labels = many
        if operation.cardinality == .oneToOne {
            if operation.isOn {
                labels = labels.keeping(operation.labels ?? [])
            } else if let ignored = operation.labels, !ignored.isEmpty {
                labels = labels.dropping(ignored)
            }
        }
        for name in operation.included ?? [] { labels = labels.setting(name, one[name]) }
        return labels
    }
}
