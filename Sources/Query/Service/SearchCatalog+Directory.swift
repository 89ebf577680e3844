public import Search

extension SearchCatalog: LineDirectory {
    /// What queries read of a tenant; nil if there is none of that name.
    public func lines(of tenant: String) -> (any LineSource)? { self.tenant(tenant) }
}
