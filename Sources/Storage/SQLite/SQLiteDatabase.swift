import Bytes

/// The tables and the prepared statements.
struct SQLiteDatabase {
    /// "MILL", in SQLite's header, for `file(1)` and for us.
    private static let applicationID: Int64 = 0x4D49_4C4C
    /// Raised with every change of the tables; also in SQLite's header.
    static let schemaVersion: Int64 = 1
    private static let pageBytes: Int64 = 4096

    private let connection: SQLiteConnection
    private let selectEntry: SQLiteStatement
    private let selectAll: SQLiteStatement
    private let selectRange: SQLiteStatement
    private let upsert: SQLiteStatement
    private let delete: SQLiteStatement
    private let selectRevision: SQLiteStatement
    private let updateRevision: SQLiteStatement

    init(path: String, maximumBytes: Int64) throws(StorageError) {
        connection = try SQLiteConnection(path: path)
        try SQLiteDatabase.prepareFile(connection, maximumBytes: maximumBytes)
        let columns = "key, value, version, checksum"
        selectEntry = try connection.prepare("SELECT \(columns) FROM entries WHERE key = ?1")
        selectAll = try connection.prepare("SELECT \(columns) FROM entries ORDER BY key")
        selectRange = try connection.prepare("SELECT \(columns) FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key")
        upsert = try connection.prepare("INSERT OR REPLACE INTO entries (\(columns)) VALUES (?1, ?2, ?3, ?4)")
        delete = try connection.prepare("DELETE FROM entries WHERE key = ?1")
        selectRevision = try connection.prepare("SELECT revision FROM state")
        updateRevision = try connection.prepare("UPDATE state SET revision = ?1")
    }

    private static func prepareFile(_ connection: SQLiteConnection, maximumBytes: Int64) throws(StorageError) {
        try connection.execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON")
        let identity = try connection.integer("PRAGMA application_id")
        let isEmpty = try connection.integer("SELECT count(*) FROM sqlite_schema") == 0
        guard identity == applicationID || (isEmpty && identity == 0) else {
            throw StorageError(.corrupt, "\(connection.path) is a database, but not Millrace's")
        }
        let version = try connection.integer("PRAGMA user_version")
        guard version <= schemaVersion else {
            throw StorageError(
                .formatTooNew, "\(connection.path) has schema \(version); this version knows up to \(schemaVersion)")
        }
        let mode = try connection.text("PRAGMA journal_mode=WAL")
        guard mode == "wal" else {
            throw StorageError(.denied, "\(connection.path): SQLite offers journal mode \(mode), not wal")
        }
        // The log is checkpointed at 1,000 pages (SQLite's default), and cut to 4 MiB when it was larger.
        try connection.execute("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=\(4 << 20)")
        try connection.execute("PRAGMA max_page_count=\(max(1, maximumBytes / pageBytes))")
        if isEmpty { try createTables(connection) }
    }

    private static func createTables(_ connection: SQLiteConnection) throws(StorageError) {
        try connection.transaction { () throws(StorageError) in
            try connection.execute(
                """
                CREATE TABLE entries (
                    key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL,
                    version INTEGER NOT NULL, checksum INTEGER NOT NULL);
                CREATE TABLE state (revision INTEGER NOT NULL);
                INSERT INTO state VALUES (0);
                PRAGMA application_id=\(applicationID);
                PRAGMA user_version=\(schemaVersion);
                """)
        }
    }

    /// The settings that decide what survives a power cut, as SQLite understood them.
    func durability() throws(StorageError) -> (synchronous: Int64, journal: String, locking: String) {
        (
            try connection.integer("PRAGMA synchronous"), try connection.text("PRAGMA journal_mode"),
            try connection.text("PRAGMA locking_mode")
        )
    }

    // MARK: Reading

    func get(_ key: String) throws(StorageError) -> MetadataEntry? {
        defer { selectEntry.reset() }
        try selectEntry.bind(1, Array(key.utf8))
        return try selectEntry.step() ? try entry(selectEntry) : nil
    }

    func list(prefix: [UInt8]) throws(StorageError) -> [MetadataEntry] {
        let statement = prefix.isEmpty ? selectAll : selectRange
        defer { statement.reset() }
        if var end = Optional(prefix), let last = end.popLast() {
            // UTF-8 has no byte 255, so that the last byte can always grow.
            try statement.bind(1, prefix)
            try statement.bind(2, end + [last + 1])
        }
        var entries: [MetadataEntry] = []
        while try statement.step() { entries.append(try entry(statement)) }
        return entries
    }

    func revision() throws(StorageError) -> Int64 {
        defer { selectRevision.reset() }
        guard try selectRevision.step() else {
            throw StorageError(.corrupt, "\(connection.path) has lost its revision")
        }
        return selectRevision.integer(0)
    }

    private func entry(_ row: SQLiteStatement) throws(StorageError) -> MetadataEntry {
        let key = row.bytes(0)
        let entry = MetadataEntry(
            key: String(decoding: key, as: UTF8.self), value: row.bytes(1), version: row.integer(2))
        guard row.integer(3) == SQLiteDatabase.checksum(key, entry.value, entry.version) else {
            throw StorageError(.corrupt, "a row of \(connection.path) fails its checksum", key: entry.key)
        }
        return entry
    }

    /// CRC32C of the version (8 bytes, big endian), the key and the value.
    private static func checksum(_ key: [UInt8], _ value: [UInt8], _ version: Int64) -> Int64 {
        var crc = withUnsafeBytes(of: version.bigEndian) { CRC32C.checksum($0) }
        crc = key.withUnsafeBytes { CRC32C.checksum($0, continuing: crc) }
        return Int64(value.withUnsafeBytes { CRC32C.checksum($0, continuing: crc) })
    }

    // MARK: Writing

    func commit(_ changes: [MetadataChange]) throws(StorageError) -> Int64 {
        try connection.transaction { () throws(StorageError) in
            for change in changes {
                let found = try get(change.key)?.version
                guard found == change.expected else { throw .conflict(change, found: found) }
            }
            let current = try revision()
            guard changes.contains(where: \.isWrite) else { return current }
            for change in changes { try apply(change, revision: current + 1) }
            try updateRevision.bind(1, current + 1)
            try updateRevision.run()
            return current + 1
        }
    }

    private func apply(_ change: MetadataChange, revision: Int64) throws(StorageError) {
        let key = Array(change.key.utf8)
        switch change {
        case .put(_, let value, _):
            try upsert.bind(1, key)
            try upsert.bind(2, value)
            try upsert.bind(3, revision)
            try upsert.bind(4, SQLiteDatabase.checksum(key, value, revision))
            try upsert.run()
        case .remove:
            try delete.bind(1, key)
            try delete.run()
        case .require:
            break
        }
    }
}
