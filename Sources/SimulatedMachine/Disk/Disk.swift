/// The simulated disk: a tree of directories over numbered nodes. Names resolve from the root, whether the path is
/// absolute or not.
struct Disk {
    /// The number of the root directory.
    static let root = 0

    /// The content of every file that has a name, an open handle, or a name on the disk.
    var files: [Int: FileContent] = [:]
    /// The entries of every directory, as processes see them: name → node.
    var directories: [Int: [String: Int]] = [root: [:]]
    /// The entries of every directory, as they are on the disk for certain.
    var durableDirectories: [Int: [String: Int]] = [root: [:]]
    /// What was done to directories since, in order.
    var pending: [DirectoryChange] = []
    /// The number of open handles of a file.
    private var handles: [Int: Int] = [:]
    private var nextNode = 1

    /// One atomic change of one or two directories.
    struct DirectoryChange {
        let node: Int
        /// The entry that goes, if it names the node.
        let removed: Entry?
        /// The entry that names the node from now on.
        let added: Entry?

        var entries: [Entry] { [removed, added].compactMap { $0 } }
    }

    struct Entry: Hashable {
        let directory: Int
        let name: String
    }

    // MARK: Names

    static func components(_ path: String) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }
    }

    /// The node at a path, or nil.
    func node(at path: String) -> Int? {
        var node = Self.root
        for name in Self.components(path) {
            guard let next = directories[node]?[String(name)] else { return nil }
            node = next
        }
        return node
    }

    /// The directory and the name that a path's last part stands for; nil at the root or if the directory is missing.
    func entry(at path: String) -> Entry? {
        var names = Self.components(path)
        guard let last = names.popLast() else { return nil }
        var directory = Self.root
        for name in names {
            guard let next = directories[directory]?[String(name)], directories[next] != nil else { return nil }
            directory = next
        }
        return Entry(directory: directory, name: String(last))
    }

    func node(of entry: Entry) -> Int? {
        directories[entry.directory]?[entry.name]
    }

    // MARK: Changes

    mutating func createFile(_ entry: Entry) -> Int {
        let node = newNode()
        files[node] = FileContent()
        change(DirectoryChange(node: node, removed: nil, added: entry))
        return node
    }

    mutating func createDirectory(_ entry: Entry) -> Int {
        let node = newNode()
        directories[node] = [:]
        durableDirectories[node] = [:]
        change(DirectoryChange(node: node, removed: nil, added: entry))
        return node
    }

    mutating func rename(_ node: Int, from source: Entry, to destination: Entry) {
        change(DirectoryChange(node: node, removed: source, added: destination))
    }

    /// Gives a file one more name.
    mutating func link(_ node: Int, at entry: Entry) {
        change(DirectoryChange(node: node, removed: nil, added: entry))
    }

    /// Removes a file or an empty directory.
    mutating func remove(_ node: Int, _ entry: Entry) {
        change(DirectoryChange(node: node, removed: entry, added: nil))
    }

    private mutating func change(_ change: DirectoryChange) {
        Self.apply(change, to: &directories)
        pending.append(change)
    }

    static func apply(_ change: DirectoryChange, to directories: inout [Int: [String: Int]]) {
        if let entry = change.removed, directories[entry.directory]?[entry.name] == change.node {
            directories[entry.directory]?[entry.name] = nil
        }
        if let entry = change.added { directories[entry.directory]?[entry.name] = change.node }
    }

    private mutating func newNode() -> Int {
        defer { nextNode += 1 }
        return nextNode
    }

    // MARK: Space

    mutating func retain(_ node: Int) {
        handles[node, default: 0] += 1
    }

    mutating func release(_ node: Int) {
        guard let count = handles[node] else { return }
        handles[node] = count > 1 ? count - 1 : nil
    }

    /// Ends every handle. A failure that nobody was told by then is told to nobody.
    mutating func releaseHandles() {
        handles = [:]
        for node in files.keys { _ = files[node]?.takeUntoldFailure() }
        sweep()
    }

    /// The bytes that named or open files take.
    var usedBytes: Int {
        let named = Set(directories.values.flatMap(\.values))
        return files.reduce(0) { sum, file in
            named.contains(file.key) || handles[file.key] != nil ? sum + file.value.allocated : sum
        }
    }

    /// Forgets files that nothing can reach any more, not even after a power cut.
    mutating func sweep() {
        var reachable = Set(directories.values.flatMap(\.values))
        reachable.formUnion(durableDirectories.values.flatMap(\.values))
        reachable.formUnion(pending.map(\.node))
        reachable.formUnion(handles.keys)
        files = files.filter { reachable.contains($0.key) }
    }
}
