/// SHOW.
extension Parser {
    mutating func showStatement() throws(QueryError) -> Statement {
        switch try oneOf([
            .continuous, .databases, .diagnostics, .field, .grants, .measurement, .measurements, .queries, .retention,
            .series, .shard, .shards, .stats, .subscriptions, .tag, .users,
        ]) {
        case .continuous:
            try expect(.queries)
            return .showList(.continuousQueries)
        case .databases: return .showDatabases
        case .diagnostics: return try moduleList(.diagnostics)
        case .stats: return try moduleList(.stats)
        case .grants:
            try expect(.for)
            return .showGrants(user: try identifier())
        case .queries: return .showList(.queries)
        case .retention:
            try expect(.policies)
            return .showRetentionPolicies(database: try onDatabase())
        case .shard:
            try expect(.groups)
            return .showList(.shardGroups)
        case .shards: return .showList(.shards)
        case .subscriptions: return .showList(.subscriptions)
        case .users: return .showList(.users)
        case .field: return try showFields()
        case .measurement: return try cardinality(.measurementCardinality, exact: try exactness())
        case .measurements: return .show(try showMeasurements())
        case .series: return try showSeries()
        default: return try showTags()
        }
    }

    /// A list, perhaps `FOR 'module'`.
    private mutating func moduleList(_ list: Statement.List) throws(QueryError) -> Statement {
        if accept(.for) { _ = try text() }
        return .showList(list)
    }

    private mutating func onDatabase() throws(QueryError) -> String? { accept(.on) ? try identifier() : nil }

    /// Behind a noun in the singular: [EXACT] CARDINALITY.
    private mutating func exactness() throws(QueryError) -> Bool {
        let exact = accept(.exact)
        let token = nextSolid()
        guard token.kind == .keyword(.cardinality) else {
            throw unexpected(token, exact ? ["CARDINALITY"] : ["EXACT", "CARDINALITY"])
        }
        return exact
    }

    /// The clauses of a cardinality.
    private mutating func cardinality(
        _ subject: ShowStatement.Subject, exact: Bool
    ) throws(QueryError) -> Statement {
        var statement = ShowStatement(subject)
        statement.exact = exact
        statement.database = try onDatabase()
        if accept(.from) { statement.sources = try sources(subqueries: false) }
        if subject == .tagValuesCardinality { statement.keys = try keyChoice() }
        statement.condition = try condition()
        statement.dimensions = try dimensions()
        statement.limit = try optional(.limit)
        statement.offset = try optional(.offset)
        return .show(statement)
    }

    private mutating func order(_ statement: inout ShowStatement) throws(QueryError) {
        statement.descending = try orderBy()
        statement.limit = try optional(.limit)
        statement.offset = try optional(.offset)
    }

    private mutating func showMeasurements() throws(QueryError) -> ShowStatement {
        var statement = ShowStatement(.measurements)
        statement.database = try onDatabase()
        if accept(.with) {
            try expect(.measurement)
            let token = nextSolid()
            guard token.kind == .operation(.equal) || token.kind == .operation(.matches) else {
                throw unexpected(token, ["=", "=~"])
            }
            statement.sources = [try source(subqueries: false)]
        }
        statement.condition = try condition()
        try order(&statement)
        return statement
    }

    private mutating func showSeries() throws(QueryError) -> Statement {
        let exact = accept(.exact)
        if accept(.cardinality) { return try cardinality(.seriesCardinality, exact: exact) }
        var statement = ShowStatement(.series)
        statement.database = try onDatabase()
        if accept(.from) { statement.sources = try sources(subqueries: false) }
        statement.condition = try condition()
        try order(&statement)
        return .show(statement)
    }

    private mutating func showFields() throws(QueryError) -> Statement {
        if try oneOf([.key, .keys]) == .key { return try cardinality(.fieldKeyCardinality, exact: try exactness()) }
        var statement = ShowStatement(.fieldKeys)
        statement.database = try onDatabase()
        if accept(.from) { statement.sources = try sources(subqueries: false) }
        try order(&statement)
        return .show(statement)
    }

    private mutating func showTags() throws(QueryError) -> Statement {
        switch try oneOf([.key, .keys, .values]) {
        case .key: return try cardinality(.tagKeyCardinality, exact: try exactness())
        case .keys:
            var statement = ShowStatement(.tagKeys)
            statement.database = try onDatabase()
            if accept(.from) { statement.sources = try sources(subqueries: false) }
            let mark = lexer.mark
            if accept(.with) {
                lexer.reset(mark)
                statement.keys = try keyChoice()
            }
            statement.condition = try condition()
            try order(&statement)
            statement.seriesLimit = try optional(.slimit)
            statement.seriesOffset = try optional(.soffset)
            return .show(statement)
        default:
            if accept(.exact) {
                try expect(.cardinality)
                return try cardinality(.tagValuesCardinality, exact: true)
            }
            if accept(.cardinality) { return try cardinality(.tagValuesCardinality, exact: false) }
            var statement = ShowStatement(.tagValues)
            statement.database = try onDatabase()
            if accept(.from) { statement.sources = try sources(subqueries: false) }
            statement.keys = try keyChoice()
            statement.condition = try condition()
            try order(&statement)
            return .show(statement)
        }
    }

    /// WITH KEY.
    private mutating func keyChoice() throws(QueryError) -> ShowStatement.KeyChoice {
        try expect(.with)
        try expect(.key)
        let token = nextSolid()
        switch token.kind {
        case .keyword(.in):
            try expect(.openParenthesis, "(")
            let names = try identifiers()
            try expect(.closeParenthesis, ")")
            return .oneOf(names)
        case .operation(.equal): return .equals(try identifier())
        case .operation(.notEqual): return .differs(try identifier())
        case .operation(.matches), .operation(.matchesNot):
            guard let pattern = try regex() else { throw unexpected(nextSolid(), ["regex"]) }
            return token.kind == .operation(.matches) ? .matches(pattern) : .matchesNot(pattern)
        default: throw unexpected(token, ["IN", "=", "=~"])
        }
    }
}
