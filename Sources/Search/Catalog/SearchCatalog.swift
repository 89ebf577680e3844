import Synchronization

/// The tenants that have lines, by name: what queries and ingest look up. Whoever opens and closes the views of topics
/// adds and removes them. Any thread may call anything.
public final class SearchCatalog: Sendable {
    private let tenants = Mutex<[String: SearchTenant]>([:])

    /// A catalog without tenants.
    public init() {}

    /// Adds a tenant, or replaces the one of its name.
    public func add(_ tenant: SearchTenant) { tenants.withLock { $0[tenant.name] = tenant } }

    /// Removes a tenant. Queries that read it go on.
    public func remove(_ name: String) { tenants.withLock { $0[name] = nil } }

    /// The tenant of a name, or nil.
    public func tenant(_ name: String) -> SearchTenant? { tenants.withLock { $0[name] } }

    /// All tenants, sorted by the bytes of their names.
    public var all: [SearchTenant] {
        tenants.withLock { Array($0.values) }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}
