/// A small, durable, transactional map from keys to versioned values: topics, their configuration, counters.
///
/// Every commit that changes something raises the store's revision by one, and that revision becomes the version of
/// every entry that it wrote. A change names the version that it expects to replace, so that two writers cannot
/// overwrite each other unseen. This is etcd's transaction with comparisons of `mod_revision`, and nothing that etcd
/// could not do.
///
/// Keys compare by their UTF-8 bytes. Calls may block for as long as the device takes, and may come from any thread.
public protocol MetadataStore: Sendable {
    /// The entry of a key, or nil.
    ///
    /// - Throws: `.invalid` for a key outside `MetadataLimits`, `.corrupt`, `.busy`, `.device`, `.closed`.
    func get(_ key: String) throws(StorageError) -> MetadataEntry?
    /// Every entry whose key begins with `prefix`, in the order of the keys, as of one moment. An empty prefix lists
    /// everything.
    func list(prefix: String) throws(StorageError) -> [MetadataEntry]
    /// Applies all of `changes` or none. When it returns, they are durable.
    ///
    /// - Returns: the revision afterwards, which is the version of the entries that were put.
    /// - Throws: `.conflict` if a key's version is not the expected one; `.invalid` for a bound of `MetadataLimits`
    ///   or a key that occurs twice; `.full` and `.busy` if nothing changed and a later attempt may succeed;
    ///   `.device` if it is unknown whether the changes will be found after a restart: the store then refuses every
    ///   commit until it is opened anew.
    @discardableResult
    func commit(_ changes: [MetadataChange]) throws(StorageError) -> Int64
    /// The number of the last commit that changed something; 0 in an empty store.
    func revision() throws(StorageError) -> Int64
    /// Frees what the store holds. Every later call throws `.closed`.
    func close()
}

/// A key with its value.
public struct MetadataEntry: Sendable, Equatable {
    /// The key.
    public let key: String
    /// The value.
    public let value: [UInt8]
    /// The revision of the commit that wrote it; at least 1.
    public let version: Int64

    /// Assembles an entry.
    public init(key: String, value: [UInt8], version: Int64) {
        self.key = key
        self.value = value
        self.version = version
    }
}

/// One part of a commit.
public enum MetadataChange: Sendable, Equatable {
    /// Writes a value. `expected` is the version that it replaces; nil demands that the key is absent.
    case put(key: String, value: [UInt8], expected: Int64?)
    /// Removes the key, which has the version `expected`.
    case remove(key: String, expected: Int64)
    /// Changes nothing, but demands that the key has the version `expected`, or is absent if that is nil.
    case require(key: String, expected: Int64?)

    /// The key that it is about.
    public var key: String {
        switch self {
        case .put(let key, _, _), .remove(let key, _), .require(let key, _): key
        }
    }

    /// The version that it demands; nil for absence.
    public var expected: Int64? {
        switch self {
        case .put(_, _, let expected), .require(_, let expected): expected
        case .remove(_, let expected): expected
        }
    }

    /// Whether it changes anything.
    var isWrite: Bool {
        if case .require = self { false } else { true }
    }

    var valueSize: Int {
        if case .put(_, let value, _) = self { value.count } else { 0 }
    }
}

/// The bounds that every store enforces, chosen below etcd's defaults (128 operations and 1.5 MiB per request), so
/// that what fits here fits there.
public enum MetadataLimits {
    /// A key's length in UTF-8 bytes.
    public static let keyBytes = 1...1024
    /// A value's largest size in bytes: 512 KiB.
    public static let maximumValueBytes = 512 << 10
    /// The largest number of changes in one commit.
    public static let maximumChanges = 128
    /// The largest sum of keys and values in one commit, in bytes: 1 MiB.
    public static let maximumCommitBytes = 1 << 20

    static func check(key: String) throws(StorageError) {
        guard keyBytes.contains(key.utf8.count) else {
            throw StorageError(
                .invalid,
                "a key of \(key.utf8.count) bytes; allowed are \(keyBytes.lowerBound) to \(keyBytes.upperBound)"
            )
        }
    }

    static func check(_ changes: [MetadataChange]) throws(StorageError) {
        guard changes.count <= maximumChanges else {
            throw StorageError(.invalid, "a commit of \(changes.count) changes; at most \(maximumChanges) are allowed")
        }
        var seen: Set<[UInt8]> = []
        var total = 0
        for change in changes {
            try check(key: change.key)
            guard change.valueSize <= maximumValueBytes else {
                throw StorageError(
                    .invalid, "a value of \(change.valueSize) bytes; at most \(maximumValueBytes) are allowed",
                    key: change.key)
            }
            guard seen.insert(Array(change.key.utf8)).inserted else {
                throw StorageError(.invalid, "a key occurs twice in a commit", key: change.key)
            }
            total += change.key.utf8.count + change.valueSize
        }
        guard total <= maximumCommitBytes else {
            throw StorageError(.invalid, "a commit of \(total) bytes; at most \(maximumCommitBytes) are allowed")
        }
    }
}
