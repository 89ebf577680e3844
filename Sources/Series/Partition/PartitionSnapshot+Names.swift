import Columns
import Telemetry

/// What there is, by name, in the sources of one measurement: of one partition or of several.
extension PartitionSnapshot {
    /// The fields and tag keys; nil if there are no series.
    static func schema(_ sources: [TableSource]) throws(SeriesError) -> MeasurementSchema? {
        var fields: [[UInt8]: FieldType] = [:]
        var tagKeys: Set<[UInt8]> = []
        var last: (fields: [(name: [UInt8], type: FieldType)], tagKeys: [[UInt8]]) = ([], [])
        for source in sources {
            guard try source.hasSeries() else { continue }
            let names = (fields: source.fields, tagKeys: source.tagKeys)
            // Most sources have what the one before them has.
            if names.tagKeys == last.tagKeys, names.fields.elementsEqual(last.fields, by: ==) { continue }
            for field in names.fields { fields[field.name] = field.type }
            tagKeys.formUnion(names.tagKeys)
            last = names
        }
        guard !fields.isEmpty else { return nil }
        return MeasurementSchema(
            fields: fields.map { ($0.key, $0.value) }.sorted { SeriesKey.compare($0.name, $1.name) < 0 },
            tagKeys: tagKeys.sorted { SeriesKey.compare($0, $1) < 0 })
    }

    /// The series that match and have a point in the range, by their canonical keys in order.
    static func series(
        _ sources: [TableSource], of measurement: [UInt8], matching tags: TagPredicate, in range: ClosedRange<Int64>,
        _ visit: (borrowing SeriesTags) -> Bool
    ) throws(SeriesError) {
        var columns: [SeriesColumns] = []
        for source in sources {
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

    /// The distinct values of a tag, sorted; without "".
    static func tagValues(
        _ sources: [TableSource], key: [UInt8], matching tags: TagPredicate, in range: ClosedRange<Int64>
    ) throws(SeriesError) -> [[UInt8]] {
        var values: Set<[UInt8]> = []
        for source in sources {
            let found = source.series(try source.series(matching: tags), in: range)
            if found.isEmpty { continue }
            let column = try source.columns(of: found.members, keys: [key])
            for code in Set(column.codes[0]) {
                column.values[0].withString(Int(code)) { if !$0.isEmpty { values.insert([UInt8]($0)) } }
            }
        }
        return values.sorted { SeriesKey.compare($0, $1) < 0 }
    }
}

extension SeriesColumns {
    /// Brings the series into the order of their keys.
    fileprivate mutating func sort() {
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
