internal import Series
internal import Telemetry

/// SUM, MEAN and SPREAD of numbers.
final class SumState<Number: AggregateNumber>: CallState {
    private let function: AggregateFunction
    private let type: FieldType
    /// The sums; for SPREAD the smallest values.
    private var first: [Number] = []
    /// For SPREAD, the largest values.
    private var second: [Number] = []
    private let isSpread: Bool

    init(_ function: AggregateFunction, _ type: FieldType) {
        self.function = function
        self.type = type
        isSpread = function == .spread
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func grow(to slots: Int) {
        super.grow(to: slots)
        first.append(contentsOf: repeatElement(.zero, count: slots - first.count))
        if isSpread { second.append(contentsOf: repeatElement(.zero, count: slots - second.count)) }
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func take(_ column: BatchColumn, _ rows: Range<Int>, slot: Int) throws(QueryError) -> Int {
        guard let values = Number.values(column.values) else { return -1 }
        if isSpread {
            spread(values, column.valid, rows, slot)
        } else {
            counts[slot] += column.count(rows)
            first[slot] = sum(values, column.valid, rows, first[slot])
        }
        return -1
    }

    @inline(__always)
    private func sum(_ values: [Number], _ valid: [UInt8]?, _ rows: Range<Int>, _ start: Number) -> Number {
        values.withUnsafeBufferPointer { values in
            var total = start
            guard let valid else {
                for row in rows { total = Number.sum(total, values[row]) }
                return total
            }
            valid.withUnsafeBufferPointer { valid in
                for row in rows where valid[row] != 0 { total = Number.sum(total, values[row]) }
            }
            return total
        }
    }

    private func spread(_ values: [Number], _ valid: [UInt8]?, _ rows: Range<Int>, _ slot: Int) {
        for row in rows where valid == nil || valid?[row] != 0 {
            widen(slot, values[row], values[row], by: 1)
        }
    }

    private func widen(_ slot: Int, _ low: Number, _ high: Number, by count: Int) {
        if counts[slot] == 0 || low < first[slot] { first[slot] = low }
        if counts[slot] == 0 || high > second[slot] { second[slot] = high }
        counts[slot] += count
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func accepts(_ summary: borrowing PointSummary, _ field: Int, slot: Int) -> Bool {
        summary.fields[field].count == 0 || Number.figures(summary.fields[field].figures) != nil
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func take(_ summary: FieldSummary, slot: Int) {
        guard summary.count > 0, let figures = Number.figures(summary.figures) else { return }
        if isSpread {
            widen(slot, figures.minimum, figures.maximum, by: summary.count)
        } else {
            counts[slot] += summary.count
            first[slot] = Number.sum(first[slot], figures.sum)
        }
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func merge(_ other: CallState, from source: Int, to slot: Int) throws(QueryError) -> Bool {
        guard let other = other as? SumState<Number>, other.counts[source] > 0 else { return false }
        if isSpread {
            widen(slot, other.first[source], other.second[source], by: other.counts[source])
        } else {
            counts[slot] += other.counts[source]
            first[slot] = Number.sum(first[slot], other.first[source])
        }
        return false
    }

    override func value(_ slot: Int) -> Value {
        switch function {
        case .mean: .float(first[slot].asDouble / Double(counts[slot]))
        case .spread: Number.difference(second[slot], first[slot]).value(type)
        default: first[slot].value(type)
        }
    }
}
