internal import Series

/// The points that one thread has read for a plan that wants rows. Points stay in columns; what is sorted are references.
// Safe because one task at a time uses it: the one that fills it, then the one that merges it.
final class RowPartial: @unchecked Sendable {
    /// A point that was read.
    struct Reference {
        var time: Int64
        var group: UInt32
        /// The series, in `ranks`.
        var series: UInt32
        var batch: UInt32
        var row: UInt32
    }

    private let plan: QueryPlan
    private let body: RowBody
    private let control: QueryControl
    private(set) var directory = GroupDirectory()
    private(set) var references: [Reference] = []
    /// The columns of the batches that were read.
    private(set) var batches: [[Vector]] = []
    /// The tables of the scans, and which series of all begins each.
    private(set) var tables: [(first: UInt32, table: SeriesTable)] = []
    private var seriesCount: UInt32 = 0
    /// The most rows of a series that can matter.
    private let wanted: Int
    /// Of each group: how many rows were taken, up to those wanted, and the last time of these. Behind it nothing
    /// matters once there are enough.
    private var horizons: [(taken: Int, time: Int64)] = []

    init(_ plan: QueryPlan, _ body: RowBody, _ control: QueryControl) {
        self.plan = plan
        self.body = body
        self.control = control
        let (wanted, overflow) = (plan.limit ?? .max).addingReportingOverflow(plan.offset)
        self.wanted = overflow ? .max : wanted
    }

    /// Reads a part of the scan to its end.
    func consume(_ scan: any PointScan) async throws(QueryError) {
        let table = scan.series
        try control.count(series: table.count)
        let local = SeriesGroups(table, grouping: plan.grouping)
        let groups = local.keys.map { UInt32(directory.group($0)) }
        horizons += repeatElement((taken: 0, time: 0), count: directory.keys.count - horizons.count)
        tables.append((seriesCount, table))
        let first = seriesCount
        seriesCount += UInt32(table.count)
        var meter = ScanMeter(control, scan)
        defer { meter.end() }
        // The series that the last batch ended in, and how many of its rows were taken.
        var (series, taken) = (Int32(-1), 0)
        while true {
            let step: ScanStep?
            do {
                step = try scan.next { summary in
                    (summary.series == series && taken >= wanted)
                        || isBeyond(
                            plan.descending ? summary.range.upperBound : summary.range.lowerBound,
                            groups[Int(local.groups[Int(summary.series)])])
                }
            } catch {
                throw QueryError(.execution, error.message, cause: error)
            }
            guard let step else { return }
            guard case .points(let batch) = step else {
                // A summary was taken because none of its points matters.
                try await meter.step(points: 0)
                continue
            }
            try await meter.step(points: batch.times.count)
            let rows = BatchRows(batch: batch, table: table)
            let mask = mask(rows)
            if let mask, !mask.contains(1) { continue }
            var picked: [Reference] = []
            var row = 0
            for run in batch.runs {
                let end = row + Int(run.count)
                if run.series != series { (series, taken) = (run.series, 0) }
                let group = groups[Int(local.groups[Int(run.series)])]
                for index in row..<end where taken < wanted && (mask == nil || mask?[index] != 0) {
                    if isBeyond(batch.times[index], group) { break }
                    taken += 1
                    advance(batch.times[index], group)
                    picked.append(
                        Reference(
                            time: batch.times[index], group: group, series: first + UInt32(run.series), batch: 0,
                            row: UInt32(index)))
                }
                row = end
            }
            try keep(picked, rows)
        }
    }

    /// Whether a group has enough rows in front of a time.
    @inline(__always)
    private func isBeyond(_ time: Int64, _ group: UInt32) -> Bool {
        let horizon = horizons[Int(group)]
        return horizon.taken >= wanted && (plan.descending ? time < horizon.time : time > horizon.time)
    }

    /// Counts a row that was taken.
    @inline(__always)
    private func advance(_ time: Int64, _ group: UInt32) {
        let horizon = horizons[Int(group)]
        guard horizon.taken < wanted else { return }
        let isFirst = horizon.taken == 0
        let last = isFirst ? time : plan.descending ? min(horizon.time, time) : max(horizon.time, time)
        horizons[Int(group)] = (horizon.taken + 1, last)
    }

    /// Which rows count; nil: all.
    private func mask(_ rows: BatchRows) -> [UInt8]? {
        var mask = plan.filter?.evaluate(rows)
        var present: [UInt8]? = [UInt8](repeating: 0, count: rows.count)
        for field in body.presence {
            let column = rows.batch.columns[field]
            if case .absent = column.values { continue }
            guard let validity = column.validity else {
                present = nil
                break
            }
            let valid = expand(validity, count: rows.count)
            for row in 0..<rows.count { present?[row] |= valid[row] }
        }
        mask = intersection(mask, present)
        return mask
    }

    /// Keeps the picked rows of a batch: the whole columns if most are picked, else copies of the rows.
    private func keep(_ picked: [Reference], _ rows: BatchRows) throws(QueryError) {
        guard !picked.isEmpty else { return }
        var columns = body.columns.map { $0.evaluate(rows) }
        let gathers = picked.count * 2 < rows.count
        if gathers { columns = columns.map { $0.gathered(picked.map { Int($0.row) }) } }
        let batch = UInt32(batches.count)
        batches.append(columns)
        let size = gathers ? picked.count : rows.count
        try control.keep(bytes: picked.count * 24 + columns.reduce(0) { $0 + $1.bytes(size) })
        references.reserveCapacity(references.count + picked.count)
        for (index, var reference) in picked.enumerated() {
            reference.batch = batch
            if gathers { reference.row = UInt32(index) }
            references.append(reference)
        }
        if plan.grouping.isEmpty, wanted < .max / 8, references.count > wanted * 4 + 4_096 { prune() }
    }

    /// Leaves only what can be among the first rows.
    private func prune() {
        references.sort { plan.descending ? $0.time > $1.time : $0.time < $1.time }
        let limit = references[wanted - 1].time
        // Rows of the same time stay: which of them comes first is decided later.
        let end = references[wanted...].firstIndex { $0.time != limit } ?? references.count
        let dropped = references.count - end
        references.removeLast(dropped)
        horizons[0] = (wanted, limit)
        var used = [Bool](repeating: false, count: batches.count)
        for reference in references { used[Int(reference.batch)] = true }
        for index in batches.indices where !used[index] { batches[index] = [] }
        control.release(bytes: dropped * 24)
    }

    /// Takes what another thread has read.
    func merge(_ other: RowPartial) {
        let groups = other.directory.keys.map { UInt32(directory.group($0)) }
        let (firstBatch, firstSeries) = (UInt32(batches.count), seriesCount)
        for var reference in other.references {
            reference.group = groups[Int(reference.group)]
            reference.batch += firstBatch
            reference.series += firstSeries
            references.append(reference)
        }
        batches += other.batches
        tables += other.tables.map { ($0.first + firstSeries, $0.table) }
        seriesCount += other.seriesCount
    }
}
