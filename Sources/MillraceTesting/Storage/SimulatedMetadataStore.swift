import Machine
public import SimulatedMachine
public import Storage
import Synchronization

/// The metadata store of a simulated process: what it commits is durable, and outlives the process in `content`.
///
/// A fault at `SimulatedOperation.commit` fails a commit with `.device`, or `.full` for `.noSpace`. After `.device` it
/// is unknown whether the commit happened, and every later one fails, as `MetadataStore` demands.
public final class SimulatedMetadataStore: MetadataStore {
    private let content: InMemoryMetadataStore
    private let process: SimulatedProcess
    private let isFenced = Mutex(false)

    /// The store of the machine's running process.
    public init(_ content: InMemoryMetadataStore, on machine: SimulatedMachine) {
        self.content = content
        process = machine.process
    }

    /// The entry of a key, or nil.
    public func get(_ key: String) throws(StorageError) -> MetadataEntry? {
        try checkLife()
        return try content.get(key)
    }

    /// Every entry whose key begins with `prefix`.
    public func list(prefix: String) throws(StorageError) -> [MetadataEntry] {
        try checkLife()
        return try content.list(prefix: prefix)
    }

    /// Applies all of `changes` or none.
    @discardableResult
    public func commit(_ changes: [MetadataChange]) throws(StorageError) -> Int64 {
        guard !isFenced.withLock({ $0 }) else { throw StorageError(.device, "an earlier commit failed") }
        let outcome: Result<Int64, StorageError>
        do {
            outcome = try process.commit("metadata") {
                Result { () throws(StorageError) in try content.commit(changes) }
            }
        } catch {
            if error.code == .noSpace { throw StorageError(.full, "the metadata cannot grow", cause: error) }
            isFenced.withLock { $0 = true }
            throw StorageError(.device, "the commit failed", cause: error)
        }
        return try outcome.get()
    }

    /// The number of the last commit that changed something.
    public func revision() throws(StorageError) -> Int64 {
        try checkLife()
        return try content.revision()
    }

    /// Does nothing: the content outlives the process.
    public func close() {}

    private func checkLife() throws(StorageError) {
        guard process.isAlive else { throw StorageError(.device, "the process has ended") }
    }
}
