import Patterns
internal import Series

/// Runs one statement.
struct StatementRunner {
    typealias Emit = (ResultRows) async throws(QueryError) -> Void

    let directory: any DatabaseDirectory
    let administration: any SeriesAdministration
    let request: InfluxQLRequest
    let control: QueryControl
    /// Nanoseconds since 1970.
    let now: Int64

    func run(_ statement: Statement, emit: Emit) async throws(QueryError) {
        switch statement {
        case .select(let select): try await run(select, emit: emit)
        case .explain: throw QueryError(.execution, "EXPLAIN is not served yet")
        case .show(let show): try await run(show, emit: emit)
        case .showDatabases:
            try await emit(ResultRows("databases", ["name"], rows: directory.databases.map { [.text($0)] }))
        case .showRetentionPolicies(let database): try await emit(retentionPolicies(of: database))
        case .showGrants: throw QueryError(.execution, "user not found")
        case .showList(let list): try await run(list, emit: emit)
        case .killQuery(let number): throw QueryError(.execution, "no such query id: \(number)")
        case .unserved(let words): throw QueryError(.execution, "\(words) is not served yet")
        case .createDatabase, .dropDatabase, .createRetentionPolicy, .alterRetentionPolicy, .dropRetentionPolicy:
            try await control.elsewhere { () async throws(QueryError) in try await define(statement) }
        case .dropMeasurement(let name):
            let database = try existingDatabase()
            try await control.elsewhere { () async throws(QueryError) in
                try await administration.send(.dropMeasurement(name: Array(name.utf8)), to: database)
            }
        case .delete(let sources, let condition):
            try await control.elsewhere { () async throws(QueryError) in
                try await delete(sources, condition, dropsSeries: false)
            }
        case .dropSeries(let sources, let condition):
            try await control.elsewhere { () async throws(QueryError) in
                try await delete(sources, condition, dropsSeries: true)
            }
        }
    }

    /// The database that a statement means.
    func databaseName(_ name: String?) throws(QueryError) -> String {
        guard let name = name ?? request.database, !name.isEmpty else {
            throw QueryError(.execution, "database name required")
        }
        return name
    }

    /// The request's database, which must exist.
    func existingDatabase() throws(QueryError) -> String {
        let name = request.database ?? ""
        guard !name.isEmpty, directory.source(of: name) != nil else {
            throw QueryError(.execution, "database not found: \(name)")
        }
        return name
    }

    /// What is read of a database.
    func source(_ name: String?) throws(QueryError) -> any PointSource {
        let name = try databaseName(name)
        guard let source = directory.source(of: name) else {
            throw QueryError(.execution, "database not found: \(name)")
        }
        return source
    }

    /// Runs what may fail in the engine.
    func reading<Result>(_ body: () throws(SeriesError) -> Result) throws(QueryError) -> Result {
        do {
            return try body()
        } catch {
            throw QueryError(.execution, error.message, cause: error)
        }
    }
}

/// SELECT.
extension StatementRunner {
    private func run(_ statement: SelectStatement, emit: Emit) async throws(QueryError) {
        if statement.target != nil { throw QueryError(.execution, "SELECT INTO is not served yet") }
        if let zone = statement.timeZone, zone.uppercased() != "UTC", !zone.isEmpty {
            throw QueryError(.execution, "tz('\(zone)') is not served yet")
        }
        let plan = try SelectPlanner(statement: statement, sources: try sources(statement.sources), now: now).plan()
        let pieceRows = request.format.chunkRows
        // A pattern may take long over each string.
        if !plan.patterns.isEmpty { await control.yield() }
        for part in plan.parts {
            let executor = PlanExecutor(source: part.source, control: control)
            do throws(QueryError) {
                try await executor.run(part.plan, pieceRows: pieceRows) { piece async throws(QueryError) in
                    var rows = ResultRows(
                        name: part.measurement, tags: Array(zip(part.tagKeys, piece.group)), columns: plan.columns,
                        times: piece.times, values: piece.columns)
                    rows.continues = !piece.endsGroup
                    if rows.count > 0 { try await emit(rows) }
                }
            } catch {
                if let exhausted = plan.patterns.first(where: \.gaveUp) { throw QueryError(exhausted.exhaustion) }
                throw error
            }
            if let exhausted = plan.patterns.first(where: \.gaveUp) { throw QueryError(exhausted.exhaustion) }
        }
    }

    /// The measurements of FROM that exist, by name.
    private func sources(_ sources: [Source]) throws(QueryError) -> [SelectSource] {
        var result: [SelectSource] = []
        for source in sources {
            guard case .measurement(let reference) = source else {
                throw QueryError(.execution, "subqueries are not served yet")
            }
            result += try self.sources(reference)
        }
        return result.enumerated().sorted { left, right in
            left.element.name == right.element.name
                ? left.offset < right.offset
                : left.element.name.lexicographicallyPrecedes(right.element.name)
        }.map(\.element)
    }

    private func sources(_ reference: MeasurementReference) throws(QueryError) -> [SelectSource] {
        let source = try source(reference.database)
        let policy = reference.retentionPolicy ?? (reference.database == nil ? request.retentionPolicy : nil)
        let policyBytes = policy.map { Array($0.utf8) }
        if let policy, !source.retentionPolicies.contains(where: { $0.name == policyBytes }) {
            throw QueryError(.execution, "retention policy not found: \(policy)")
        }
        let wanted = if let policyBytes { policyBytes } else { try defaultPolicy(source) }
        guard reference.regex != nil || !reference.name.isEmpty else {
            throw QueryError(.execution, "invalid measurement")
        }
        let names = try names(reference, in: source, wanted)
        var result: [SelectSource] = []
        for name in names {
            guard
                let schema = try reading({ () throws(SeriesError) in
                    try source.schema(of: name, retentionPolicy: wanted)
                })
            else { continue }
            result.append(SelectSource(name: name, retentionPolicy: policyBytes, source: source, schema: schema))
        }
        return result
    }

    /// The default policy, which may have been dropped.
    func defaultPolicy(_ source: any PointSource) throws(QueryError) -> [UInt8] {
        let name = source.defaultPolicyName
        guard source.retentionPolicies.contains(where: { $0.name == name }) else {
            throw QueryError(.execution, "retention policy not found: \(String(decoding: name, as: UTF8.self))")
        }
        return name
    }

    private func names(
        _ reference: MeasurementReference, in source: any PointSource, _ policy: [UInt8]
    ) throws(QueryError) -> [[UInt8]] {
        guard let regex = reference.regex else { return [Array(reference.name.utf8)] }
        let pattern = try QueryError.pattern(regex)
        let all = try reading { () throws(SeriesError) in
            try source.measurements(retentionPolicy: policy)
        }
        return all.filter { pattern.matches($0) }
    }
}
