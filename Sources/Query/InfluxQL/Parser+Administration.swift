/// CREATE, ALTER, DROP, DELETE.
extension Parser {
    mutating func createStatement() throws(QueryError) -> Statement {
        switch try oneOf([.continuous, .database, .user, .retention, .subscription]) {
        case .database: return try createDatabase()
        case .retention:
            try expect(.policy)
            return try createRetentionPolicy()
        case .continuous:
            try expect(.query)
            return unserved("CREATE CONTINUOUS QUERY")
        case .user: return unserved("CREATE USER")
        default: return unserved("CREATE SUBSCRIPTION")
        }
    }

    mutating func dropStatement() throws(QueryError) -> Statement {
        switch try oneOf([
            .continuous, .database, .measurement, .retention, .series, .shard, .subscription, .user,
        ]) {
        case .database: return .dropDatabase(try identifier())
        case .measurement: return .dropMeasurement(try identifier())
        case .retention:
            try expect(.policy)
            let name = try identifier()
            try expect(.on)
            return .dropRetentionPolicy(name, database: try identifier())
        case .series: return try dropSeries()
        case .continuous:
            try expect(.query)
            return unserved("DROP CONTINUOUS QUERY")
        case .shard: return unserved("DROP SHARD")
        case .subscription: return unserved("DROP SUBSCRIPTION")
        default: return unserved("DROP USER")
        }
    }

    mutating func deleteStatement() throws(QueryError) -> Statement {
        let (sources, condition) = try deletion()
        return .delete(sources: sources, condition: condition)
    }

    private mutating func dropSeries() throws(QueryError) -> Statement {
        let (sources, condition) = try deletion()
        return .dropSeries(sources: sources, condition: condition)
    }

    /// FROM and WHERE, of which one at least must be there.
    private mutating func deletion() throws(QueryError) -> ([Source], Expression?) {
        let mark = lexer.mark
        let first = nextSolid()
        lexer.reset(mark)
        var sources: [Source] = []
        if accept(.from) {
            sources = try self.sources(subqueries: false)
            for case .measurement(let reference) in sources {
                if reference.retentionPolicy != nil {
                    throw QueryError(.syntax, "retention policy not supported at line 1, char 1")
                }
                guard reference.database != nil else { continue }
                throw QueryError(.syntax, "database not supported at line 1, char 1")
            }
        }
        let condition = try condition()
        if sources.isEmpty && condition == nil { throw unexpected(first, ["FROM", "WHERE"]) }
        return (sources, condition)
    }

    private mutating func createDatabase() throws(QueryError) -> Statement {
        let name = try identifier()
        guard accept(.with) else { return .createDatabase(name, policy: nil) }
        let mark = lexer.mark
        _ = try oneOf([.duration, .name, .replication, .shard])
        lexer.reset(mark)
        var options = PolicyOptions()
        if accept(Keyword.duration) { options.durationNanoseconds = try duration() }
        if accept(.replication) { options.replication = try integer(atLeast: 1, atMost: Int(Int32.max)) }
        if accept(.shard) {
            try expect(.duration)
            options.shardNanoseconds = try duration()
        }
        if accept(.name) { options.name = try identifier() }
        return .createDatabase(name, policy: options)
    }

    private mutating func createRetentionPolicy() throws(QueryError) -> Statement {
        let name = try identifier()
        try expect(.on)
        let database = try identifier()
        var options = PolicyOptions()
        try expect(.duration)
        options.durationNanoseconds = try duration()
        try expect(.replication)
        options.replication = try integer(atLeast: 1, atMost: Int(Int32.max))
        if accept(.shard) { options.shardNanoseconds = try shardDuration() }
        options.isDefault = accept(.default)
        return .createRetentionPolicy(name, database: database, options)
    }

    private mutating func shardDuration() throws(QueryError) -> Int64 {
        try expect(.duration)
        let mark = lexer.mark
        let token = nextSolid()
        if token.kind == .keyword(.inf) {
            throw QueryError(.syntax, "invalid duration INF for shard duration at \(token.position.text)")
        }
        lexer.reset(mark)
        return try duration()
    }

    mutating func alterRetentionPolicy() throws(QueryError) -> Statement {
        let first = nextSolid()
        let name: String
        switch first.kind {
        case .keyword(.default): name = "default"
        case .identifier: name = first.literal
        default: throw unexpected(first, ["identifier"])
        }
        try expect(.on)
        let database = try identifier()
        var options = PolicyOptions()
        var found: Set<Keyword> = []
        while true {
            let mark = lexer.mark
            let token = nextSolid()
            guard case .keyword(let keyword) = token.kind,
                [.duration, .replication, .shard, .default].contains(keyword)
            else {
                if found.isEmpty { throw unexpected(token, ["DURATION", "REPLICATION", "SHARD", "DEFAULT"]) }
                lexer.reset(mark)
                return .alterRetentionPolicy(name, database: database, options)
            }
            guard found.insert(keyword).inserted else {
                throw QueryError(
                    .syntax, "found duplicate \(keyword.rawValue) option at \(token.position.text)")
            }
            switch keyword {
            case .duration: options.durationNanoseconds = try duration()
            case .replication: options.replication = try integer(atLeast: 1, atMost: Int(Int32.max))
            case .shard: options.shardNanoseconds = try shardDuration()
            default: options.isDefault = true
            }
        }
    }
}
