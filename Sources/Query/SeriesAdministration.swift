public import Series

/// Finds databases by name.
public protocol DatabaseDirectory: Sendable {
    /// The names of all databases, in the order in which SHOW DATABASES gives them.
    var databases: [String] { get }
    /// What queries read of a database, as of now; nil if there is none of that name.
    func source(of database: String) -> (any PointSource)?
}

/// Changes databases. Everything is done, or durable and applied in the order of the log, when a call returns.
public protocol SeriesAdministration: Sendable {
    /// Creates a database with its default retention policy (nil: `autogen`, for ever, shards of a week). Nothing
    /// happens if there is one of that name.
    func createDatabase(_ name: String, policy: RetentionPolicy?) async throws(QueryError)
    /// Removes a database and all its points. Nothing happens if there is none of that name.
    func dropDatabase(_ name: String) async throws(QueryError)
    /// Sends a command to a database and waits until queries see what it does.
    func send(_ command: SeriesCommand, to database: String) async throws(QueryError)
}
