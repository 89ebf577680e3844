public import Storage
import Testing

/// What every `MetadataStore` must do, in memory, on SQLite, and later on etcd.
public struct MetadataStoreConformance: Sendable {
    /// One aspect.
    public enum Check: String, Sendable, CaseIterable {
        /// Put, get, replace, remove.
        case entries
        /// Versions and revisions count commits that change something.
        case versions
        /// Expected versions decide; a commit is applied whole or not at all.
        case conflicts
        /// Prefixes, and the order of keys.
        case listing
        /// Keys are bytes, values may be empty and hold any byte.
        case bytes
        /// The bounds of `MetadataLimits`.
        case limits
        /// Many threads that increment one counter lose no increment.
        case concurrency
        /// Nothing works after `close`.
        case closing
    }

    let store: any MetadataStore

    /// Checks an empty store.
    public init(_ store: any MetadataStore) {
        self.store = store
    }

    /// Runs one check; failures are recorded as issues of the running test.
    public func run(_ check: Check) async throws {
        switch check {
        case .entries: try entries()
        case .versions: try versions()
        case .conflicts: try conflicts()
        case .listing: try listing()
        case .bytes: try bytes()
        case .limits: try limits()
        case .concurrency: try await concurrency()
        case .closing: try closing()
        }
    }

    private func put(_ key: String, _ value: String, replacing expected: Int64? = nil) -> MetadataChange {
        .put(key: key, value: Array(value.utf8), expected: expected)
    }

    private func entry(_ key: String, _ value: String, _ version: Int64) -> MetadataEntry {
        MetadataEntry(key: key, value: Array(value.utf8), version: version)
    }

    private func expect(
        _ code: StorageError.Code, key: String? = nil, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) {
        let error = #expect(throws: StorageError.self, sourceLocation: sourceLocation) { try body() }
        #expect(error?.code == code, "\(error?.description ?? "")", sourceLocation: sourceLocation)
        if let key { #expect(error?.key == key, sourceLocation: sourceLocation) }
    }
}

extension MetadataStoreConformance {
    private func entries() throws {
        #expect(try store.get("a") == nil)
        #expect(try store.list(prefix: "").isEmpty)
        let first = try store.commit([put("a", "one"), put("b", "two")])
        #expect(try store.get("a") == entry("a", "one", first))
        let second = try store.commit([put("a", "three", replacing: first)])
        #expect(try store.get("a") == entry("a", "three", second))
        #expect(try store.get("b") == entry("b", "two", first))
        try store.commit([.remove(key: "a", expected: second)])
        #expect(try store.get("a") == nil)
        let third = try store.commit([put("a", "again")])
        #expect(try store.get("a") == entry("a", "again", third))
        #expect(third > second, "a version does not come back")
    }

    private func versions() throws {
        #expect(try store.revision() == 0)
        #expect(try store.commit([put("a", "1"), put("b", "1")]) == 1)
        #expect(try store.get("a")?.version == 1 && store.get("b")?.version == 1)
        #expect(try store.commit([put("a", "2", replacing: 1), .remove(key: "b", expected: 1)]) == 2)
        #expect(try store.commit([.require(key: "a", expected: 2)]) == 2, "nothing changed")
        #expect(try store.commit([]) == 2)
        #expect(throws: StorageError.self) { try store.commit([put("a", "3", replacing: 1)]) }
        #expect(try store.revision() == 2, "a conflict is no commit")
    }

    private func conflicts() throws {
        try store.commit([put("a", "1")])
        expect(.conflict, key: "a") { try store.commit([put("a", "2")]) }
        expect(.conflict, key: "a") { try store.commit([put("a", "2", replacing: 7)]) }
        expect(.conflict, key: "b") { try store.commit([put("b", "2", replacing: 1)]) }
        expect(.conflict, key: "b") { try store.commit([.remove(key: "b", expected: 1)]) }
        expect(.conflict, key: "a") { try store.commit([.remove(key: "a", expected: 2)]) }
        expect(.conflict, key: "b") { try store.commit([.require(key: "b", expected: 1)]) }
        expect(.conflict, key: "a") { try store.commit([.require(key: "a", expected: nil)]) }
        expect(.conflict, key: "z") {
            try store.commit([
                put("c", "new"), put("a", "2", replacing: 1), .require(key: "z", expected: 1),
            ])
        }
        #expect(try store.list(prefix: "") == [entry("a", "1", 1)], "all or nothing")
        try store.commit([.require(key: "z", expected: nil), .require(key: "a", expected: 1), put("c", "new")])
        #expect(try store.get("c") == entry("c", "new", 2))
    }

    private func listing() throws {
        let keys = [
            "topic/b", "topic/a", "topic", "topic/a/1", "topid", "topic0", "t", "topic/é", "topic/z",
            "topic/\u{10FFFF}",
        ]
        try store.commit(keys.map { put($0, $0) })
        #expect(
            try store.list(prefix: "topic/").map(\.key)
                == ["topic/a", "topic/a/1", "topic/b", "topic/z", "topic/é", "topic/\u{10FFFF}"])
        #expect(try store.list(prefix: "topic/a").map(\.key) == ["topic/a", "topic/a/1"])
        #expect(try store.list(prefix: "").count == keys.count)
        #expect(try store.list(prefix: "none").isEmpty)
        #expect(try store.list(prefix: "topid") == [entry("topid", "topid", 1)])
    }

    private func bytes() throws {
        let all = (0...255).map { UInt8($0) }
        try store.commit([
            .put(key: "empty", value: [], expected: nil), .put(key: "all", value: all, expected: nil),
            .put(key: "nul\0key", value: [0], expected: nil), .put(key: "nul", value: [1], expected: nil),
        ])
        #expect(try store.get("empty")?.value == [])
        #expect(try store.get("all")?.value == all)
        #expect(try store.get("nul\0key")?.value == [0] && store.get("nul")?.value == [1])
        // One letter, composed and decomposed: equal as strings, different as keys.
        try store.commit([put("caf\u{E9}", "composed"), put("cafe\u{301}", "decomposed")])
        #expect(try store.get("caf\u{E9}")?.value == Array("composed".utf8))
        #expect(try store.get("cafe\u{301}")?.value == Array("decomposed".utf8))
        #expect(try store.list(prefix: "caf").count == 2)
        #expect(try store.list(prefix: "cafe").count == 1)
    }

    private func limits() throws {
        let key = String(repeating: "k", count: MetadataLimits.keyBytes.upperBound)
        let value = [UInt8](repeating: 7, count: MetadataLimits.maximumValueBytes)
        try store.commit([.put(key: key, value: value, expected: nil)])
        #expect(try store.get(key)?.value == value)
        expect(.invalid) { _ = try store.get(key + "k") }
        expect(.invalid) { _ = try store.get("") }
        expect(.invalid) { try store.commit([put(key + "k", "")]) }
        expect(.invalid) { try store.commit([put("", "")]) }
        expect(.invalid, key: "a") { try store.commit([.put(key: "a", value: value + [7], expected: nil)]) }
        expect(.invalid, key: "a") { try store.commit([put("a", "1"), .require(key: "a", expected: nil)]) }
        expect(.invalid) {
            try store.commit(["a", "b", "c"].map { .put(key: $0, value: value, expected: nil) })
        }
        let many = (0..<MetadataLimits.maximumChanges).map { put("many/\($0)", "") }
        expect(.invalid) { try store.commit(many + [put("a", "")]) }
        try store.commit(many)
        #expect(try store.list(prefix: "many/").count == MetadataLimits.maximumChanges)
    }

    private func concurrency() async throws {
        let rounds = 25
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<rounds { try increment() } }
            }
            try await group.waitForAll()
        }
        #expect(try store.get("counter")?.value == Array("\(4 * rounds)".utf8))
        #expect(try store.revision() == Int64(4 * rounds))
    }

    private func increment() throws {
        while true {
            let found = try store.get("counter")
            let count = found.flatMap { Int(String(decoding: $0.value, as: UTF8.self)) } ?? 0
            do throws(StorageError) {
                try store.commit([put("counter", "\(count + 1)", replacing: found?.version)])
                return
            } catch {
                if error.code != .conflict { throw error }
            }
        }
    }

    private func closing() throws {
        try store.commit([put("a", "1")])
        store.close()
        store.close()
        expect(.closed) { _ = try store.get("a") }
        expect(.closed) { _ = try store.list(prefix: "") }
        expect(.closed) { _ = try store.revision() }
        expect(.closed) { try store.commit([put("b", "1")]) }
    }
}
