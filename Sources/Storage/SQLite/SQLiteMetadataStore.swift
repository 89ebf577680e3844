public import Machine
import Synchronization

/// A metadata store in one SQLite file.
///
/// Durability: a write-ahead log with `synchronous=FULL`, which syncs the log in every commit: one `fdatasync` where a
/// rollback journal takes three. `synchronous=NORMAL` would lose the last commits in a power cut. SQLite syncs the
/// directory for the log; this type does for the database.
///
/// The file is held exclusively (`locking_mode=EXCLUSIVE`), which also spares the shared-memory file; a second opener
/// gets `.busy`. Every row carries a checksum, because SQLite has none in its pages.
public final class SQLiteMetadataStore: MetadataStore {
    private let state: Mutex<State>

    /// Opens a store, or creates it.
    ///
    /// - Parameters:
    ///   - path: the database file; its directory exists. `PATH-wal` appears beside it.
    ///   - files: the file system that holds it, to make a new file's name durable. SQLite itself works on the
    ///     operating system's files.
    ///   - maximumBytes: how large the file may grow; then commits throw `.full`. The default is 1 GiB.
    /// - Throws: `.busy`, `.corrupt`, `.formatTooNew`, `.full`, `.device`, `.denied`.
    public init(path: String, files: any FileSystem, maximumBytes: Int64 = 1 << 30) throws(StorageError) {
        let database = try SQLiteDatabase(path: path, maximumBytes: maximumBytes)
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        do {
            try files.synchronizeDirectory(directory.isEmpty ? "/" : directory)
        } catch {
            throw StorageError(.device, "the directory of \(path) cannot be synced", cause: error)
        }
        state = Mutex(State(database: database))
    }

    private struct State {
        var database: SQLiteDatabase?
        /// The first failure of the device in a commit.
        var failure: StorageError?
    }

    /// The entry of a key, or nil.
    public func get(_ key: String) throws(StorageError) -> MetadataEntry? {
        try MetadataLimits.check(key: key)
        return try withDatabase { (database) throws(StorageError) in try database.get(key) }
    }

    /// Every entry whose key begins with `prefix`.
    public func list(prefix: String) throws(StorageError) -> [MetadataEntry] {
        try withDatabase { (database) throws(StorageError) in try database.list(prefix: Array(prefix.utf8)) }
    }

    /// Applies all of `changes` or none, durably.
    @discardableResult
    public func commit(_ changes: [MetadataChange]) throws(StorageError) -> Int64 {
        try MetadataLimits.check(changes)
        return try state.withLock { (state) throws(StorageError) in
            let database = try state.database.orClosed()
            if let failure = state.failure {
                throw StorageError(.device, "an earlier commit failed; open the store anew", cause: failure)
            }
            do throws(StorageError) {
                return try database.commit(changes)
            } catch {
                if error.code == .device { state.failure = error }
                throw error
            }
        }
    }

    /// The number of the last commit that changed something.
    public func revision() throws(StorageError) -> Int64 {
        try withDatabase { (database) throws(StorageError) in try database.revision() }
    }

    /// Closes the database.
    public func close() {
        state.withLock { $0.database = nil }
    }

    /// Lets the next commits fail as they do after a failure of the device.
    func fence(_ failure: StorageError) {
        state.withLock { $0.failure = failure }
    }

    private func withDatabase<Result: Sendable>(
        _ body: (borrowing SQLiteDatabase) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try state.withLock { (state) throws(StorageError) in try body(try state.database.orClosed()) }
    }
}

extension Optional where Wrapped == SQLiteDatabase {
    fileprivate func orClosed() throws(StorageError) -> SQLiteDatabase {
        guard let self else { throw StorageError(.closed, "the metadata store is closed") }
        return self
    }
}
