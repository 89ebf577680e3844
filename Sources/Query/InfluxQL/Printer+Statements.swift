extension Statement {
    /// Whether InfluxDB warns when it comes in a read-only request. DELETE it does not warn of.
    var changes: Bool {
        switch self {
        case .dropSeries, .dropMeasurement, .createDatabase, .dropDatabase, .createRetentionPolicy,
            .alterRetentionPolicy, .dropRetentionPolicy, .killQuery:
            true
        default: false
        }
    }
}

/// All kinds of statements.
extension Printer {
    /// The text of a statement.
    public static func text(_ statement: Statement) -> String {
        switch statement {
        case .select(let select): text(select)
        case .explain(let select, let analyze): "EXPLAIN \(analyze ? "ANALYZE " : "")\(text(select))"
        case .delete(let sources, let condition): "DELETE" + deletion(sources, condition)
        case .dropSeries(let sources, let condition): "DROP SERIES" + deletion(sources, condition)
        case .dropMeasurement(let name): "DROP MEASUREMENT \(identifier(name))"
        case .createDatabase(let name, let options):
            "CREATE DATABASE \(identifier(name))" + (options.map { " WITH" + database($0) } ?? "")
        case .dropDatabase(let name): "DROP DATABASE \(identifier(name))"
        case .createRetentionPolicy(let name, let database, let options):
            "CREATE RETENTION POLICY \(identifier(name)) ON \(identifier(database))" + policy(options)
        case .alterRetentionPolicy(let name, let database, let options):
            "ALTER RETENTION POLICY \(identifier(name)) ON \(identifier(database))" + policy(options)
        case .dropRetentionPolicy(let name, let database):
            "DROP RETENTION POLICY \(identifier(name)) ON \(identifier(database))"
        case .show(let show): text(show)
        case .showDatabases: "SHOW DATABASES"
        case .showRetentionPolicies(let database):
            "SHOW RETENTION POLICIES" + (database.map { " ON \(identifier($0))" } ?? "")
        case .showGrants(let user): "SHOW GRANTS FOR \(identifier(user))"
        case .showList(let list): "SHOW \(list.rawValue)"
        case .killQuery(let number): "KILL QUERY \(number)"
        case .unserved(let words): words
        }
    }

    private static func deletion(_ sources: [Source], _ condition: Expression?) -> String {
        from(sources) + (condition.map { " WHERE \(text($0))" } ?? "")
    }

    private static func from(_ sources: [Source]) -> String {
        guard !sources.isEmpty else { return "" }
        let names = sources.map { source in
            switch source {
            case .measurement(let reference): text(reference, isTarget: false)
            case .subquery(let select): "(\(text(select)))"
            }
        }
        return " FROM " + names.joined(separator: ", ")
    }

    private static func database(_ options: PolicyOptions) -> String {
        var text = ""
        if let duration = options.durationNanoseconds { text += " DURATION \(DurationText.text(duration))" }
        if let replication = options.replication { text += " REPLICATION \(replication)" }
        if let shard = options.shardNanoseconds { text += " SHARD DURATION \(DurationText.text(shard))" }
        if let name = options.name { text += " NAME \(identifier(name))" }
        return text
    }

    private static func policy(_ options: PolicyOptions) -> String {
        var named = options
        named.name = nil
        return database(named) + (options.isDefault ? " DEFAULT" : "")
    }

    private static func text(_ show: ShowStatement) -> String {
        var text = "SHOW \(show.subject.rawValue)"
        if show.exact { text = text.replacingLast("CARDINALITY", with: "EXACT CARDINALITY") }
        if let database = show.database { text += " ON \(identifier(database))" }
        if show.subject == .measurements, case .measurement(let reference)? = show.sources.first {
            text += " WITH MEASUREMENT \(reference.regex == nil ? "=" : "=~") "
            text += Self.text(reference, isTarget: false)
        } else {
            text += from(show.sources)
        }
        if let keys = show.keys { text += " WITH KEY \(choice(keys))" }
        if let condition = show.condition { text += " WHERE \(Self.text(condition))" }
        if !show.dimensions.isEmpty {
            text += " GROUP BY " + show.dimensions.map { Self.text($0) }.joined(separator: ", ")
        }
        if let descending = show.descending { text += " ORDER BY time \(descending ? "DESC" : "ASC")" }
        if show.limit > 0 { text += " LIMIT \(show.limit)" }
        if show.offset > 0 { text += " OFFSET \(show.offset)" }
        if show.seriesLimit > 0 { text += " SLIMIT \(show.seriesLimit)" }
        if show.seriesOffset > 0 { text += " SOFFSET \(show.seriesOffset)" }
        return text
    }

    private static func choice(_ keys: ShowStatement.KeyChoice) -> String {
        switch keys {
        case .equals(let name): "= \(identifier(name))"
        case .differs(let name): "!= \(identifier(name))"
        case .oneOf(let names): "IN (\(names.map(identifier).joined(separator: ", ")))"
        case .matches(let pattern): "=~ \(text(.regex(pattern)))"
        case .matchesNot(let pattern): "!~ \(text(.regex(pattern)))"
        }
    }
}

extension String {
    fileprivate func replacingLast(_ word: String, with replacement: String) -> String {
        hasSuffix(word) ? dropLast(word.count) + replacement : self
    }
}
