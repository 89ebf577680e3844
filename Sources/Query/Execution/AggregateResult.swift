internal import Series

/// The rows of an aggregate, group by group: windows in order, with what stands for empty ones.
struct AggregateResult {
    private let plan: QueryPlan
    private let body: AggregateBody
    private let partial: AggregatePartial
    private let control: QueryControl
    /// The groups still to come, the next one last.
    private var groups: [Int]
    /// The slots of each group, in the order of their windows.
    private var slots: [[Int]]
    private var rows: Rows
    private var position = 0
    /// Where the rows end that the limit leaves of the group.
    private var kept = 0
    private var group: Int?

    /// Rows by columns: an array per row would cost more than what is in it.
    private struct Rows {
        var times: [Int64] = []
        var columns: [[Value]]

        init(columns: Int) { self.columns = [[Value]](repeating: [], count: columns) }

        mutating func append(_ time: Int64, _ value: (Int) -> Value) {
            times.append(time)
            for column in columns.indices { columns[column].append(value(column)) }
        }

        mutating func reverse() {
            times.reverse()
            for column in columns.indices { columns[column].reverse() }
        }
    }

    init(_ plan: QueryPlan, _ body: AggregateBody, _ partial: AggregatePartial, _ control: QueryControl) {
        self.plan = plan
        self.body = body
        self.partial = partial
        self.control = control
        rows = Rows(columns: body.columns.count)
        for state in partial.states { state.finish() }
        var slots = [[Int]](repeating: [], count: partial.directory.keys.count)
        for slot in 0..<partial.slots.count
        where partial.states.isEmpty || partial.states.contains(where: { $0.has(slot) }) {
            slots[Int(partial.slots.groups[slot])].append(slot)
        }
        let windows = partial.slots.windows
        for index in slots.indices { slots[index].sort { windows[$0] < windows[$1] } }
        self.slots = slots
        let filled = partial.directory.ordered(descending: false).filter { !slots[$0].isEmpty }
        let wanted = filled.dropFirst(plan.groupOffset).prefix(plan.groupLimit ?? .max)
        groups = plan.descending ? Array(wanted) : wanted.reversed()
    }

    /// The next rows; nil behind the last.
    mutating func next(_ count: Int) throws(QueryError) -> ResultPiece? {
        while position >= kept {
            guard let group = groups.popLast() else { return nil }
            self.group = group
            rows = try makeRows(group)
            position = min(plan.offset, rows.times.count)
            let (limit, overflow) = position.addingReportingOverflow(plan.limit ?? .max)
            kept = overflow ? rows.times.count : min(rows.times.count, limit)
        }
        let piece = position..<min(kept, position + count)
        position = piece.upperBound
        let ends = position == kept
        return ResultPiece(
            group: partial.directory.keys[group ?? 0], times: Array(rows.times[piece]),
            columns: rows.columns.map { .values(Array($0[piece])) }, endsGroup: ends,
            endsResult: ends && groups.isEmpty)
    }

    private func makeRows(_ group: Int) throws(QueryError) -> Rows {
        if case .call(let call)? = body.columns.first, body.calls[call].function == .distinct {
            return distinctRows(group, call)
        }
        guard let window = body.window, body.fill != .none else {
            var rows = Rows(columns: body.columns.count)
            for slot in slots[group] {
                let (results, companions) = (body.calls.indices.map { result($0, slot) }, companions(slot))
                rows.append(time(slot)) { evaluate(body.columns[$0], results, companions) }
            }
            if plan.descending { rows.reverse() }
            return rows
        }
        return try filledRows(group, window)
    }

    private func result(_ call: Int, _ slot: Int) -> Value {
        partial.states[call].has(slot) ? partial.states[call].value(slot) : .null
    }

    private func time(_ slot: Int) -> Int64 {
        if let window = body.window { return window.start(of: partial.slots.windows[slot]) }
        return body.timeOfPoint && !partial.states.isEmpty ? partial.states[0].time(slot) : body.anchor
    }

    private func companions(_ slot: Int) -> [Value] {
        if partial.companions.isEmpty { return [] }
        return partial.states[0].has(slot) ? partial.states[0].beside(slot) ?? partial.companions[slot] : []
    }

    private func distinctRows(_ group: Int, _ call: Int) -> Rows {
        var rows = Rows(columns: body.columns.count)
        for slot in plan.descending ? slots[group].reversed() : slots[group] {
            for value in partial.states[call].values(slot) {
                rows.append(time(slot)) { evaluate(body.columns[$0], [value], []) }
            }
        }
        return rows
    }

    private func evaluate(_ expression: AggregateExpression, _ results: [Value], _ companions: [Value]) -> Value {
        switch expression {
        case .call(let call): results[call]
        case .companion(let index): index < companions.count ? companions[index] : .null
        case .literal(let value): value
        case .null: .null
        case .arithmetic(let operation, let left, let right):
            scalar(operation, evaluate(left, results, companions), evaluate(right, results, companions))
        }
    }
}

/// Windows without points.
extension AggregateResult {
    private func filledRows(_ group: Int, _ window: Window) throws(QueryError) -> Rows {
        let range = plan.scan.range
        let known = slots[group]
        var first = window.index(of: range.lowerBound)
        if range.lowerBound <= InfluxTime.minimum, let slot = known.first { first = partial.slots.windows[slot] }
        let last = max(first, window.index(of: range.upperBound))
        let (distance, overflow) = last.subtractingReportingOverflow(first)
        try control.check(buckets: overflow ? .max : Int(clamping: distance) &+ 1)
        let count = Int(distance) + 1
        var slotOf = [Int](repeating: -1, count: count)
        for slot in known {
            let place = partial.slots.windows[slot] - first
            if place >= 0, place < count { slotOf[Int(place)] = slot }
        }
        if plan.descending { slotOf.reverse() }
        let columns = body.calls.indices.map { filledColumn($0, slotOf) }
        let unfilled = range.lowerBound <= InfluxTime.minimum
        var rows = Rows(columns: body.columns.count)
        var results = [Value](repeating: .null, count: columns.count)
        for place in 0..<count {
            let index = plan.descending ? last - Int64(place) : first + Int64(place)
            let slot = slotOf[place]
            if slot < 0, unfilled, columns.allSatisfy({ $0.isEmpty }) { continue }
            for call in columns.indices { results[call] = columns[call].isEmpty ? .null : columns[call][place] }
            let companions = slot >= 0 ? companions(slot) : []
            rows.append(window.start(of: index)) { evaluate(body.columns[$0], results, companions) }
        }
        return rows
    }

    /// The results of one call, with what stands for the missing ones; empty if there are none at all.
    private func filledColumn(_ call: Int, _ slotOf: [Int]) -> [Value] {
        let state = partial.states[call]
        guard slotOf.contains(where: { $0 >= 0 && state.has($0) }) else { return [] }
        var values = slotOf.map { $0 >= 0 && state.has($0) ? state.value($0) : nil }
        let isCount = body.calls[call].function == .count || body.calls[call].function == .countDistinct
        switch body.fill {
        case .none: break
        case .null: if isCount { return values.map { $0 ?? .integer(0) } }
        case .previous:
            var previous = Value.null
            for place in values.indices {
                if let value = values[place] { previous = value } else { values[place] = previous }
            }
        case .linear: interpolate(&values, length: Double(body.window?.length ?? 1))
        case .value(let number):
            let sample = values.lazy.compactMap { $0 }.first { $0 != .null } ?? .null
            return values.map { $0 ?? cast(number, like: sample) }
        }
        return values.map { $0 ?? .null }
    }

    private func cast(_ number: Value, like sample: Value) -> Value {
        switch (sample, number) {
        case (.integer, .float(let value)): .integer(Int64(exactly: value.rounded(.towardZero)) ?? 0)
        case (.unsigned, .float(let value)): .unsigned(UInt64(exactly: value.rounded(.towardZero)) ?? 0)
        case (.unsigned, .integer(let value)): .unsigned(UInt64(clamping: value))
        case (.float, .integer(let value)): .float(Double(value))
        case (.integer, .integer), (.float, .float): number
        case (.null, _): number
        case (.string, _): .string([])
        case (.boolean, _): .boolean(false)
        default: .null
        }
    }

    private func interpolate(_ values: inout [Value?], length: Double) {
        var previous: Int?
        for place in values.indices where values[place] != nil {
            if let start = previous, place - start > 1, let low = values[start], let high = values[place] {
                for missing in start + 1..<place {
                    values[missing] = between(low, high, missing - start, of: place - start, length)
                }
            }
            previous = place
        }
    }

    /// A value on the line, in the steps that InfluxDB takes, so that the last digit is the same.
    private func between(_ low: Value, _ high: Value, _ step: Int, of steps: Int, _ length: Double) -> Value {
        func line(_ low: Double, _ rise: Double) -> Double {
            rise / (Double(steps) * length) * (Double(step) * length) + low
        }
        return switch (low, high) {
        case (.float(let low), .float(let high)): .float(line(low, high - low))
        case (.integer(let low), .integer(let high)):
            .integer(Int64(exactly: line(Double(low), Double(high &- low)).rounded(.towardZero)) ?? low)
        case (.unsigned(let low), .unsigned(let high)):
            .unsigned(UInt64(exactly: line(Double(low), Double(high) - Double(low)).rounded(.towardZero)) ?? low)
        default: .null
        }
    }
}
