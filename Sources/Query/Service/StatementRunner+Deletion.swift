import Patterns
internal import Series

/// DELETE and DROP SERIES: what is to go is named here, one by one, so that applying the command needs no pattern.
extension StatementRunner {
    func delete(_ sources: [Source], _ condition: Expression?, dropsSeries: Bool) async throws(QueryError) {
        let database = try existingDatabase()
        let source = try self.source(nil)
        let time = try TimeCondition(condition, now: now)
        if dropsSeries, time.hasLower || time.hasUpper {
            throw QueryError(.execution, "DROP SERIES doesn't support time in WHERE clause")
        }
        guard let range = time.range else { return }
        let names = try measurements(sources, in: source)
        for name in names {
            if let rest = time.rest {
                for predicate in try predicates(name, rest, source, range, dropsSeries) {
                    try await administration.send(.delete(predicate), to: database)
                }
            } else {
                let predicate = DeletePredicate(
                    measurements: [name], tags: [], range: range, dropsSeries: dropsSeries)
                try await administration.send(.delete(predicate), to: database)
            }
        }
    }

    private func measurements(_ sources: [Source], in source: any PointSource) throws(QueryError) -> [[UInt8]] {
        let all = try reading { () throws(SeriesError) in try source.measurements(retentionPolicy: nil) }
        guard !sources.isEmpty else { return all }
        var chosen: Set<[UInt8]> = []
        for case .measurement(let reference) in sources {
            if let regex = reference.regex {
                let pattern = try QueryError.pattern(regex)
                chosen.formUnion(all.filter { pattern.matches($0) })
            } else {
                chosen.insert(Array(reference.name.utf8))
            }
        }
        return all.filter(chosen.contains)
    }

    /// The deletions that a condition on tags means for one measurement: those of its series that match, each tag with
    /// its values. Conditions that are a product of tags need one; others one per combination of values.
    private func predicates(
        _ name: [UInt8], _ condition: Expression, _ source: any PointSource, _ range: ClosedRange<Int64>,
        _ dropsSeries: Bool
    ) throws(QueryError) -> [DeletePredicate] {
        guard
            let schema = try reading({ () throws(SeriesError) in
                try source.schema(of: name, retentionPolicy: nil)
            })
        else { return [] }
        var binder = ColumnBinder(schema)
        let (tags, filter) = try binder.plan(condition)
        guard filter == nil else {
            throw QueryError(.execution, "fields not supported in WHERE clause during deletion")
        }
        let keys = Self.tagNames(in: condition)
        var combinations: Set<[[UInt8]]> = []
        var tooMany = false
        try reading { () throws(SeriesError) in
            try source.series(
                of: name, retentionPolicy: nil, matching: tags, in: InfluxTime.minimum...InfluxTime.maximum
            ) { series in
                let all = series.tags
                combinations.insert(keys.map { key in all.first { $0.key == key }?.value ?? [] })
                tooMany = combinations.count > control.limits.maximumSeries
                return !tooMany
            }
        }
        if tooMany {
            throw control.reached(
                .series,
                "max-select-series limit exceeded: (\(combinations.count)/\(control.limits.maximumSeries))")
        }
        if let exhausted = binder.patterns.first(where: \.gaveUp) { throw QueryError(exhausted.exhaustion) }
        return Self.product(keys, combinations).map { conditions in
            DeletePredicate(measurements: [name], tags: conditions, range: range, dropsSeries: dropsSeries)
        }
    }

    /// The tags that a condition names, sorted.
    private static func tagNames(in condition: Expression) -> [[UInt8]] {
        var names: Set<[UInt8]> = []
        _ = condition.contains { inner in
            if case .variable(let name, _) = inner { names.insert(Array(name.utf8)) }
            return false
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// One list of conditions if the combinations are all there are of the tags' values, else one per value of all but
    /// the last tag.
    private static func product(
        _ keys: [[UInt8]], _ combinations: Set<[[UInt8]]>
    ) -> [[DeletePredicate.Condition]] {
        guard !combinations.isEmpty else { return [] }
        let values = keys.indices.map { index in Set(combinations.map { $0[index] }) }
        if values.reduce(1, { $0 * $1.count }) == combinations.count {
            return [zip(keys, values).map { key, values in condition(key, values) }]
        }
        var byPrefix: [[[UInt8]]: Set<[UInt8]>] = [:]
        for combination in combinations {
            byPrefix[Array(combination.dropLast()), default: []].insert(combination[keys.count - 1])
        }
        return byPrefix.map { prefix, values in
            zip(keys, prefix).map { condition($0, [$1]) } + [condition(keys[keys.count - 1], values)]
        }
    }

    private static func condition(_ key: [UInt8], _ values: Set<[UInt8]>) -> DeletePredicate.Condition {
        DeletePredicate.Condition(key: key, values: values.sorted { $0.lexicographicallyPrecedes($1) })
    }
}
