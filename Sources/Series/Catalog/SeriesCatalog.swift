import Synchronization

/// The databases that there are, by name: what queries and ingest look up. Whoever opens and closes the views of topics
/// adds and removes them. Any thread may call anything.
public final class SeriesCatalog: Sendable {
    private let databases = Mutex<[[UInt8]: SeriesDatabase]>([:])

    /// A catalog without databases.
    public init() {}

    /// Adds a database, or replaces the one of its name.
    public func add(_ database: SeriesDatabase) { databases.withLock { $0[database.name] = database } }

    /// Removes a database. Queries that read it go on.
    public func remove(_ name: [UInt8]) { databases.withLock { $0[name] = nil } }

    /// The database of a name, or nil.
    public func database(_ name: [UInt8]) -> SeriesDatabase? { databases.withLock { $0[name] } }

    /// All databases, sorted by the bytes of their names.
    public var all: [SeriesDatabase] {
        databases.withLock { Array($0.values) }.sorted { SeriesKey.compare($0.name, $1.name) < 0 }
    }
}
