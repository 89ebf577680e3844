import Synchronization
import Telemetry

extension SeriesPartition: PointSource {
    /// The retention policies, sorted by name.
    public var retentionPolicies: [RetentionPolicy] { snapshot().retentionPolicies }

    /// The measurements of a retention policy (nil: of all), sorted by their bytes.
    public func measurements(retentionPolicy: [UInt8]?) throws(SeriesError) -> [[UInt8]] {
        try snapshot().measurements(retentionPolicy).sorted { SeriesKey.compare($0, $1) < 0 }
    }

    /// The fields and tag keys of a measurement, sorted by name; nil if there is no such measurement.
    public func schema(
        of measurement: [UInt8], retentionPolicy: [UInt8]?
    ) throws(SeriesError) -> MeasurementSchema? {
        var fields: [[UInt8]: FieldType] = [:]
        var tagKeys: Set<[UInt8]> = []
        for source in try snapshot().sources(measurement, anyOf: retentionPolicy) where !source.isEmpty {
            for field in source.fields { fields[field.name] = field.type }
            tagKeys.formUnion(source.tagKeys)
        }
        guard !fields.isEmpty else { return nil }
        return MeasurementSchema(
            fields: fields.map { ($0.key, $0.value) }.sorted { SeriesKey.compare($0.name, $1.name) < 0 },
            tagKeys: tagKeys.sorted { SeriesKey.compare($0, $1) < 0 })
    }

    /// The series of a measurement that match and have a point in the range, by their canonical keys in order.
    public func series(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, matching tags: TagPredicate, in range: ClosedRange<Int64>,
        _ visit: (borrowing SeriesTags) -> Bool
    ) throws(SeriesError) {
        var columns: [SeriesColumns] = []
        for source in try snapshot().sources(measurement, anyOf: retentionPolicy) {
            let found = source.series(try source.series(matching: tags), in: range)
            if !found.isEmpty { columns.append(try source.columns(of: found.members)) }
        }
        // A head numbers series as they came; merging wants them by key.
        for index in columns.indices { columns[index].sort() }
        let merged = SeriesMerge(columns).series
        for series in 0..<merged.count {
            if !visit(SeriesTags(measurement: measurement, tags: merged.tags(of: series))) { return }
        }
    }

    /// The distinct values of a tag among the matching series, sorted by their bytes. Never holds "".
    public func tagValues(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, key: [UInt8], matching tags: TagPredicate,
        in range: ClosedRange<Int64>
    ) throws(SeriesError) -> [[UInt8]] {
        var values: Set<[UInt8]> = []
        for source in try snapshot().sources(measurement, anyOf: retentionPolicy) {
            let found = source.series(try source.series(matching: tags), in: range)
            if found.isEmpty { continue }
            let column = try source.columns(of: found.members, keys: [key])
            for code in Set(column.codes[0]) {
                column.values[0].withString(Int(code)) { if !$0.isEmpty { values.insert([UInt8]($0)) } }
            }
        }
        return values.sorted { SeriesKey.compare($0, $1) < 0 }
    }

    /// How many series there are, about (within 3 %); cheap.
    public var seriesEstimate: Int { shown.withLock { $0.seriesEstimate } }

    /// Begins to read points.
    public func scan(_ request: ScanRequest) throws(SeriesError) -> [any PointScan] {
        let snapshot = snapshot()
        let policy = try snapshot.policy(request.retentionPolicy)
        return try ScanPlan(request, try snapshot.sources(request.measurement, policy.name)).scans()
    }
}

extension SeriesColumns {
    /// Brings the series into the order of their keys.
    mutating func sort() {
        var keys: [[UInt8]] = []
        keys.reserveCapacity(count)
        for series in 0..<count {
            var key: [UInt8] = []
            appendKey(of: series, to: &key)
            keys.append(key)
        }
        let order = keys.indices.sorted { SeriesKey.compare(keys[$0], keys[$1]) < 0 }
        for index in codes.indices { codes[index] = order.map { codes[index][$0] } }
    }
}
