/// Answers the applier from a snapshot of blocks and of the frozen head. What cannot be read counts as known: damage
/// must not refuse points.
final class StoredInSnapshot: StoredSeries, @unchecked Sendable {
    // Safe because only the thread that applies uses it, under the applier's lock.
    var snapshot: PartitionSnapshot?

    func hasSeries(_ table: TableKey, tags: [(key: [UInt8], value: [UInt8])]) -> Bool {
        do throws(SeriesError) {
            for source in try sources(table) {
                var conditions = tags.map { TagPredicate.equals(key: $0.key, value: $0.value) }
                for key in source.tagKeys where !tags.contains(where: { $0.key == key }) {
                    conditions.append(.equals(key: key, value: []))
                }
                if try !living(source, .and(conditions)).isEmpty { return true }
            }
            return false
        } catch {
            return true
        }
    }

    func hasValue(_ table: TableKey, tag: [UInt8], value: [UInt8]) -> Bool {
        do throws(SeriesError) {
            for source in try sources(table) {
                if try !living(source, .equals(key: tag, value: value)).isEmpty { return true }
            }
            return false
        } catch {
            return true
        }
    }

    func visitSeries(
        _ table: TableKey, deleted: [Tombstone],
        _ body: (_ tags: [(key: [UInt8], value: [UInt8])], _ time: Int64) -> Void
    ) {
        snapshot?.tombstones = deleted
        guard let found = try? sources(table) else { return }
        for source in found {
            guard let range = source.ranges.first, let wanted = try? living(source, .all),
                let columns = try? source.columns(of: wanted.members)
            else { continue }
            for series in 0..<columns.count { body(columns.tags(of: series), range.lowerBound) }
        }
    }

    /// The series that match and that no deletion has taken: those that went after the head was frozen are still in it.
    private func living(_ source: TableSource, _ predicate: TagPredicate) throws(SeriesError) -> OrdinalSet {
        source.series(try source.series(matching: predicate), in: .min ... .max)
    }

    /// Without the head, which the applier knows itself.
    private func sources(_ table: TableKey) throws(SeriesError) -> [TableSource] {
        guard var snapshot else { return [] }
        snapshot.head = Head()
        return try snapshot.sources(table.measurement, table.retentionPolicy)
    }
}
