import Columns
import Query
import Series
import Telemetry

extension MemoryDatabase {
    func measurements(retentionPolicy: [UInt8]?) throws(SeriesError) -> [[UInt8]] {
        let all = snapshot.measurements.filter { retentionPolicy == nil || $0.key == retentionPolicy }
        return Set(all.values.flatMap(\.keys)).sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// A measurement; of all retention policies united, if none is given.
    private func find(_ name: [UInt8], _ policy: [UInt8]?) -> Measurement? {
        let all = snapshot.measurements
        if let policy { return all[policy]?[name] }
        var united: Measurement?
        for measurement in all.values.compactMap({ $0[name] }) {
            var sum = united ?? Measurement()
            sum.fields.merge(measurement.fields) { left, _ in left }
            sum.series.merge(measurement.series) { left, right in left.merging(right) { left, _ in left } }
            united = sum
        }
        return united
    }

    func schema(of measurement: [UInt8], retentionPolicy: [UInt8]?) throws(SeriesError) -> MeasurementSchema? {
        guard let found = find(measurement, retentionPolicy) else { return nil }
        let keys = Set(found.series.keys.flatMap(\.keys))
        return MeasurementSchema(
            fields: found.fields.map { ($0.key, $0.value) }.sorted { $0.0.lexicographicallyPrecedes($1.0) },
            tagKeys: keys.sorted { $0.lexicographicallyPrecedes($1) })
    }

    static func order(_ tags: Tags) -> [[UInt8]] {
        tags.sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { [$0.key, $0.value] }
    }

    static func precedes(_ left: Tags, _ right: Tags) -> Bool {
        order(left).lexicographicallyPrecedes(order(right)) { $0.lexicographicallyPrecedes($1) }
    }

    private func matching(
        _ measurement: [UInt8], _ policy: [UInt8]?, _ tags: TagPredicate, _ range: ClosedRange<Int64>
    ) -> [(tags: Tags, points: Points)] {
        (find(measurement, policy)?.series ?? [:])
            .filter { series in
                tags.holds(series.key) && series.value.keys.contains(where: range.contains)
            }
            .map { ($0.key, $0.value) }
            .sorted { Self.precedes($0.0, $1.0) }
    }

    func series(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, matching tags: TagPredicate, in range: ClosedRange<Int64>,
        _ visit: (borrowing SeriesTags) -> Bool
    ) throws(SeriesError) {
        for series in matching(measurement, retentionPolicy, tags, range) {
            let sorted = series.tags.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            guard visit(SeriesTags(measurement: measurement, tags: sorted.map { ($0.key, $0.value) })) else { return }
        }
    }

    func tagValues(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, key: [UInt8], matching tags: TagPredicate,
        in range: ClosedRange<Int64>
    ) throws(SeriesError) -> [[UInt8]] {
        Set(matching(measurement, retentionPolicy, tags, range).compactMap { $0.tags[key] })
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    var seriesEstimate: Int {
        snapshot.measurements.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.series.count } }
    }

    func scan(_ request: ScanRequest, effort: Int) throws(SeriesError) -> PointScans? {
        if effort < .max, shape.parts > 1 { return nil }
        let policy = request.retentionPolicy ?? retentionPolicies.first { $0.isDefault }?.name
        let types = find(request.measurement, policy)?.fields ?? [:]
        let series = matching(request.measurement, policy, request.tags, request.range)
        var parts = [[(Tags, [Int64], Points)]](repeating: [], count: max(1, shape.parts))
        for (index, one) in series.enumerated() {
            let times = one.points.keys.filter { time in
                request.range.contains(time)
                    && request.fields.contains { one.points[time]?[$0] != nil }
            }.sorted { request.descending ? $0 > $1 : $0 < $1 }
            guard !times.isEmpty else { continue }
            if shape.splitsTime, times.count > 1 {
                parts[0].append((one.tags, Array(times[..<(times.count / 2)]), one.points))
                parts[parts.count - 1].append((one.tags, Array(times[(times.count / 2)...]), one.points))
            } else {
                parts[index % parts.count].append((one.tags, times, one.points))
            }
        }
        return PointScans(parts.map { MemoryScan(request, $0, types, shape) })
    }
}

extension TagPredicate {
    /// Whether it holds of some tags.
    func holds(_ tags: MemoryDatabase.Tags) -> Bool {
        switch self {
        case .all: true
        case .equals(let key, let value): (tags[key] ?? []) == value
        case .satisfies(let key, let test): (tags[key] ?? []).withUnsafeBytes(test)
        case .and(let parts): parts.allSatisfy { $0.holds(tags) }
        case .or(let parts): parts.contains { $0.holds(tags) }
        case .not(let part): !part.holds(tags)
        }
    }
}

/// One part of a scan.
// Safe because one task reads it.
final class MemoryScan: PointScan, @unchecked Sendable {
    let series: SeriesTable
    private let request: ScanRequest
    private let types: [[UInt8]: FieldType]
    private let shape: MemoryShape
    private var rows: [(series: Int32, time: Int64, values: [[UInt8]: MemoryValue])] = []
    private var position = 0
    /// A page per batch, and 8 bytes per time and value.
    private(set) var cost = ScanCost()
    /// Several parts are to be read by several tasks, few as their rows are.
    var rowEstimate: Int { shape.parts > 1 ? 1 << 20 : rows.count }

    init(
        _ request: ScanRequest, _ all: [(MemoryDatabase.Tags, [Int64], MemoryDatabase.Points)],
        _ types: [[UInt8]: FieldType], _ shape: MemoryShape
    ) {
        self.request = request
        self.types = types
        self.shape = shape
        var values: [[[UInt8]]] = []
        var codes: [[UInt32]] = []
        for key in request.tagKeys {
            let distinct = Set(all.map { $0.0[key] ?? [] }).sorted { $0.lexicographicallyPrecedes($1) }
            values.append(distinct)
            codes.append(all.map { one in UInt32(distinct.firstIndex(of: one.0[key] ?? []) ?? 0) })
        }
        series = SeriesTable(count: all.count, values: values, codes: codes)
        for (index, one) in all.enumerated() {
            for time in one.1 { rows.append((Int32(index), time, one.2[time] ?? [:])) }
        }
    }

    func next(_ useSummary: (borrowing PointSummary) -> Bool) throws(SeriesError) -> ScanStep? {
        guard position < rows.count else { return nil }
        if shape.offersSummaries {
            let end = position + rows[position...].prefix(4).prefix { $0.series == rows[position].series }.count
            let summary = summary(Array(rows[position..<end]))
            if useSummary(summary) {
                position = end
                cost.pagesSummarised += 1
                return .summary(summary)
            }
        }
        let end = min(rows.count, position + shape.batchPoints)
        defer { position = end }
        let batch = rows[position..<end]
        cost.pagesRead += 1
        cost.bytes += 8 * batch.count * (1 + request.fields.count)
        var runs: [SeriesRun] = []
        for row in batch {
            if runs.last?.series == row.series {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(SeriesRun(series: row.series, count: 1))
            }
        }
        let columns = request.fields.map { column($0, batch.map(\.values)) }
        return .points(PointBatch(times: batch.map(\.time), runs: runs, columns: columns))
    }

    private func column(_ name: [UInt8], _ rows: [[[UInt8]: MemoryValue]]) -> FieldColumn {
        var validity = [UInt64](repeating: 0, count: (rows.count + 63) / 64)
        for (index, row) in rows.enumerated() where row[name] != nil { validity[index >> 6] |= 1 << UInt64(index & 63) }
        let isFull = rows.allSatisfy { $0[name] != nil }
        return FieldColumn(values(name, rows), validity: isFull ? nil : validity)
    }

    private func values(_ name: [UInt8], _ rows: [[[UInt8]: MemoryValue]]) -> FieldColumn.Values {
        switch types[name] {
        case nil: return .absent
        case .float: return .float(rows.map { if case .float(let value)? = $0[name] { value } else { .nan } })
        case .integer: return .integer(rows.map { if case .integer(let value)? = $0[name] { value } else { -77 } })
        case .unsigned: return .unsigned(rows.map { if case .unsigned(let value)? = $0[name] { value } else { 77 } })
        case .boolean: return .boolean(rows.map { if case .boolean(let value)? = $0[name] { value } else { true } })
        case .string:
            var strings = ByteStrings()
            var codes: [UInt32] = []
            for row in rows {
                if case .string(let text)? = row[name] { strings.bytes += text }
                strings.offsets.append(UInt32(strings.bytes.count))
                codes.append(UInt32(strings.count - 1))
            }
            return .string(codes: codes, dictionary: strings)
        }
    }

    private func summary(_ rows: [(series: Int32, time: Int64, values: [[UInt8]: MemoryValue])]) -> PointSummary {
        let times = rows.map(\.time)
        return PointSummary(
            series: rows[0].series, range: (times.min() ?? 0)...(times.max() ?? 0),
            fields: request.fields.map { name in
                let values = rows.compactMap { $0.values[name] }
                return FieldSummary(count: values.count, figures: Self.figures(values))
            })
    }

    private static func figures(_ values: [MemoryValue]) -> FieldSummary.Figures? {
        let floats = values.compactMap { if case .float(let value) = $0 { value } else { nil } }
        if let low = floats.min(), let high = floats.max() {
            return .float(minimum: low, maximum: high, sum: floats.reduce(0, +))
        }
        let integers = values.compactMap { if case .integer(let value) = $0 { value } else { nil } }
        if let low = integers.min(), let high = integers.max() {
            return .integer(minimum: low, maximum: high, sum: integers.reduce(0, &+))
        }
        let unsigned = values.compactMap { if case .unsigned(let value) = $0 { value } else { nil } }
        if let low = unsigned.min(), let high = unsigned.max() {
            return .unsigned(minimum: low, maximum: high, sum: unsigned.reduce(0, &+))
        }
        return nil
    }
}
