import CSQLite

/// One open SQLite database with the few calls that a store needs. Not for several threads at once.
final class SQLiteConnection {
    let path: String
    private let handle: OpaquePointer

    /// Opens or creates a database file.
    init(path: String) throws(StorageError) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let result = sqlite3_open_v2(path, &handle, flags, nil)
        guard result == SQLITE_OK, let handle else {
            let error = StorageError(sqlite: result, handle, "open", path)
            sqlite3_close_v2(handle)
            throw error
        }
        self.path = path
        self.handle = handle
    }

    deinit {
        // Statements that are not finalised yet keep the connection until they are.
        sqlite3_close_v2(handle)
    }

    /// Runs SQL that returns nothing of interest.
    func execute(_ sql: String) throws(StorageError) {
        let result = sqlite3_exec(handle, sql, nil, nil, nil)
        guard result == SQLITE_OK else { throw error(result, sql) }
    }

    /// Compiles a statement to be used many times.
    func prepare(_ sql: String) throws(StorageError) -> SQLiteStatement {
        var statement: OpaquePointer?
        let result = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard result == SQLITE_OK, let statement else { throw error(result, sql) }
        return SQLiteStatement(statement, self, sql)
    }

    /// The first column of the first row, as text: what a PRAGMA answers.
    func text(_ sql: String) throws(StorageError) -> String {
        let statement = try prepare(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : ""
    }

    func integer(_ sql: String) throws(StorageError) -> Int64 {
        let statement = try prepare(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : 0
    }

    /// Runs a body within a transaction that holds the write lock; rolls back if it throws.
    func transaction<Result>(_ body: () throws(StorageError) -> Result) throws(StorageError) -> Result {
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // SQLite has rolled back by itself after some errors; then there is nothing to do.
            if sqlite3_get_autocommit(handle) == 0 { _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
            throw error
        }
    }

    func error(_ result: Int32, _ operation: String) -> StorageError {
        StorageError(sqlite: result, handle, operation, path)
    }
}

/// A compiled statement. Parameters count from 1, columns from 0, as in SQLite.
final class SQLiteStatement {
    private let handle: OpaquePointer
    private let connection: SQLiteConnection
    private let sql: String

    init(_ handle: OpaquePointer, _ connection: SQLiteConnection, _ sql: String) {
        self.handle = handle
        self.connection = connection
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// Goes to the next row, or tells that there is none.
    func step() throws(StorageError) -> Bool {
        let result = sqlite3_step(handle)
        switch result {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw connection.error(result, sql)
        }
    }

    /// Runs a statement that returns no rows, and makes it ready for the next use.
    func run() throws(StorageError) {
        defer { reset() }
        _ = try step()
    }

    /// Makes it ready for the next use; frees the locks and the parameters.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    func bind(_ index: Int32, _ value: Int64) throws(StorageError) {
        try check(sqlite3_bind_int64(handle, index, value))
    }

    func bind(_ index: Int32, _ bytes: [UInt8]) throws(StorageError) {
        // A null pointer would bind NULL, and an empty array may have one.
        if bytes.isEmpty { return try check(sqlite3_bind_zeroblob(handle, index, 0)) }
        // SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)  // safe because SQLite only compares it
        let result = bytes.withUnsafeBytes {
            sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), transient)
        }
        try check(result)
    }

    func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    func bytes(_ column: Int32) -> [UInt8] {
        let start = sqlite3_column_blob(handle, column)
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    func text(_ column: Int32) -> String {
        String(decoding: bytes(column), as: UTF8.self)
    }

    private func check(_ result: Int32) throws(StorageError) {
        guard result == SQLITE_OK else { throw connection.error(result, sql) }
    }
}

extension StorageError {
    /// An error from an extended result code of SQLite.
    init(sqlite result: Int32, _ handle: OpaquePointer?, _ operation: String, _ path: String) {
        let reason = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(result))
        self.init(
            Code(sqlite: result), "SQLite cannot \(operation) in \(path): \(reason) (result \(result))")
    }
}

extension StorageError.Code {
    /// The coarse reason behind a result code of SQLite, extended or not.
    init(sqlite result: Int32) {
        self =
            switch result & 0xFF {
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
            case SQLITE_FULL: .full
            case SQLITE_IOERR: .device
            case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH: .denied
            default: .other
            }
    }
}
