public import Ingest
public import Query
public import Series

/// The databases as queries see them: read through the catalog, changed through ingest.
public struct SeriesAccess: DatabaseDirectory, SeriesAdministration {
    private let ingest: Ingest
    private let catalog: SeriesCatalog

    /// How long a database may take to appear in the catalog once it is created.
    private static let patienceMilliseconds = 10_000

    /// Access to the databases of a log.
    public init(ingest: Ingest, catalog: SeriesCatalog) {
        self.ingest = ingest
        self.catalog = catalog
    }

    /// The names of all databases, sorted by their bytes.
    public var databases: [String] { ingest.databases.map { String(decoding: $0, as: UTF8.self) } }

    /// What queries read of a database; nil if there is none of that name.
    public func source(of database: String) -> (any PointSource)? {
        let name = Array(database.utf8)
        return ingest.topic(ofDatabase: name) == nil ? nil : catalog.database(name)
    }

    /// Creates a database, and waits until it can be read.
    public func createDatabase(_ name: String, policy: RetentionPolicy?) async throws(QueryError) {
        let bytes = Array(name.utf8)
        let exists = ingest.topic(ofDatabase: bytes) != nil
        do throws(IngestError) {
            try ingest.createDatabase(bytes)
        } catch {
            throw QueryError(.execution, error.message, cause: error)
        }
        var waited = 0
        while catalog.database(bytes) == nil {
            guard waited < Self.patienceMilliseconds, !Task.isCancelled else {
                throw QueryError(.execution, "database \(name) is created, and its view is not open yet")
            }
            try? await Task.sleep(nanoseconds: 5_000_000)
            waited += 5
        }
        guard let policy, !exists else { return }
        try await send(.setRetentionPolicy(policy), to: name)
        let implicit = Array("autogen".utf8)
        if policy.name != implicit { try await send(.dropRetentionPolicy(name: implicit), to: name) }
    }

    /// Removes a database with all its points.
    public func dropDatabase(_ name: String) async throws(QueryError) {
        do throws(IngestError) {
            try ingest.dropDatabase(Array(name.utf8))
        } catch {
            throw QueryError(.execution, error.message, cause: error)
        }
    }

    /// Sends a command to all partitions of a database, and waits until it is applied.
    public func send(_ command: SeriesCommand, to database: String) async throws(QueryError) {
        let refusals: [String]
        do throws(IngestError) {
            refusals = try await ingest.apply(command, to: Array(database.utf8))
        } catch {
            throw QueryError(.execution, error.message, cause: error)
        }
        if let reason = refusals.first { throw QueryError(.execution, reason) }
    }
}
