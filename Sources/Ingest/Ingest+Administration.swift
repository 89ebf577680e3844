public import Query
public import Series

/// Statements that change databases become topics and control records.
extension Ingest: SeriesAdministration {
    /// Creates a database, with `policy` as its default retention policy if one is given.
    public func createDatabase(_ name: String, policy: RetentionPolicy?) async throws(QueryError) {
        do throws(IngestError) {
            try createDatabase(Array(name.utf8))
        } catch {
            throw QueryError(error)
        }
        if settings.limits != SeriesLimits() { try await send(.setLimits(settings.limits), to: name) }
        if let policy { try await send(.setRetentionPolicy(policy), to: name) }
    }

    /// Deletes the database's topic.
    public func dropDatabase(_ name: String) async throws(QueryError) {
        do throws(IngestError) {
            try dropDatabase(Array(name.utf8))
        } catch {
            throw QueryError(error)
        }
    }

    /// Writes a control record into every partition of the database's topic, and waits until all have applied it.
    public func send(_ command: SeriesCommand, to database: String) async throws(QueryError) {
        let refused: [String]
        do throws(IngestError) {
            refused = try await apply(command, to: Array(database.utf8))
        } catch {
            throw QueryError(error)
        }
        if let reason = refused.first { throw QueryError(.execution, reason) }
    }
}

extension QueryError {
    fileprivate init(_ error: IngestError) {
        self.init(error.code == .limitReached ? .limitReached : .execution, error.message, cause: error)
    }
}
