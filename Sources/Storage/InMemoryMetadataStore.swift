import Synchronization

/// A store that forgets everything with the process: for tests and simulations, where it outlives the simulated
/// machine's crashes and power cuts.
public final class InMemoryMetadataStore: MetadataStore {
    private struct Value {
        let key: String
        let bytes: [UInt8]
        let version: Int64
    }

    private struct State {
        /// By UTF-8 bytes: as strings, keys that differ only in Unicode composition would be equal.
        var values: [[UInt8]: Value] = [:]
        var revision: Int64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// An empty store.
    public init() {}

    /// The entry of a key, or nil.
    public func get(_ key: String) throws(StorageError) -> MetadataEntry? {
        try MetadataLimits.check(key: key)
        return try withState { state in state.values[Array(key.utf8)].map(Self.entry) }
    }

    /// Every entry whose key begins with `prefix`.
    public func list(prefix: String) throws(StorageError) -> [MetadataEntry] {
        let prefix = Array(prefix.utf8)
        return try withState { state in
            state.values.filter { $0.key.starts(with: prefix) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .map { Self.entry($0.value) }
        }
    }

    /// Applies all of `changes` or none.
    @discardableResult
    public func commit(_ changes: [MetadataChange]) throws(StorageError) -> Int64 {
        try MetadataLimits.check(changes)
        return try withState { (state) throws(StorageError) in
            for change in changes {
                let found = state.values[Array(change.key.utf8)]?.version
                guard found == change.expected else { throw .conflict(change, found: found) }
            }
            if changes.contains(where: \.isWrite) { state.revision += 1 }
            for change in changes {
                switch change {
                case .put(let key, let value, _):
                    state.values[Array(key.utf8)] = Value(key: key, bytes: value, version: state.revision)
                case .remove(let key, _): state.values[Array(key.utf8)] = nil
                case .require: break
                }
            }
            return state.revision
        }
    }

    /// The number of the last commit that changed something.
    public func revision() throws(StorageError) -> Int64 {
        try withState { $0.revision }
    }

    /// Lets every later call throw `.closed`.
    public func close() {
        state.withLock { $0.isClosed = true }
    }

    private static func entry(_ value: Value) -> MetadataEntry {
        MetadataEntry(key: value.key, value: value.bytes, version: value.version)
    }

    private func withState<Result: Sendable>(
        _ body: (inout State) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try state.withLock { (state) throws(StorageError) in
            guard !state.isClosed else { throw StorageError(.closed, "the metadata store is closed") }
            return try body(&state)
        }
    }
}
