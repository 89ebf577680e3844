internal import Series
internal import Telemetry

/// What an aggregate knows of each slot. A class per kind of aggregate and type: one call per run of points, and a tight
/// loop inside. The compiler makes no version of a generic class's methods per type by itself: those that loop or are
/// called per run name their types (`@_specialize`), without which a value costs 20 to 50 ns instead of one.
class CallState {
    /// How many values each slot has had.
    final var counts: [Int] = []

    /// Makes room for slots.
    func grow(to slots: Int) {
        counts.append(contentsOf: repeatElement(0, count: slots - counts.count))
    }

    /// Takes the values of some rows. Returns the row that the slot now selects, or -1 if it stays as it was.
    func take(_ column: BatchColumn, _ rows: Range<Int>, slot: Int) throws(QueryError) -> Int { -1 }

    /// Takes a summary, which `accepts` found to do.
    func take(_ summary: FieldSummary, slot: Int) {}

    /// Whether a summary will do for a slot (-1: one that does not exist yet).
    func accepts(_ summary: borrowing PointSummary, _ field: Int, slot: Int) -> Bool { false }

    /// Takes what another state of the same kind knows of a slot. Returns whether its selected point wins.
    func merge(_ other: CallState, from source: Int, to slot: Int) throws(QueryError) -> Bool { false }

    /// The result of a slot that has values.
    func value(_ slot: Int) -> Value { .null }

    /// All results of a slot, for DISTINCT, in order.
    func values(_ slot: Int) -> [Value] { [value(slot)] }

    /// The time of the selected point.
    func time(_ slot: Int) -> Int64 { 0 }

    /// Takes the columns beside the rows that `take` has just kept, where every row may be selected in the end.
    func keep(_ beside: [Vector], _ column: BatchColumn, _ rows: Range<Int>) throws(QueryError) {}

    /// What stands beside the selected point, where `keep` was called.
    func beside(_ slot: Int) -> [Value]? { nil }

    /// Called once before results are read.
    func finish() {}

    /// Whether the slot has a result.
    func has(_ slot: Int) -> Bool { counts[slot] > 0 }
}

/// A field's values in a batch, with the rows that count.
struct BatchColumn {
    let times: [Int64]
    let values: FieldColumn.Values
    /// Which rows count; nil: all.
    let valid: [UInt8]?
    /// Whether times of a series run backwards.
    let descending: Bool

    /// The number of rows that count among some.
    func count(_ rows: Range<Int>) -> Int {
        guard let valid else { return rows.count }
        return valid.withUnsafeBufferPointer { valid in
            var count = 0
            for row in rows { count &+= Int(valid[row]) }
            return count
        }
    }

    /// The row of the first or last time among some; -1 if none counts.
    func end(_ rows: Range<Int>, first: Bool) -> Int {
        let ascending = first != descending
        guard let valid else { return ascending ? rows.lowerBound : rows.upperBound - 1 }
        if ascending {
            for row in rows where valid[row] != 0 { return row }
        } else {
            for row in rows.reversed() where valid[row] != 0 { return row }
        }
        return -1
    }
}

/// COUNT of any type.
final class CountState: CallState {
    override func take(_ column: BatchColumn, _ rows: Range<Int>, slot: Int) throws(QueryError) -> Int {
        counts[slot] += column.count(rows)
        return -1
    }

    override func accepts(_ summary: borrowing PointSummary, _ field: Int, slot: Int) -> Bool { true }

    override func take(_ summary: FieldSummary, slot: Int) { counts[slot] += summary.count }

    override func merge(_ other: CallState, from source: Int, to slot: Int) throws(QueryError) -> Bool {
        counts[slot] += other.counts[source]
        return false
    }

    override func value(_ slot: Int) -> Value { .integer(Int64(counts[slot])) }
}

/// A field that the measurement lacks.
final class AbsentState: CallState {
    override func accepts(_ summary: borrowing PointSummary, _ field: Int, slot: Int) -> Bool { true }
}

/// The state for a call.
func makeState(_ call: AggregateCall, type: FieldType?, control: QueryControl, needsTimes: Bool) -> CallState {
    guard let type else { return AbsentState() }
    if call.function == .count { return CountState() }
    switch type {
    case .string:
        return call.function == .first || call.function == .last
            ? StringSelectState(call.function) : StringDistinctState(call.function, control)
    case .float: return numberState(Double.self, call, type, control, needsTimes)
    case .integer, .boolean: return numberState(Int64.self, call, type, control, needsTimes)
    case .unsigned: return numberState(UInt64.self, call, type, control, needsTimes)
    }
}

private func numberState<Number: AggregateNumber>(
    _: Number.Type, _ call: AggregateCall, _ type: FieldType, _ control: QueryControl, _ needsTimes: Bool
) -> CallState {
    if call.function.keepsValues {
        return KeptState<Number>(call.function, type, control, needsTimes: needsTimes)
    }
    switch call.function {
    case .minimum, .maximum, .first, .last:
        return SelectState<Number>(call.function, type, needsTimes: needsTimes)
    default: return SumState<Number>(call.function, type)
    }
}
