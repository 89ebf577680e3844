import Log
import Synchronization

/// The groups by id. Looking up takes a lock for one dictionary access. Its lock may be taken under a group's, never
/// the other way round.
final class GroupRegistry: Sendable {
    enum Found {
        case group(GroupHandle)
        case none
        /// The bound on groups is reached.
        case full
    }

    private struct Table: Sendable {
        var groups: [String: GroupHandle] = [:]
        var isClosed = false
    }

    private let table = Mutex(Table())

    var count: Int { table.withLock { $0.groups.count } }
    var isClosed: Bool { table.withLock { $0.isClosed } }

    /// Sorted by id.
    var all: [GroupHandle] { table.withLock { Array($0.groups.values) }.sorted { $0.id < $1.id } }

    func find(_ id: String) -> GroupHandle? { table.withLock { $0.groups[id] } }

    func find(_ id: String, limit: Int, orMake make: () -> GroupHandle) -> Found {
        table.withLock { table in
            if let group = table.groups[id] { return .group(group) }
            guard !table.isClosed else { return .none }
            guard table.groups.count < limit else { return .full }
            let group = make()
            table.groups[id] = group
            return .group(group)
        }
    }

    func insert(_ group: GroupHandle) {
        table.withLock { $0.groups[group.id] = group }
    }

    func remove(_ group: GroupHandle) {
        table.withLock { table in
            if table.groups[group.id] === group { table.groups[group.id] = nil }
        }
    }

    /// Takes everything out, and nothing more in.
    func close() -> [GroupHandle] {
        table.withLock { table in
            defer { table.groups = [:] }
            table.isClosed = true
            return table.groups.values.sorted { $0.id < $1.id }
        }
    }
}
