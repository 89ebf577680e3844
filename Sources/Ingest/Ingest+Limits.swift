public import Series

extension Ingest {
    /// Gives databases the configured bounds, where they have others: after a start, for those that were created before
    /// the configuration changed, or by another way than `CREATE DATABASE`.
    ///
    /// - Returns: for each database where it failed, why.
    public func settleLimits(of databases: [SeriesDatabase]) async -> [String] {
        var failures: [String] = []
        for database in databases where database.partitions.contains(where: { $0.limits != settings.limits }) {
            do throws(IngestError) {
                _ = try await apply(.setLimits(settings.limits), to: database.name)
            } catch {
                failures.append("\(String(decoding: database.name, as: UTF8.self)): \(error.message)")
            }
        }
        return failures
    }
}
