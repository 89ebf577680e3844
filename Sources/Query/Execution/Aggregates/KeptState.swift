internal import Series
internal import Telemetry

/// Consecutive values of one slot. Not within `KeptState`: at each use its type would be looked up.
private struct KeptPiece {
    var slot: Int32
    var count: Int32
}

/// What a slot's values came to.
private struct KeptResult {
    var value: Value
    var time: Int64 = 0
    var beside: [Value]?
}

/// MEDIAN, PERCENTILE, STDDEV and DISTINCT of numbers: all values are kept, in the order in which they come, and sorted
/// into their slots at the end.
final class KeptState<Number: AggregateNumber>: CallState {
    private let function: AggregateFunction
    private let type: FieldType
    private let control: QueryControl
    private let needsTimes: Bool
    private var pieces: [KeptPiece] = []
    private var kept: [Number] = []
    private var keptTimes: [Int64] = []
    /// What stands beside each value, if anything is wanted.
    private var keptBeside: [[Value]] = []
    /// Where each slot's values begin, once sorted.
    private var starts: [Int] = []
    private var results: [Int: KeptResult] = [:]

    init(_ function: AggregateFunction, _ type: FieldType, _ control: QueryControl, needsTimes: Bool) {
        self.function = function
        self.type = type
        self.control = control
        self.needsTimes = needsTimes || function == .distinct
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func take(_ column: BatchColumn, _ rows: Range<Int>, slot: Int) throws(QueryError) -> Int {
        guard let values = Number.values(column.values) else { return -1 }
        let before = kept.count
        if let valid = column.valid {
            for row in rows where valid[row] != 0 {
                kept.append(values[row])
                if needsTimes { keptTimes.append(column.times[row]) }
            }
        } else {
            kept.append(contentsOf: values[rows])
            if needsTimes { keptTimes.append(contentsOf: column.times[rows]) }
        }
        try note(kept.count - before, slot)
        return -1
    }

    override func keep(_ beside: [Vector], _ column: BatchColumn, _ rows: Range<Int>) throws(QueryError) {
        guard case .percentile = function else { return }
        for row in rows where column.valid == nil || column.valid?[row] != 0 {
            keptBeside.append(beside.map { $0.value(row) })
        }
        try control.keep(bytes: rows.count * (32 + 32 * beside.count))
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func beside(_ slot: Int) -> [Value]? { result(slot).beside }

    private func note(_ count: Int, _ slot: Int) throws(QueryError) {
        guard count > 0 else { return }
        counts[slot] += count
        if let last = pieces.indices.last, pieces[last].slot == slot {
            pieces[last].count += Int32(count)
        } else {
            pieces.append(KeptPiece(slot: Int32(slot), count: Int32(count)))
        }
        // Twice: the values are copied when they are sorted into slots.
        try control.keep(bytes: count * (needsTimes ? 32 : 16))
    }

    override func accepts(_ summary: borrowing PointSummary, _ field: Int, slot: Int) -> Bool {
        summary.fields[field].count == 0
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func merge(_ other: CallState, from source: Int, to slot: Int) throws(QueryError) -> Bool {
        guard let other = other as? KeptState<Number>, other.counts[source] > 0 else { return false }
        other.finish()
        let range = other.starts[source]..<other.starts[source] + other.counts[source]
        kept.append(contentsOf: other.kept[range])
        if needsTimes { keptTimes.append(contentsOf: other.keptTimes[range]) }
        if !other.keptBeside.isEmpty { keptBeside.append(contentsOf: other.keptBeside[range]) }
        try note(range.count, slot)
        return false
    }

    /// Sorts the values into their slots.
    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func finish() {
        guard starts.count != counts.count else { return }
        starts = []
        var next = 0
        for count in counts {
            starts.append(next)
            next += count
        }
        var places = starts
        var sorted = kept
        var sortedTimes = keptTimes
        var sortedBeside = keptBeside
        var from = 0
        for piece in pieces {
            let (slot, count) = (Int(piece.slot), Int(piece.count))
            for index in 0..<count { sorted[places[slot] + index] = kept[from + index] }
            if needsTimes {
                for index in 0..<count { sortedTimes[places[slot] + index] = keptTimes[from + index] }
            }
            if !keptBeside.isEmpty {
                for index in 0..<count { sortedBeside[places[slot] + index] = keptBeside[from + index] }
            }
            places[slot] += count
            from += count
        }
        (kept, keptTimes, keptBeside, pieces) = (sorted, sortedTimes, sortedBeside, [])
    }

    override func has(_ slot: Int) -> Bool {
        guard counts[slot] > 0 else { return false }
        if case .percentile(let percent) = function { return rank(percent, counts[slot]) != nil }
        return true
    }

    /// The index of a percentile in sorted values, by nearest rank; nil if there is none.
    private func rank(_ percent: Double, _ count: Int) -> Int? {
        let rank = (Double(count) * percent / 100 + 0.5).rounded(.down) - 1
        return rank >= 0 && rank < Double(count) ? Int(rank) : nil
    }

    private func range(_ slot: Int) -> Range<Int> { starts[slot]..<starts[slot] + counts[slot] }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func value(_ slot: Int) -> Value { result(slot).value }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func time(_ slot: Int) -> Int64 { result(slot).time }

    private func result(_ slot: Int) -> KeptResult {
        if let result = results[slot] { return result }
        let result = compute(range(slot))
        results[slot] = result
        return result
    }

    private func compute(_ range: Range<Int>) -> KeptResult {
        let count = range.count
        switch function {
        case .median:
            let middle = range.lowerBound + count / 2
            kept.withUnsafeMutableBufferPointer { select($0, range, middle) }
            if count % 2 == 1 { return KeptResult(value: .float(kept[middle].asDouble)) }
            let low = kept[range.lowerBound..<middle].max() ?? kept[middle]
            return KeptResult(value: .float(Number.middle(low, kept[middle])))
        case .percentile(let percent):
            guard let rank = rank(percent, count) else { return KeptResult(value: .null) }
            return percentile(range, rank)
        case .stddev: return KeptResult(value: deviation(range))
        case .countDistinct: return KeptResult(value: .integer(Int64(Set(kept[range]).count)))
        default: return KeptResult(value: .null)
        }
    }

    /// The value of a rank; of equal values the ranks follow time.
    private func percentile(_ range: Range<Int>, _ rank: Int) -> KeptResult {
        // Times must stay beside their values, so a copy is searched.
        var values = Array(kept[range])
        values.withUnsafeMutableBufferPointer { select($0, 0..<range.count, rank) }
        let value = values[rank]
        var result = KeptResult(value: value.value(type))
        guard needsTimes else { return result }
        let smaller = values[..<rank].count { $0 < value }
        let equal = range.filter { kept[$0] == value }.sorted { (keptTimes[$0], $0) < (keptTimes[$1], $1) }
        let index = equal[rank - smaller]
        result.time = keptTimes[index]
        if !keptBeside.isEmpty { result.beside = keptBeside[index] }
        return result
    }

    /// The deviation of a sample, in the order of InfluxDB's steps.
    private func deviation(_ range: Range<Int>) -> Value {
        guard range.count >= 2 else { return .null }
        var mean = 0.0
        var count = 0.0
        for index in range {
            count += 1
            mean += (kept[index].asDouble - mean) / count
        }
        var variance = 0.0
        for index in range {
            let difference = kept[index].asDouble - mean
            variance += difference * difference
        }
        return .float((variance / (count - 1)).squareRoot())
    }

    @_specialize(where Number == Double)
    @_specialize(where Number == Int64)
    @_specialize(where Number == UInt64)
    override func values(_ slot: Int) -> [Value] {
        guard function == .distinct else { return [value(slot)] }
        var firstTimes: [Number: Int64] = [:]
        for index in range(slot) {
            firstTimes[kept[index]] = min(firstTimes[kept[index]] ?? .max, keptTimes[index])
        }
        return firstTimes.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { $0.key.value(type) }
    }
}

/// DISTINCT of strings, and how many there are.
final class StringDistinctState: CallState {
    private let function: AggregateFunction
    private let control: QueryControl
    private var sets: [[[UInt8]: Int64]] = []

    init(_ function: AggregateFunction, _ control: QueryControl) {
        self.function = function
        self.control = control
    }

    override func grow(to slots: Int) {
        super.grow(to: slots)
        sets.append(contentsOf: repeatElement([:], count: slots - sets.count))
    }

    override func take(_ column: BatchColumn, _ rows: Range<Int>, slot: Int) throws(QueryError) -> Int {
        guard case .string(let codes, let dictionary) = column.values else { return -1 }
        for row in rows where column.valid == nil || column.valid?[row] != 0 {
            counts[slot] += 1
            try note(StringDictionary.packed(dictionary).bytes(Int(codes[row])), column.times[row], slot)
        }
        return -1
    }

    private func note(_ text: [UInt8], _ time: Int64, _ slot: Int) throws(QueryError) {
        if let known = sets[slot][text] {
            if time < known { sets[slot][text] = time }
        } else {
            sets[slot][text] = time
            try control.keep(bytes: text.count + 64)
        }
    }

    override func accepts(_ summary: borrowing PointSummary, _ field: Int, slot: Int) -> Bool {
        summary.fields[field].count == 0
    }

    override func merge(_ other: CallState, from source: Int, to slot: Int) throws(QueryError) -> Bool {
        guard let other = other as? StringDistinctState else { return false }
        counts[slot] += other.counts[source]
        for (text, time) in other.sets[source] { try note(text, time, slot) }
        return false
    }

    override func value(_ slot: Int) -> Value { .integer(Int64(sets[slot].count)) }

    override func values(_ slot: Int) -> [Value] {
        guard function == .distinct else { return [value(slot)] }
        return sets[slot].sorted { left, right in
            left.value != right.value ? left.value < right.value : left.key.lexicographicallyPrecedes(right.key)
        }.map { .string($0.key) }
    }
}

/// Puts the value that sorting would put at `target` there, smaller ones before it and larger ones behind.
func select<Number: Comparable>(
    _ values: UnsafeMutableBufferPointer<Number>, _ range: Range<Int>, _ target: Int
) {
    var (low, high) = (range.lowerBound, range.upperBound - 1)
    var rounds = 0
    while low < high {
        rounds += 1
        if rounds > 64 {
            // Values that keep pivots bad: sorting has no worst case.
            var rest = UnsafeMutableBufferPointer(rebasing: values[low...high])
            rest.sort()
            return
        }
        // The middle one of three keeps sorted input from being the worst case.
        let middle = low + (high - low) / 2
        if values[middle] < values[low] { values.swapAt(middle, low) }
        if values[high] < values[low] { values.swapAt(high, low) }
        if values[high] < values[middle] { values.swapAt(high, middle) }
        let pivot = values[middle]
        var (left, right) = (low, high)
        while left <= right {
            while values[left] < pivot { left += 1 }
            while pivot < values[right] { right -= 1 }
            if left <= right {
                values.swapAt(left, right)
                left += 1
                right -= 1
            }
        }
        if target <= right {
            high = right
        } else if target >= left {
            low = left
        } else {
            return
        }
    }
}
