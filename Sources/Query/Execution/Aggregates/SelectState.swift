internal import Series
internal import Telemetry

/// MIN, MAX, FIRST and LAST of numbers and booleans. Of equal values the earliest wins; of equal times the larger value.
final class SelectState<Number: AggregateNumber>: CallState {
    private let function: AggregateFunction
    private let type: FieldType
    private let needsTimes: Bool
    private var chosen: [Number] = []
    private var times: [Int64] = []

    init(_ function: AggregateFunction, _ type: FieldType, needsTimes: Bool) {
        self.function = function
        self.type = type
        self.needsTimes = needsTimes
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func grow(to slots: Int) {
        super.grow(to: slots)
        chosen.append(contentsOf: repeatElement(.zero, count: slots - chosen.count))
        times.append(contentsOf: repeatElement(0, count: slots - times.count))
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func take(_ column: BatchColumn, _ rows: Range<Int>, slot: Int) throws(QueryError) -> Int {
        guard let values = Number.values(column.values) else { return -1 }
        let row: Int
        switch function {
        case .first: row = column.end(rows, first: true)
        case .last: row = column.end(rows, first: false)
        case .minimum: row = extreme(values, column, rows) { $0 < $1 }
        default: row = extreme(values, column, rows) { $0 > $1 }
        }
        guard row >= 0 else { return -1 }
        let wins = offer(values[row], column.times[row], slot)
        counts[slot] += 1
        return wins ? row : -1
    }

    @inline(__always)
    private func extreme(
        _ values: [Number], _ column: BatchColumn, _ rows: Range<Int>, _ precedes: (Number, Number) -> Bool
    ) -> Int {
        values.withUnsafeBufferPointer { values in
            guard let valid = column.valid else {
                var best = rows.lowerBound
                for row in rows where precedes(values[row], values[best]) { best = row }
                // Backwards, the earliest of equal values is the last.
                if column.descending { for row in rows where values[row] == values[best] { best = row } }
                return best
            }
            var best = -1
            for row in rows where valid[row] != 0 {
                if best < 0 || precedes(values[row], values[best])
                    || (column.descending && values[row] == values[best])
                {
                    best = row
                }
            }
            return best
        }
    }

    /// Takes a value if it wins over the slot's.
    private func offer(_ value: Number, _ time: Int64, _ slot: Int) -> Bool {
        if counts[slot] > 0 {
            let (current, currentTime) = (chosen[slot], times[slot])
            let wins =
                switch function {
                case .first: time < currentTime || (time == currentTime && value > current)
                case .last: time > currentTime || (time == currentTime && value >= current)
                case .minimum: value < current || (value == current && time < currentTime)
                default: value > current || (value == current && time < currentTime)
                }
            guard wins else { return false }
        }
        chosen[slot] = value
        times[slot] = time
        return true
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func accepts(_ summary: borrowing PointSummary, _ field: Int, slot: Int) -> Bool {
        if summary.fields[field].count == 0 { return true }
        switch function {
        // What cannot win need not be read; the summary is taken and adds nothing.
        case .first: return slot >= 0 && counts[slot] > 0 && summary.range.lowerBound > times[slot]
        case .last: return slot >= 0 && counts[slot] > 0 && summary.range.upperBound < times[slot]
        case .minimum, .maximum:
            guard let figures = Number.figures(summary.fields[field].figures) else { return false }
            if !needsTimes { return true }
            guard slot >= 0, counts[slot] > 0 else { return false }
            return function == .minimum ? figures.minimum > chosen[slot] : figures.maximum < chosen[slot]
        default: return false
        }
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func take(_ summary: FieldSummary, slot: Int) {
        guard !needsTimes, summary.count > 0, let figures = Number.figures(summary.figures) else { return }
        guard function == .minimum || function == .maximum else { return }
        _ = offer(function == .minimum ? figures.minimum : figures.maximum, .max, slot)
        counts[slot] += 1
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func merge(_ other: CallState, from source: Int, to slot: Int) throws(QueryError) -> Bool {
        guard let other = other as? SelectState<Number>, other.counts[source] > 0 else { return false }
        let wins = offer(other.chosen[source], other.times[source], slot)
        counts[slot] += other.counts[source]
        return wins
    }

    override func value(_ slot: Int) -> Value { chosen[slot].value(type) }

    override func time(_ slot: Int) -> Int64 { times[slot] }
}

/// FIRST and LAST of strings.
final class StringSelectState: CallState {
    private let function: AggregateFunction
    private var chosen: [[UInt8]] = []
    private var times: [Int64] = []

    init(_ function: AggregateFunction) { self.function = function }

    override func grow(to slots: Int) {
        super.grow(to: slots)
        chosen.append(contentsOf: repeatElement([], count: slots - chosen.count))
        times.append(contentsOf: repeatElement(0, count: slots - times.count))
    }

    override func take(_ column: BatchColumn, _ rows: Range<Int>, slot: Int) throws(QueryError) -> Int {
        guard case .string(let codes, let dictionary) = column.values else { return -1 }
        let row = column.end(rows, first: function == .first)
        guard row >= 0 else { return -1 }
        let text = StringDictionary.packed(dictionary).bytes(Int(codes[row]))
        let wins = offer(text, column.times[row], slot)
        counts[slot] += 1
        return wins ? row : -1
    }

    private func offer(_ text: [UInt8], _ time: Int64, _ slot: Int) -> Bool {
        if counts[slot] > 0 {
            let sooner = function == .first ? time < times[slot] : time > times[slot]
            guard sooner || (time == times[slot] && chosen[slot].lexicographicallyPrecedes(text)) else {
                return false
            }
        }
        chosen[slot] = text
        times[slot] = time
        return true
    }

    override func accepts(_ summary: borrowing PointSummary, _ field: Int, slot: Int) -> Bool {
        if summary.fields[field].count == 0 { return true }
        guard slot >= 0, counts[slot] > 0 else { return false }
        return function == .first
            ? summary.range.lowerBound > times[slot] : summary.range.upperBound < times[slot]
    }

    override func merge(_ other: CallState, from source: Int, to slot: Int) throws(QueryError) -> Bool {
        guard let other = other as? StringSelectState, other.counts[source] > 0 else { return false }
        let wins = offer(other.chosen[source], other.times[source], slot)
        counts[slot] += other.counts[source]
        return wins
    }

    override func value(_ slot: Int) -> Value { .string(chosen[slot]) }

    override func time(_ slot: Int) -> Int64 { times[slot] }
}
