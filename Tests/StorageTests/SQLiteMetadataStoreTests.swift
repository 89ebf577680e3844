import CSQLite
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Storage

@Suite struct SQLiteMetadataStoreTests {
    private let directory: TemporaryDirectory
    private let path: String
    private let files = Machine.posix().files

    init() throws {
        directory = try TemporaryDirectory("metadata")
        path = directory.path + "/meta.db"
    }

    private func open(maximumBytes: Int64 = 1 << 30) throws -> SQLiteMetadataStore {
        try SQLiteMetadataStore(path: path, files: files, maximumBytes: maximumBytes)
    }

    private func put(_ key: String, _ size: Int = 3, expected: Int64? = nil) -> MetadataChange {
        .put(key: key, value: [UInt8](repeating: 7, count: size), expected: expected)
    }

    private func expect(_ code: StorageError.Code, _ body: () throws -> Void) {
        let error = #expect(throws: StorageError.self) { try body() }
        #expect(error?.code == code, "\(error?.description ?? "")")
    }

    @Test func everythingIsThereAfterOpeningAnew() throws {
        let first = try open()
        try first.commit([put("a"), put("b")])
        try first.commit([put("a", 5, expected: 1)])
        let before = try first.list(prefix: "")
        first.close()
        let second = try open()
        #expect(try second.list(prefix: "") == before)
        #expect(try second.revision() == 2)
        #expect(try second.commit([put("c")]) == 3)
    }

    @Test func commitsAreInTheFilesBeforeClosing() throws {
        let store = try open()
        try store.commit([put("a")])
        // What a killed process leaves: the files as they are now, opened elsewhere.
        let copy = directory.path + "/copy.db"
        for suffix in ["", "-wal"] {
            let source = try files.open(path + suffix, .read)
            let bytes = try source.bytes(0..<source.size())
            try bytes.withUnsafeBytes { try files.open(copy + suffix, .create).write($0, at: 0) }
        }
        #expect(try SQLiteMetadataStore(path: copy, files: files).get("a")?.version == 1)
    }

    @Test func everyCommitIsSynced() throws {
        let options = try SQLiteDatabase(path: path, maximumBytes: 1 << 30).durability()
        #expect(options.synchronous == 2 && options.journal == "wal" && options.locking == "exclusive")
    }

    @Test func aSecondOpenerIsTurnedAway() throws {
        let store = try open()
        try store.commit([put("a")])
        expect(.busy) { _ = try open() }
        store.close()
        #expect(try open().get("a") != nil)
    }

    @Test func whatIsNoDatabaseIsCorrupt() throws {
        try files.open(path, .create).write(String(repeating: "no database ", count: 1000), at: 0)
        expect(.corrupt) { _ = try open() }
    }

    @Test func anotherProgramsDatabaseIsLeftAlone() throws {
        try SQLiteConnection(path: path).execute("CREATE TABLE other (a)")
        expect(.corrupt) { _ = try open() }
        #expect(try SQLiteConnection(path: path).text("PRAGMA journal_mode") == "delete")
    }

    @Test func aNewerSchemaIsRefused() throws {
        try open().commit([put("a")])
        try SQLiteConnection(path: path).execute("PRAGMA user_version=\(SQLiteDatabase.schemaVersion + 1)")
        expect(.formatTooNew) { _ = try open() }
    }

    @Test func aFlippedByteInAValueIsFound() throws {
        let store = try open()
        try store.commit([.put(key: "good", value: [1], expected: nil), .put(key: "bad", value: [2], expected: nil)])
        store.close()
        try SQLiteConnection(path: path).execute("UPDATE entries SET value = x'03' WHERE key = x'626164'")
        let damaged = try open()
        expect(.corrupt) { _ = try damaged.get("bad") }
        expect(.corrupt) { _ = try damaged.list(prefix: "b") }
        expect(.corrupt) { try damaged.commit([put("bad", expected: 1)]) }
        #expect(try damaged.get("good")?.value == [1])
    }

    @Test func damagedPagesAreAnErrorNotACrash() throws {
        let store = try open()
        for index in 0..<200 { try store.commit([put("key \(index)", 1000)]) }
        store.close()
        let file = try files.open(path, .readWrite)
        let size = try file.size()
        for position in stride(from: Int64(4096), to: size, by: 4096) {
            try file.write(String(repeating: "x", count: 100), at: position)
        }
        file.close()
        expect(.corrupt) { _ = try open().list(prefix: "") }
    }

    @Test func aFullFileRefusesAndGoesOn() throws {
        let store = try open(maximumBytes: 200 << 10)
        try store.commit([put("a")])
        expect(.full) { try store.commit([put("large", 300 << 10)]) }
        #expect(try store.get("large") == nil)
        #expect(try store.commit([put("small")]) == 2)
        #expect(try store.list(prefix: "").map(\.key) == ["a", "small"])
    }

    @Test func afterAFailureOfTheDeviceNothingIsCommitted() throws {
        let store = try open()
        try store.commit([put("a")])
        store.fence(StorageError(.device, "the sync failed"))
        expect(.device) { try store.commit([put("b")]) }
        #expect(try store.get("a") != nil, "reading goes on")
    }

    @Test func aDirectoryThatCannotBeSyncedIsAnError() throws {
        // The simulated machine does not have the directory.
        let elsewhere = SimulatedMachine(seed: 1).machine.files
        expect(.device) { _ = try SQLiteMetadataStore(path: path, files: elsewhere) }
        expect(.denied) { _ = try SQLiteMetadataStore(path: directory.path + "/none/meta.db", files: files) }
    }

    @Test func resultCodesBecomeCodes() {
        let codes: [(Int32, StorageError.Code)] = [
            (SQLITE_BUSY, .busy), (SQLITE_CORRUPT, .corrupt), (SQLITE_NOTADB, .corrupt), (SQLITE_FULL, .full),
            (SQLITE_IOERR | (4 << 8), .device), (SQLITE_CANTOPEN, .denied), (SQLITE_READONLY, .denied),
            (SQLITE_MISUSE, .other),
        ]
        for (result, code) in codes { #expect(StorageError.Code(sqlite: result) == code) }
    }
}
