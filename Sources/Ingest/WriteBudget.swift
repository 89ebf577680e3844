import Synchronization

/// The bytes of requests that are being written, held to a bound for all and one for each database.
final class WriteBudget: Sendable {
    private struct State {
        var total = 0
        var databases: [[UInt8]: Int] = [:]
    }

    private let limit: Int
    private let databaseLimit: Int
    private let state = Mutex(State())

    init(limit: Int, databaseLimit: Int) {
        self.limit = limit
        self.databaseLimit = databaseLimit
    }

    /// The bytes that are held.
    var total: Int { state.withLock { $0.total } }

    /// Takes room; false if there is none. One request alone always finds room, whatever its size.
    func take(_ count: Int, for database: [UInt8]) -> Bool {
        state.withLock { state in
            let own = state.databases[database] ?? 0
            guard state.total == 0 || state.total + count <= limit else { return false }
            guard own == 0 || own + count <= databaseLimit else { return false }
            state.total += count
            state.databases[database] = own + count
            return true
        }
    }

    /// Gives room back.
    func giveBack(_ count: Int, for database: [UInt8]) {
        guard count > 0 else { return }
        state.withLock { state in
            state.total -= count
            let own = (state.databases[database] ?? 0) - count
            state.databases[database] = own > 0 ? own : nil
        }
    }
}
