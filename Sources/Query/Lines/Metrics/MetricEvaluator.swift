internal import Search
internal import Telemetry

/// Computes metric expressions, for all moments at once.
struct MetricEvaluator: Sendable {
    /// What an expression is.
    enum Outcome: Sendable {
        case number(Double)
        case matrix(SeriesMatrix)
    }

    let reader: SampleReader
    let steps: QuerySteps

    func evaluate(_ expression: MetricExpression) async throws(QueryError) -> Outcome {
        switch expression {
        case .literal(let number): return .number(number)
        case .vector(let number): return .matrix(constant(number))
        case .range(let aggregation): return .matrix(try await reader.matrix(aggregation, steps: steps))
        case .aggregation(let aggregation):
            let operand = try await matrix(Self.grouped(aggregation))
            return .matrix(VectorAggregator.apply(aggregation, to: operand, steps: steps))
        case .labelReplace(let replacement):
            return .matrix(try LabelReplacer.apply(replacement, to: try await matrix(replacement.operand)))
        case .binary(let operation): return try await binary(operation)
        }
    }

    private func constant(_ number: Double) -> SeriesMatrix {
        let values = [Double](repeating: number, count: steps.count)
        return SeriesMatrix(series: [.init(labels: StreamLabels([]), values: values)])
    }

    private func matrix(_ expression: MetricExpression) async throws(QueryError) -> SeriesMatrix {
        switch try await evaluate(expression) {
        case .number(let number): return constant(number)
        case .matrix(let matrix): return matrix
        }
    }

    private func binary(_ operation: BinaryOperation) async throws(QueryError) -> Outcome {
        let left = try await evaluate(operation.left)
        let right = try await evaluate(operation.right)
        switch (left, right) {
        case (.number(let left), .number(let right)):
            return .number(GoNumber.compute(operation.operator, left, right))
        case (.number(let number), .matrix(let matrix)):
            return .matrix(VectorMatcher.apply(operation, number: number, isLeft: true, to: matrix))
        case (.matrix(let matrix), .number(let number)):
            return .matrix(VectorMatcher.apply(operation, number: number, isLeft: false, to: matrix))
        case (.matrix(let left), .matrix(let right)):
            return .matrix(try VectorMatcher.apply(operation, left, right, steps: steps))
        }
    }

    /// What is summed by some labels is counted by them at once: `sum by (a) (rate({…}[1m]))` need not tell apart what
    /// has the same `a`.
    private static func grouped(_ aggregation: VectorAggregation) -> MetricExpression {
        guard case .range(var range) = aggregation.operand, range.grouping == nil else { return aggregation.operand }
        switch (aggregation.operation, range.operation) {
        case (.sum, .countOverTime), (.sum, .rate), (.sum, .bytesOverTime), (.sum, .bytesRate), (.sum, .sumOverTime),
            (.max, .maxOverTime), (.min, .minOverTime):
            range.grouping = aggregation.grouping
            return .range(range)
        default: return aggregation.operand
        }
    }

    /// Whether the answer to an instant query is in the order of its values.
    static func isSorted(_ expression: MetricExpression) -> Bool {
        switch expression {
        case .literal, .vector, .range: false
        case .aggregation(let aggregation):
            aggregation.operation == .sort || aggregation.operation == .sortDescending
                || isSorted(aggregation.operand)
        case .labelReplace(let replacement): isSorted(replacement.operand)
        case .binary(let operation): isSorted(operation.left) || isSorted(operation.right)
        }
    }
}
