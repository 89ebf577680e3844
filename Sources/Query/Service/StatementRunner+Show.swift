import Patterns
internal import Series
internal import Telemetry

/// SHOW: what there is.
extension StatementRunner {
    func run(_ statement: ShowStatement, emit: Emit) async throws(QueryError) {
        switch statement.subject {
        case .measurements: try await showMeasurements(statement, emit: emit)
        case .tagKeys: try await showTagKeys(statement, emit: emit)
        case .tagValues: try await showTagValues(statement, emit: emit)
        case .fieldKeys: try await showFieldKeys(statement, emit: emit)
        case .series: try await showSeries(statement, emit: emit)
        default: try await showCardinality(statement, emit: emit)
        }
    }

    /// Lists of what Millrace has none of are empty; what it cannot tell is an error.
    func run(_ list: Statement.List, emit: Emit) async throws(QueryError) {
        switch list {
        case .users: try await emit(ResultRows("", ["user", "admin"], rows: []))
        case .subscriptions: return
        case .continuousQueries:
            for name in directory.databases { try await emit(ResultRows(name, ["name", "query"], rows: [])) }
        default: throw QueryError(.execution, "SHOW \(list.rawValue) is not served yet")
        }
    }

    /// A measurement that a SHOW is about.
    struct Shown {
        var name: [UInt8]
        var schema: MeasurementSchema
        var retentionPolicy: [UInt8]?
        var tags: TagPredicate
    }

    /// Calls `body` with each measurement of FROM (all without one), in order, with the condition on its tags.
    func shown(
        _ statement: ShowStatement, in source: any PointSource, time: TimeCondition, defaultPolicyOnly: Bool = false
    ) throws(QueryError) -> [Shown] {
        let fallback = defaultPolicyOnly ? try defaultPolicy(source) : nil
        var found: [[UInt8]: [UInt8]?] = [:]
        let sources: [Source] = statement.sources.isEmpty ? [.measurement(Self.everything)] : statement.sources
        for case .measurement(let reference) in sources {
            let policy = reference.retentionPolicy.map { Array($0.utf8) } ?? fallback
            if let regex = reference.regex {
                let pattern = try QueryError.pattern(regex)
                let names = try reading { () throws(SeriesError) in
                    try source.measurements(retentionPolicy: policy)
                }
                for name in names where regex.isEmpty || pattern.matches(name) { found[name] = .some(policy) }
            } else {
                found[Array(reference.name.utf8)] = .some(policy)
            }
        }
        var result: [Shown] = []
        for (name, policy) in found.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard
                let schema = try reading({ () throws(SeriesError) in
                    try source.schema(of: name, retentionPolicy: policy)
                })
            else { continue }
            var binder = ColumnBinder(schema)
            let tags = try time.rest.map { condition throws(QueryError) in try binder.tagsOnly(condition) } ?? .all
            result.append(Shown(name: name, schema: schema, retentionPolicy: policy, tags: tags))
        }
        return result
    }

    private static var everything: MeasurementReference {
        var reference = MeasurementReference()
        reference.regex = ""
        return reference
    }

    static func cut<Element>(_ rows: [Element], _ statement: ShowStatement) -> [Element] {
        Array(rows.dropFirst(statement.offset).prefix(statement.limit > 0 ? statement.limit : .max))
    }

    private func range(_ time: TimeCondition) -> ClosedRange<Int64> {
        time.range ?? InfluxTime.maximum...InfluxTime.maximum
    }

    private func showMeasurements(_ statement: ShowStatement, emit: Emit) async throws(QueryError) {
        let name = try databaseName(statement.database)
        // Here, and only here, InfluxDB finds nothing wrong with a database that is none.
        guard let source = directory.source(of: name) else { return }
        let time = try TimeCondition(statement.condition, now: now)
        var names: [[UInt8]] = []
        if let condition = time.rest { try ColumnBinder.checkMeasurementCondition(condition) }
        for var measurement in try shown(statement, in: source, time: time) {
            // That a tag is missing chooses no measurement.
            measurement.tags = measurement.tags.withoutMissing
            if time.rest != nil || time.hasLower || time.hasUpper {
                var some = false
                try visit(measurement, in: source, range(time)) { _ in
                    some = true
                    return false
                }
                guard some else { continue }
            }
            names.append(measurement.name)
        }
        let rows = Self.cut(names, statement).map { [Value.string($0)] }
        if !rows.isEmpty { try await emit(ResultRows("measurements", ["name"], rows: rows)) }
    }

    func visit(
        _ measurement: Shown, in source: any PointSource, _ range: ClosedRange<Int64>,
        _ body: (borrowing SeriesTags) -> Bool
    ) throws(QueryError) {
        try control.check(points: 0)
        try reading { () throws(SeriesError) in
            try source.series(
                of: measurement.name, retentionPolicy: measurement.retentionPolicy, matching: measurement.tags,
                in: range, body)
        }
    }

    private func showTagKeys(_ statement: ShowStatement, emit: Emit) async throws(QueryError) {
        let source = try source(statement.database)
        let time = try TimeCondition(statement.condition, now: now)
        for measurement in try shown(statement, in: source, time: time) {
            var keys = measurement.schema.tagKeys
            if time.rest != nil {
                var present: Set<[UInt8]> = []
                try visit(measurement, in: source, range(time)) { series in
                    for tag in series.tags { present.insert(tag.key) }
                    return present.count < keys.count
                }
                keys = keys.filter(present.contains)
            }
            keys = try chosen(keys, statement.keys)
            let rows = Self.cut(keys, statement).map { [Value.string($0)] }
            if !rows.isEmpty {
                try await emit(ResultRows(String(decoding: measurement.name, as: UTF8.self), ["tagKey"], rows: rows))
            }
        }
    }

    /// The keys that WITH KEY means.
    private func chosen(
        _ keys: [[UInt8]], _ choice: ShowStatement.KeyChoice?
    ) throws(QueryError) -> [[UInt8]] {
        switch choice {
        case nil: return keys
        case .equals(let name): return keys.filter { $0 == Array(name.utf8) }
        case .differs(let name): return keys.filter { $0 != Array(name.utf8) }
        case .oneOf(let names):
            let wanted = Set(names.map { Array($0.utf8) })
            return keys.filter(wanted.contains)
        case .matches(let text):
            let pattern = try QueryError.pattern(text)
            return keys.filter { pattern.matches($0) }
        case .matchesNot(let text):
            let pattern = try QueryError.pattern(text)
            return keys.filter { !pattern.matches($0) }
        }
    }

    private func showTagValues(_ statement: ShowStatement, emit: Emit) async throws(QueryError) {
        let source = try source(statement.database)
        let time = try TimeCondition(statement.condition, now: now)
        for measurement in try shown(statement, in: source, time: time) {
            let rows = Self.cut(try tagValues(measurement, statement, source, range(time)), statement)
            if !rows.isEmpty {
                try await emit(
                    ResultRows(
                        String(decoding: measurement.name, as: UTF8.self), ["key", "value"],
                        rows: rows.map { [.string($0.key), .string($0.value)] }))
            }
        }
    }

    private func tagValues(
        _ measurement: Shown, _ statement: ShowStatement, _ source: any PointSource, _ range: ClosedRange<Int64>
    ) throws(QueryError) -> [(key: [UInt8], value: [UInt8])] {
        var rows: [(key: [UInt8], value: [UInt8])] = []
        for key in try chosen(measurement.schema.tagKeys, statement.keys) {
            try control.check(points: 0)
            let values = try reading { () throws(SeriesError) in
                try source.tagValues(
                    of: measurement.name, retentionPolicy: measurement.retentionPolicy, key: key,
                    matching: measurement.tags, in: range)
            }
            rows += values.map { (key, $0) }
            try check(rows.count)
        }
        return rows
    }

    private func check(_ rows: Int) throws(QueryError) {
        guard rows <= control.limits.maximumShowRows else {
            throw control.reached(
                .showRows, "max-show-rows limit exceeded: (\(rows)/\(control.limits.maximumShowRows))")
        }
    }

    private func showFieldKeys(_ statement: ShowStatement, emit: Emit) async throws(QueryError) {
        let source = try source(statement.database)
        let time = try TimeCondition(nil, now: now)
        for measurement in try shown(statement, in: source, time: time, defaultPolicyOnly: true) {
            let rows = Self.cut(measurement.schema.fields, statement).map { field in
                [Value.string(field.name), .text(field.type.name)]
            }
            if !rows.isEmpty {
                try await emit(
                    ResultRows(
                        String(decoding: measurement.name, as: UTF8.self), ["fieldKey", "fieldType"], rows: rows))
            }
        }
    }

    private func showSeries(_ statement: ShowStatement, emit: Emit) async throws(QueryError) {
        let source = try source(statement.database)
        let time = try TimeCondition(statement.condition, now: now)
        var keys: [[UInt8]] = []
        let (end, overflow) = statement.offset.addingReportingOverflow(statement.limit)
        let wanted = statement.limit == 0 || overflow ? Int.max : end
        for measurement in try shown(statement, in: source, time: time) {
            try visit(measurement, in: source, range(time)) { series in
                keys.append(Self.key(series))
                return keys.count < wanted && keys.count <= control.limits.maximumShowRows
            }
            try check(keys.count)
            if keys.count >= wanted { break }
        }
        let rows = Self.cut(keys, statement)
        var position = 0
        while position < rows.count {
            let end = min(rows.count, position + request.format.chunkRows)
            var piece = ResultRows("", ["key"], rows: rows[position..<end].map { [.string($0)] })
            piece.continues = end < rows.count
            try await emit(piece)
            position = end
        }
    }

    /// The canonical text of a series.
    private static func key(_ series: borrowing SeriesTags) -> [UInt8] {
        var text: [UInt8] = []
        series.measurement.withUnsafeBytes { LineEscaping.escape($0, .measurement, into: &text) }
        for tag in series.tags {
            text.append(UInt8(ascii: ","))
            tag.key.withUnsafeBytes { LineEscaping.escape($0, .tag, into: &text) }
            text.append(UInt8(ascii: "="))
            tag.value.withUnsafeBytes { LineEscaping.escape($0, .tag, into: &text) }
        }
        return text
    }

    /// Cardinalities: of the whole database estimated, else counted.
    private func showCardinality(_ statement: ShowStatement, emit: Emit) async throws(QueryError) {
        let source = try source(statement.database)
        let time = try TimeCondition(statement.condition, now: now)
        let isWhole = statement.sources.isEmpty && statement.condition == nil && !statement.exact
        let column = isWhole ? "cardinality estimation" : "count"
        switch statement.subject {
        case .seriesCardinality where isWhole:
            return try await emit(ResultRows("", [column], rows: [[.integer(Int64(source.seriesEstimate))]]))
        case .measurementCardinality:
            let count = try shown(statement, in: source, time: time).count
            return try await emit(ResultRows("", [column], rows: [[.integer(Int64(count))]]))
        default: break
        }
        for measurement in try shown(statement, in: source, time: time, defaultPolicyOnly: true) {
            var count = 0
            switch statement.subject {
            case .seriesCardinality:
                try visit(measurement, in: source, range(time)) { _ in
                    count += 1
                    return true
                }
            case .fieldKeyCardinality: count = measurement.schema.fields.count
            case .tagKeyCardinality: count = measurement.schema.tagKeys.count
            default: count = try tagValues(measurement, statement, source, range(time)).count
            }
            guard count > 0 else { continue }
            try await emit(
                ResultRows(
                    String(decoding: measurement.name, as: UTF8.self), ["count"], rows: [[.integer(Int64(count))]]))
        }
    }
}

extension TagPredicate {
    /// The condition, false where it asks for a missing tag.
    fileprivate var withoutMissing: TagPredicate {
        switch self {
        case .equals(_, []): .not(.all)
        case .and(let parts): .and(parts.map(\.withoutMissing))
        case .or(let parts): .or(parts.map(\.withoutMissing))
        default: self
        }
    }
}

/// Conditions of SHOW.
extension ColumnBinder {
    /// What a condition says of tags. What it says of fields holds, as in InfluxDB.
    mutating func tagsOnly(_ condition: Expression) throws(QueryError) -> TagPredicate {
        switch condition.bare {
        case .logical(let operation, let terms):
            var parts: [TagPredicate] = []
            for term in terms { parts.append(try tagsOnly(term)) }
            return operation == .and ? .and(parts) : .or(parts)
        case .binary(_, .variable(let name, let cast), let right):
            guard !isField(name, cast) else { return .all }
            switch right.bare {
            case .string, .regex: return try plan(condition).tags
            default: return .all
            }
        default: return .all
        }
    }

    /// SHOW MEASUREMENTS takes only tags compared with strings and patterns.
    static func checkMeasurementCondition(_ condition: Expression) throws(QueryError) {
        switch condition.bare {
        case .logical(_, let terms):
            for term in terms { try checkMeasurementCondition(term) }
        case .binary(let operation, _, let right):
            switch (operation, right.bare) {
            case (.matches, .regex), (.matchesNot, .regex), (_, .string): return
            case (.matches, _), (.matchesNot, _):
                throw QueryError(.execution, "right side of '\(operation.rawValue)' must be a tag value regex")
            default:
                throw QueryError(.execution, "right side of '\(operation.rawValue)' must be a tag value string")
            }
        default: throw QueryError(.execution, "invalid condition expression: \(Printer.text(condition))")
        }
    }
}
