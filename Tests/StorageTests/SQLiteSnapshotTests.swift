import Machine
import MillraceTesting
import Synchronization
import Testing

@testable import Storage

@Suite struct SQLiteSnapshotTests {
    private let directory: TemporaryDirectory
    private let path: String
    private let scratch: String
    private let files = Machine.posix().files

    init() throws {
        directory = try TemporaryDirectory("snapshot")
        path = directory.path + "/meta.db"
        scratch = directory.path + "/scratch.db"
    }

    private func entries() throws -> [MetadataEntry] {
        try SQLiteSnapshot.entries(of: path, copiedTo: scratch, files: files)
    }

    @Test func anOpenStoreIsReadAsItIs() throws {
        let store = try SQLiteMetadataStore(path: path, files: files)
        #expect(try entries().isEmpty)
        for number in 0..<50 {
            try store.commit([.put(key: "k\(number)", value: [UInt8(number)], expected: nil)])
            #expect(try entries() == store.list(prefix: ""))
        }
        store.close()
        #expect(try entries().count == 50)
        #expect(try files.contents(ofDirectory: directory.path) == ["meta.db"])
    }

    @Test func whatIsNoStoreIsRefused() throws {
        #expect(throws: StorageError.self) { try entries() }
        let file = try files.open(path, .create)
        try file.write(String(repeating: "no database ", count: 1_000), at: 0)
        #expect(throws: StorageError.self) { try entries() }
    }

    /// Two keys always change together: no copy may tell of one only, while the log is checkpointed and begins anew.
    @Test func aStoreThatIsWrittenIsReadAsOfOneMoment() throws {
        let store = try SQLiteMetadataStore(path: path, files: files)
        // Four pages each, so that a thousand pages come soon.
        @Sendable func value(_ number: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 16_000)
        }
        try store.commit([
            .put(key: "a", value: value(0), expected: nil), .put(key: "b", value: value(0), expected: nil),
        ])
        let isStopping = Atomic(false)
        let thread = WorkerThread(named: "writer") {
            var version: Int64 = 1
            for number in 1..<2_000 where !isStopping.load(ordering: .relaxed) {
                let changes: [MetadataChange] = ["a", "b"].map {
                    .put(key: $0, value: value(number), expected: version)
                }
                version = (try? store.commit(changes)) ?? version
            }
        }
        var versions: Set<Int64> = []
        for _ in 0..<100 {
            let found = try entries()
            #expect(found.count == 2 && found[0].version == found[1].version && found[0].value == found[1].value)
            versions.insert(found[0].version)
        }
        isStopping.store(true, ordering: .relaxed)
        thread.join()
        #expect(versions.count > 3)
        #expect(try entries() == store.list(prefix: ""))
    }
}
