import Columns
import Telemetry

/// An error around a refusal, so that `Result` takes it.
struct SeriesRefusal: Error {
    let refusal: PointRefusal
}

extension Applier {
    /// The most tags of a series.
    static let maximumTags = 1_024
    /// The most tag keys of a measurement.
    static let maximumTagKeys = 4_096

    /// Takes a key apart (into `key`), and finds or makes its table.
    func resolveTable(_ prefix: UnsafeRawBufferPointer, _ context: LineContext) -> Result<Int, SeriesRefusal> {
        guard prefix.count <= LineFailure.maximumKeyBytes else {
            return .failure(SeriesRefusal(refusal: .keyTooLong(prefix.count)))
        }
        key.parse(prefix)
        guard key.tags.count <= Self.maximumTags else {
            return .failure(SeriesRefusal(refusal: .tooManyTags(key.tags.count)))
        }
        let name = TableKey(
            retentionPolicy: context.policy.name, measurement: Array(key.bytes[key.measurement]))
        if let number = head.table(name) { return .success(number) }
        if state.fields[name] == nil, let refusal = checkMeasurement(name) {
            return .failure(SeriesRefusal(refusal: refusal))
        }
        return .success(head.addTable(name))
    }

    /// Finds or makes the series of `key`.
    func resolveSeries(_ table: HeadTable, window: Int64) -> Result<Int, SeriesRefusal> {
        let search = findSeries(table)
        if let series = search.series, table.series.sketchWindows[series] == window { return .success(series) }
        if let refusal = checkLimits(table, search.hash, search.values) {
            return .failure(SeriesRefusal(refusal: refusal))
        }
        if let series = search.series {
            table.series.sketchWindows.replace(series, with: window)
            table.series.isNewValue = key.tags.map { _ in true }
            count(table, search.hash, search.values, window: window)
            return .success(series)
        }
        let series = addSeries(table, search.hash, search.values)
        table.series.sketchWindows.replace(series, with: window)
        count(table, search.hash, search.values, window: window)
        return .success(series)
    }

    /// Counts the series of `key`, and its tags' values.
    private func count(_ table: HeadTable, _ hash: UInt64, _ values: [UInt64], window: Int64) {
        let stretch =
            state.policy(table.key.retentionPolicy).flatMap(Cardinality.windowNanoseconds) == nil ? nil : window
        state.cardinality.insertSeries(hash, table: table.key, window: stretch)
        for index in key.tags.indices {
            // Where points stay for ever, a value that the head knows was counted.
            if stretch == nil, !table.series.isNewValue[index], !table.series.isRecounted { continue }
            let tagKey = table.series.tagKeys[Int(shape[index])]
            state.cardinality.insertValue(values[index], tag: tagKey.name, table: table.key, window: stretch)
        }
    }

    private func checkMeasurement(_ name: TableKey) -> PointRefusal? {
        let limit = state.limits.maximumMeasurements
        let known = measurements ?? Set(state.fields.keys.map(\.measurement))
        measurements = known
        guard !known.contains(name.measurement), known.count >= limit else {
            state.fields[name] = [:]
            measurements?.insert(name.measurement)
            return nil
        }
        return .measurements(limit: limit, measurement: name.measurement)
    }

    private struct Search {
        /// The series in the head, if it is there.
        var series: Int?
        var hash: UInt64
        /// A hash per tag's value.
        var values: [UInt64] = []
    }

    /// Looks the tags of `key` up without adding anything: what a bound refuses must not take memory.
    private func findSeries(_ table: HeadTable) -> Search {
        var search = Search(hash: table.nameHash)
        search.values.reserveCapacity(key.tags.count)
        codes.removeAll(keepingCapacity: true)
        shape.removeAll(keepingCapacity: true)
        var isKnown = true
        key.bytes.withUnsafeBytes { bytes in
            for tag in key.tags {
                let name = UnsafeRawBufferPointer(rebasing: bytes[tag.key])
                let value = UnsafeRawBufferPointer(rebasing: bytes[tag.value])
                let valueHash = BytesHash.hash(value)
                search.values.append(valueHash)
                search.hash = BytesHash.combine(BytesHash.combine(search.hash, BytesHash.hash(name)), valueHash)
                guard isKnown, let number = table.series.tagKey(name, expected: shape.count),
                    let code = table.series.tagKeys[number].values.find(value, hash: valueHash)
                else {
                    isKnown = false
                    continue
                }
                shape.append(UInt16(number))
                codes.append(UInt32(code))
            }
        }
        if isKnown {
            let number = table.series.internShape(shape)
            search.series = table.series.find(shape: number, codes: codes, hash: search.hash)
        }
        return search
    }

    private func checkLimits(_ table: HeadTable, _ hash: UInt64, _ valueHashes: [UInt64]) -> PointRefusal? {
        let limits = state.limits
        let counts = state.cardinality.tables[table.key]
        if limits.maximumTagValues > 0, let counts {
            for (index, tag) in key.tags.enumerated() {
                let name = Array(key.bytes[tag.key])
                guard let sketch = counts.tags[name], sketch.estimate >= limits.maximumTagValues else { continue }
                if sketch.total.contains(valueHashes[index]) == true { continue }
                let value = Array(key.bytes[tag.value])
                if !sketch.total.isExact, isKnown(value: value, hash: valueHashes[index], of: name, table) { continue }
                return .tagValues(
                    count: limits.maximumTagValues, limit: limits.maximumTagValues,
                    measurement: table.key.measurement, tag: name, value: value)
            }
        }
        if (counts?.tags.count ?? 0) + key.tags.count > Self.maximumTagKeys, let refusal = checkTagKeys(table, counts) {
            return refusal
        }
        guard state.cardinality.seriesEstimate >= limits.maximumSeries else { return nil }
        if let counts {
            if counts.series.total.contains(hash) == true { return nil }
            if !counts.series.total.isExact, mayBeKnown(counts, valueHashes),
                stored.hasSeries(table.key, tags: tagList(counts))
            {
                return nil
            }
        }
        if worstTag == nil { worstTag = .some(state.cardinality.worstTag) }
        return .series(limit: limits.maximumSeries, worst: worstTag ?? nil)
    }

    /// Keys go when their measurement is dropped.
    private func checkTagKeys(_ table: HeadTable, _ counts: Cardinality.Table?) -> PointRefusal? {
        let names = key.tags.map { Array(key.bytes[$0.key]) }
        let new = names.filter { counts?.tags[$0] == nil }
        guard let first = new.first, (counts?.tags.count ?? 0) + new.count > Self.maximumTagKeys else { return nil }
        return .tagKeys(limit: Self.maximumTagKeys, measurement: table.key.measurement, tag: first)
    }

    private func isKnown(value: [UInt8], hash: UInt64, of name: [UInt8], _ table: HeadTable) -> Bool {
        let inHead = name.withUnsafeBytes({ table.series.tagKey($0, expected: 0) }).flatMap { number in
            value.withUnsafeBytes { table.series.tagKeys[number].values.find($0, hash: hash) }
        }
        return inHead != nil || stored.hasValue(table.key, tag: name, value: value)
    }

    /// Whether each tag has a value that was seen, as far as the sketches tell: mostly a series beyond the bound has a
    /// new one, and no block has to be asked.
    private func mayBeKnown(_ counts: Cardinality.Table, _ valueHashes: [UInt64]) -> Bool {
        key.tags.indices.allSatisfy { index in
            guard let sketch = counts.tags[Array(key.bytes[key.tags[index].key])] else { return false }
            return sketch.total.contains(valueHashes[index]) ?? true
        }
    }

    /// The tags of `key`, those with the most values first, which tell series apart the soonest.
    private func tagList(_ counts: Cardinality.Table) -> [(key: [UInt8], value: [UInt8])] {
        key.tags.map { (key: Array(key.bytes[$0.key]), value: Array(key.bytes[$0.value])) }
            .sorted { (counts.tags[$0.key]?.estimate ?? 0) > (counts.tags[$1.key]?.estimate ?? 0) }
    }

    private func addSeries(_ table: HeadTable, _ hash: UInt64, _ valueHashes: [UInt64]) -> Int {
        codes.removeAll(keepingCapacity: true)
        shape.removeAll(keepingCapacity: true)
        table.series.isNewValue.removeAll(keepingCapacity: true)
        table.isChanged = true
        key.bytes.withUnsafeBytes { bytes in
            for (index, tag) in key.tags.enumerated() {
                let name = UnsafeRawBufferPointer(rebasing: bytes[tag.key])
                let number = table.series.internTagKey(name, expected: index)
                let values = table.series.tagKeys[number].values
                let value = UnsafeRawBufferPointer(rebasing: bytes[tag.value])
                let valueHash = valueHashes[index]
                let found = values.find(value, hash: valueHash)
                shape.append(UInt16(number))
                codes.append(UInt32(found ?? values.insert(value, hash: valueHash)))
                table.series.isNewValue.append(found == nil)
            }
        }
        return table.series.insert(shape: table.series.internShape(shape), codes: codes, hash: hash)
    }
}
