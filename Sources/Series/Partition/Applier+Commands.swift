import Columns
import KafkaWire
import View

extension Applier {
    /// Applies a control record. One that is no command of ours (a transaction's marker) is nothing to this view.
    func applyControl(_ record: RecordView, _ rejections: inout [Rejection]) {
        guard let key = record.key, let value = record.value,
            ControlRecord.key.withUnsafeBytes({ equalBytes($0, key) })
        else { return }
        do throws(SeriesError) {
            apply(try CommandCodec.decode(value), offset: record.offset)
        } catch {
            rejections.append(
                Rejection(
                    offset: record.offset, position: 0, content: Self.excerpt(value), reason: error.description,
                    count: 0))
        }
    }

    private func apply(_ command: SeriesCommand, offset: Int64) {
        isStateChanged = true
        switch command {
        case .setRetentionPolicy(let policy):
            set(policy)
        case .dropRetentionPolicy(let name):
            if state.policy(nil)?.name == name { state.droppedDefault = name }
            state.retentionPolicies.removeAll { $0.name == name }
            forget(Tombstone(offset: offset, target: .retentionPolicy(name))) { $0.retentionPolicy == name }
        case .dropMeasurement(let name):
            forget(Tombstone(offset: offset, target: .measurement(name))) { $0.measurement == name }
        case .delete(let predicate):
            delete(predicate, offset: offset)
        case .setLimits(let limits):
            state.limits = limits
        }
    }

    private func set(_ given: RetentionPolicy) {
        var policy = given
        // A dropped default that is made anew is the default again, as in InfluxDB.
        if policy.name == state.droppedDefault { policy.isDefault = true }
        if policy.isDefault {
            state.droppedDefault = nil
            for index in state.retentionPolicies.indices { state.retentionPolicies[index].isDefault = false }
        }
        if let index = state.retentionPolicies.firstIndex(where: { $0.name == policy.name }) {
            state.retentionPolicies[index] = policy
        } else {
            state.retentionPolicies.append(policy)
            state.retentionPolicies.sort { SeriesKey.compare($0.name, $1.name) < 0 }
        }
        // Sketches tell stretches of another length apart from now on.
        expired[policy.name] = nil
    }

    /// Tables go as a whole: from the head at once, from blocks by a tombstone.
    private func forget(_ tombstone: Tombstone, where isForgotten: (TableKey) -> Bool) {
        head.drop(where: isForgotten)
        state.fields = state.fields.filter { !isForgotten($0.key) }
        measurements = nil
        state.cardinality.remove(where: isForgotten)
        state.tombstones.append(tombstone)
    }

    private func delete(_ predicate: DeletePredicate, offset: Int64) {
        let isWhole = predicate.times == .min ... .max
        if isWhole, predicate.tags.isEmpty {
            head.drop { predicate.concerns($0.measurement) }
        } else {
            for table in head.tables where !table.isDropped && predicate.concerns(table.key.measurement) {
                table.mask(predicate)
            }
        }
        if isWhole {
            for key in Array(state.fields.keys) where predicate.concerns(key.measurement) { recount(key, predicate) }
        }
        state.tombstones.append(Tombstone(offset: offset, target: .points(predicate)))
    }

    /// Counts the series that a drop leaves. Series of the head count again with their next point.
    private func recount(_ key: TableKey, _ predicate: DeletePredicate) {
        let length = state.policy(key.retentionPolicy).flatMap(Cardinality.windowNanoseconds)
        var left = Cardinality.Table()
        func count(_ tags: [(key: [UInt8], value: [UInt8])], _ time: Int64) {
            guard !predicate.matches(tags) else { return }
            let window = length.map { ShardWindow(containing: time, nanoseconds: $0).start }
            var hash = key.measurement.withUnsafeBytes { BytesHash.hash($0) }
            for tag in tags {
                let value = tag.value.withUnsafeBytes { BytesHash.hash($0) }
                let name = tag.key.withUnsafeBytes { BytesHash.hash($0) }
                hash = BytesHash.combine(BytesHash.combine(hash, name), value)
                left.tags[tag.key, default: WindowedSketch()].insert(value, window: window)
            }
            left.series.insert(hash, window: window)
        }
        stored.visitSeries(key, deleted: state.tombstones, count)
        if let number = head.table(key) {
            let table = head.tables[number]
            table.publish()
            table.series.isRecounted = true
            let view = table.view()
            for ordinal in 0..<view.seriesCount {
                let tags = table.series.tags(of: ordinal, view)
                if predicate.matches(tags) {
                    table.series.sketchWindows.replace(ordinal, with: .min)
                } else if table.series.sketchWindows[ordinal] != .min {
                    count(tags, table.series.sketchWindows[ordinal])
                }
            }
        }
        state.cardinality.replace(key, by: left)
    }
}

extension DeletePredicate {
    /// Whether a series with these tags is concerned.
    func matches(_ series: [(key: [UInt8], value: [UInt8])]) -> Bool {
        tags.allSatisfy { condition in
            condition.values.contains(series.first { $0.key == condition.key }?.value ?? [])
        }
    }
}
