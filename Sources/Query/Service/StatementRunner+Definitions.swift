internal import Series

/// Databases and retention policies.
extension StatementRunner {
    /// The shortest retention and the shortest shard.
    private static let hour: Int64 = 3_600_000_000_000

    func define(_ statement: Statement) async throws(QueryError) {
        switch statement {
        case .createDatabase(let name, let options): try await createDatabase(name, options)
        case .dropDatabase(let name): try await administration.dropDatabase(name)
        case .createRetentionPolicy(let name, let database, let options):
            try await createPolicy(name, database, options)
        case .alterRetentionPolicy(let name, let database, let options):
            try await alterPolicy(name, database, options)
        case .dropRetentionPolicy(let name, let database):
            guard directory.source(of: database) != nil else { return }
            try await administration.send(.dropRetentionPolicy(name: Array(name.utf8)), to: database)
        default: break
        }
    }

    private func createDatabase(_ name: String, _ options: PolicyOptions?) async throws(QueryError) {
        guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.contains("\\") else {
            throw QueryError(.execution, "invalid name")
        }
        guard let options else { return try await administration.createDatabase(name, policy: nil) }
        let policy = try policy(options.name ?? "autogen", options, isDefault: true)
        if let source = directory.source(of: name) {
            let current = source.retentionPolicies.first { $0.isDefault }
            guard current?.name == policy.name, current?.durationNanoseconds == policy.durationNanoseconds,
                current?.shardNanoseconds == policy.shardNanoseconds
            else { throw QueryError(.execution, "retention policy conflicts with an existing policy") }
        }
        try await administration.createDatabase(name, policy: policy)
    }

    private func policy(
        _ name: String, _ options: PolicyOptions, isDefault: Bool
    ) throws(QueryError) -> RetentionPolicy {
        let duration = options.durationNanoseconds ?? 0
        let shard = options.shardNanoseconds ?? 0
        return try checked(
            RetentionPolicy(
                name: Array(name.utf8), durationNanoseconds: duration,
                shardNanoseconds: shard == 0 ? Self.shard(for: duration) : max(Self.hour, shard),
                isDefault: isDefault))
    }

    /// InfluxDB's choice of shards: hours below two days, days below six months, weeks beyond.
    private static func shard(for duration: Int64) -> Int64 {
        if duration == 0 || duration > 180 * 24 * hour { return 7 * 24 * hour }
        return duration < 48 * hour ? hour : 24 * hour
    }

    private func checked(_ policy: RetentionPolicy) throws(QueryError) -> RetentionPolicy {
        guard !policy.name.isEmpty else { throw QueryError(.execution, "invalid name") }
        guard policy.durationNanoseconds == 0 || policy.durationNanoseconds >= Self.hour else {
            throw QueryError(.execution, "retention policy duration must be at least 1h0m0s")
        }
        guard policy.durationNanoseconds == 0 || policy.durationNanoseconds >= policy.shardNanoseconds else {
            throw QueryError(.execution, "retention policy duration must be greater than the shard duration")
        }
        return policy
    }

    private func createPolicy(
        _ name: String, _ database: String, _ options: PolicyOptions
    ) async throws(QueryError) {
        let source = try source(database)
        let policy = try policy(name, options, isDefault: options.isDefault)
        if let current = source.retentionPolicies.first(where: { $0.name == policy.name }) {
            guard current.durationNanoseconds == policy.durationNanoseconds,
                current.shardNanoseconds == policy.shardNanoseconds,
                current.isDefault == policy.isDefault
            else { throw QueryError(.execution, "retention policy already exists") }
            return
        }
        try await administration.send(.setRetentionPolicy(policy), to: database)
    }

    private func alterPolicy(
        _ name: String, _ database: String, _ options: PolicyOptions
    ) async throws(QueryError) {
        let source = try source(database)
        guard var policy = source.retentionPolicies.first(where: { $0.name == Array(name.utf8) }) else {
            throw QueryError(.execution, "retention policy not found: \(name)")
        }
        if let duration = options.durationNanoseconds { policy.durationNanoseconds = duration }
        if let shard = options.shardNanoseconds {
            policy.shardNanoseconds = shard == 0 ? Self.shard(for: policy.durationNanoseconds) : max(Self.hour, shard)
        }
        if options.isDefault { policy.isDefault = true }
        try await administration.send(.setRetentionPolicy(try checked(policy)), to: database)
    }

    func retentionPolicies(of database: String?) throws(QueryError) -> ResultRows {
        let rows = try source(database).retentionPolicies.map { policy -> [Value] in
            [
                .string(policy.name), .text(DurationText.clockText(policy.durationNanoseconds)),
                .text(DurationText.clockText(policy.shardNanoseconds)), .integer(1), .boolean(policy.isDefault),
            ]
        }
        return ResultRows("", ["name", "duration", "shardGroupDuration", "replicaN", "default"], rows: rows)
    }
}
