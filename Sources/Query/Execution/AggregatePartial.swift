internal import Series
internal import Telemetry

/// What one thread has aggregated of a plan.
// Safe because one task at a time uses it: the one that fills it, then the one that merges it.
final class AggregatePartial: @unchecked Sendable {
    private let plan: QueryPlan
    private let body: AggregateBody
    private let control: QueryControl
    private(set) var directory = GroupDirectory()
    private(set) var slots = SlotTable()
    private(set) var states: [CallState]
    /// The values beside the selected point of each slot.
    private(set) var companions: [[Value]] = []
    private var grownSlots = 0

    init(_ plan: QueryPlan, _ body: AggregateBody, _ control: QueryControl) {
        self.plan = plan
        self.body = body
        self.control = control
        let needsTimes = body.timeOfPoint || !body.companions.isEmpty
        states = body.calls.map {
            makeState($0, type: plan.fieldTypes[$0.field], control: control, needsTimes: needsTimes)
        }
    }

    /// Reads a part of the scan to its end.
    func consume(_ scan: any PointScan) async throws(QueryError) {
        let table = scan.series
        try control.count(series: table.count)
        let local = SeriesGroups(table, grouping: plan.grouping)
        let groups = local.keys.map { UInt32(directory.group($0)) }
        try control.keep(bytes: local.keys.count * 64)
        let filtered = plan.filter != nil
        let mayAccept = !filtered && body.companions.isEmpty
        var meter = ScanMeter(control, scan)
        defer { meter.end() }
        while true {
            let step: ScanStep?
            do {
                step = try scan.next { summary in
                    mayAccept && accepts(summary, group: groups[Int(local.groups[Int(summary.series)])])
                }
            } catch {
                throw QueryError(.execution, error.message, cause: error)
            }
            guard let step else { return }
            switch step {
            case .summary(let summary):
                try await meter.step(points: 0)
                let group = groups[Int(local.groups[Int(summary.series)])]
                let slot = try self.slot(group, summary.range.lowerBound)
                for (state, call) in zip(states, body.calls) { state.take(summary.fields[call.field], slot: slot) }
            case .points(let batch):
                try await meter.step(points: batch.times.count)
                try take(BatchRows(batch: batch, table: table), local.groups, groups)
            }
        }
    }

    private func window(_ time: Int64) -> Int64 { body.window?.index(of: time) ?? 0 }

    private func slot(_ group: UInt32, _ time: Int64) throws(QueryError) -> Int {
        let slot = slots.slot(group: group, window: window(time))
        if slots.count > grownSlots { try grow() }
        return slot
    }

    private func grow() throws(QueryError) {
        // More at once than needed, so that growing is rare.
        let capacity = max(64, slots.count * 2)
        try control.check(buckets: slots.count)
        try control.keep(bytes: (capacity - grownSlots) * (24 + 24 * states.count))
        for state in states { state.grow(to: capacity) }
        if !body.companions.isEmpty {
            companions.append(contentsOf: repeatElement([], count: capacity - companions.count))
        }
        grownSlots = capacity
    }

    /// A summary will do if it lies in one window and every call can use it.
    private func accepts(_ summary: borrowing PointSummary, group: UInt32) -> Bool {
        let first = window(summary.range.lowerBound)
        guard first == window(summary.range.upperBound) else { return false }
        let slot = slots.known(group: group, window: first) ?? -1
        for index in states.indices where !states[index].accepts(summary, body.calls[index].field, slot: slot) {
            return false
        }
        return true
    }

    private func take(
        _ rows: BatchRows, _ seriesGroups: [UInt32], _ groups: [UInt32]
    ) throws(QueryError) {
        var mask: [UInt8]?
        if let filter = plan.filter {
            let passed = filter.evaluate(rows)
            guard passed.contains(1) else { return }
            mask = passed
        }
        let columns = body.calls.map { call -> BatchColumn in
            let column = rows.batch.columns[call.field]
            let valid = column.validity.map { expand($0, count: rows.count) }
            return BatchColumn(
                times: rows.batch.times, values: column.values, valid: intersection(valid, mask),
                descending: plan.descending)
        }
        let beside = body.companions.map { $0.evaluate(rows) }
        var row = 0
        for run in rows.batch.runs {
            let end = row + Int(run.count)
            let group = groups[Int(seriesGroups[Int(run.series)])]
            while row < end {
                let next = windowEnd(rows.batch.times, row, end)
                let slot = try self.slot(group, rows.batch.times[row])
                for index in states.indices {
                    let winner = try states[index].take(columns[index], row..<next, slot: slot)
                    guard !beside.isEmpty else { continue }
                    if winner >= 0 { companions[slot] = beside.map { $0.value(winner) } }
                    try states[index].keep(beside, columns[index], row..<next)
                }
                row = next
            }
        }
    }

    /// Where the rows that lie in the window of a row end.
    private func windowEnd(_ times: [Int64], _ row: Int, _ end: Int) -> Int {
        guard let window = body.window else { return end }
        let index = window.index(of: times[row])
        // Steps that double, then halves.
        var (inside, step) = (row, 1)
        while inside + step < end, window.index(of: times[inside + step]) == index {
            inside += step
            step *= 2
        }
        var outside = min(end, inside + step)
        while outside - inside > 1 {
            let middle = inside + (outside - inside) / 2
            if window.index(of: times[middle]) == index { inside = middle } else { outside = middle }
        }
        return outside
    }

    /// Whether there may be more rows of windows and groups than this, those that are filled in among them.
    func isResultLong(than limit: Int) -> Bool {
        guard let window = body.window, body.fill != .none else { return slots.count > limit }
        let (first, last) = (window.index(of: plan.scan.range.lowerBound), window.index(of: plan.scan.range.upperBound))
        let (windows, overflow) = last.subtractingReportingOverflow(first)
        return overflow || windows >= Int64(limit / max(1, directory.keys.count))
    }

    /// Takes what another thread has aggregated.
    func merge(_ other: AggregatePartial) throws(QueryError) {
        let groups = other.directory.keys.map { UInt32(directory.group($0)) }
        for source in 0..<other.slots.count {
            let slot = slots.slot(
                group: groups[Int(other.slots.groups[source])], window: other.slots.windows[source])
            if slots.count > grownSlots { try grow() }
            for index in states.indices {
                let wins = try states[index].merge(other.states[index], from: source, to: slot)
                if wins, !body.companions.isEmpty { companions[slot] = other.companions[source] }
            }
        }
    }
}
