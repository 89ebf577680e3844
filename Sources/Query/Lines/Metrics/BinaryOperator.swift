/// Two numbers.
enum BinaryOperator {
    /// The outcome; `absent` if a comparison filters the pair away.
    ///
    /// - Parameters:
    ///   - filters: whether a comparison keeps or drops `kept` instead of telling 1 or 0.
    ///   - kept: the number that a filter keeps.
    static func apply(
        _ operation: BinaryOperation.Operator, _ left: Double, _ right: Double, filters: Bool, kept: Double
    ) -> Double {
        let outcome = GoNumber.compute(operation, left, right)
        guard filters else { return outcome }
        return outcome == 1 ? kept : SeriesMatrix.absent
    }
}
