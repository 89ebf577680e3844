import Glibc
import Machine
import Synchronization

/// The files of a simulated machine, as one process sees them.
struct SimulatedFileSystem: FileSystem {
    let world: SharedWorld
    let incarnation: Int

    /// Runs an operation on the world, unless a fault or the end of the process prevents it.
    private func perform<Result: Sendable>(
        _ operation: SimulatedOperation, _ name: String, _ path: String,
        _ body: (inout World, Call) throws(MachineError) -> Result
    ) throws(MachineError) -> Result {
        let call = Call(operation: operation, name: name, path: path, incarnation: incarnation)
        return try world.state.withLock { (world) throws(MachineError) in
            if let error = world.begin(call) { throw error }
            return try body(&world, call)
        }
    }

    func open(_ path: String, _ access: FileAccess) throws(MachineError) -> any File {
        let node = try perform(.open, "open", path) { (world, call) throws(MachineError) in
            guard let entry = world.disk.entry(at: path) else { throw call.error(ENOENT) }
            let node = try world.open(entry, access, call)
            world.disk.retain(node)
            return node
        }
        var isWritable = true
        if case .read = access { isWritable = false }
        return SimulatedFile(
            path: path, world: world, incarnation: incarnation, node: node, isWritable: isWritable)
    }

    func createDirectory(_ path: String) throws(MachineError) {
        try perform(.createDirectory, "create directory", path) { (world, call) throws(MachineError) in
            var directory = Disk.root
            for name in Disk.components(path) {
                let entry = Disk.Entry(directory: directory, name: String(name))
                directory = world.disk.node(of: entry) ?? world.disk.createDirectory(entry)
                guard world.disk.directories[directory] != nil else { throw call.error(EEXIST) }
            }
        }
    }

    func contents(ofDirectory path: String) throws(MachineError) -> [String] {
        try perform(.list, "list", path) { (world, call) throws(MachineError) in
            guard let node = world.disk.node(at: path) else { throw call.error(ENOENT) }
            guard let entries = world.disk.directories[node] else { throw call.error(ENOTDIR) }
            return entries.keys.sorted()
        }
    }

    func rename(_ path: String, to destination: String) throws(MachineError) {
        try perform(.rename, "rename to \(destination)", path) { (world, call) throws(MachineError) in
            guard let source = world.disk.entry(at: path), let target = world.disk.entry(at: destination),
                let node = world.disk.node(of: source)
            else { throw call.error(ENOENT) }
            if let replaced = world.disk.node(of: target), replaced != node {
                try world.checkReplacement(of: replaced, by: node, call)
            }
            if source != target { world.disk.rename(node, from: source, to: target) }
        }
    }

    func link(_ path: String, to destination: String) throws(MachineError) {
        try perform(.link, "link to \(destination)", path) { (world, call) throws(MachineError) in
            guard let node = world.disk.node(at: path), let target = world.disk.entry(at: destination) else {
                throw call.error(ENOENT)
            }
            guard world.disk.files[node] != nil else { throw call.error(EPERM) }
            guard world.disk.node(of: target) == nil else { throw call.error(EEXIST) }
            world.disk.link(node, at: target)
        }
    }

    func remove(_ path: String) throws(MachineError) {
        try perform(.remove, "remove", path) { (world, call) throws(MachineError) in
            guard let entry = world.disk.entry(at: path), let node = world.disk.node(of: entry) else { return }
            world.disk.removeTree(node, entry)
        }
    }

    func information(at path: String) throws(MachineError) -> FileInformation? {
        try perform(.examine, "examine", path) { (world, _) throws(MachineError) in
            guard let node = world.disk.node(at: path) else { return nil }
            guard let file = world.disk.files[node] else {
                return FileInformation(isDirectory: true, sizeBytes: 0, modifiedMilliseconds: 0)
            }
            return FileInformation(
                isDirectory: false, sizeBytes: Int64(file.cached.count),
                modifiedMilliseconds: file.modifiedMilliseconds)
        }
    }

    func synchronizeDirectory(_ path: String) throws(MachineError) {
        try perform(.synchronizeDirectory, "synchronize directory", path) { (world, call) throws(MachineError) in
            guard let node = world.disk.node(at: path) else { throw call.error(ENOENT) }
            guard world.disk.directories[node] != nil else { throw call.error(ENOTDIR) }
            world.disk.synchronizeDirectory(node)
        }
    }

    func synchronizeVolume(holding path: String) throws(MachineError) {
        let call = Call(
            operation: .synchronizeVolume, name: "synchronize volume of", path: path, incarnation: incarnation)
        try world.state.withLock { (world) throws(MachineError) in
            if let error = world.begin(call) {
                if world.isAlive(incarnation) { world.disk.failVolume(&world.random) }
                throw error
            }
            guard world.disk.node(at: path) != nil else { throw call.error(ENOENT) }
            world.disk.synchronizeVolume()
        }
    }

    func capacity(ofVolumeHolding path: String) throws(MachineError) -> VolumeCapacity {
        try perform(.examine, "measure volume of", path) { (world, call) throws(MachineError) in
            guard world.disk.node(at: path) != nil else { throw call.error(ENOENT) }
            let total = world.settings.capacityBytes
            return VolumeCapacity(
                totalBytes: total, availableBytes: max(0, total - Int64(world.disk.usedBytes)))
        }
    }

    func lock(_ path: String) throws(MachineError) -> any FileLock {
        let node = try perform(.lock, "lock", path) { (world, call) throws(MachineError) in
            guard let entry = world.disk.entry(at: path) else { throw call.error(ENOENT) }
            let node = try world.open(entry, .readWriteCreate, call)
            guard world.locks.insert(node).inserted else { throw call.error(.locked) }
            return node
        }
        return SimulatedLock(world: world, incarnation: incarnation, node: node)
    }
}

extension World {
    /// The file behind an entry, created or emptied as `access` says.
    mutating func open(_ entry: Disk.Entry, _ access: FileAccess, _ call: Call) throws(MachineError) -> Int {
        guard let node = disk.node(of: entry) else {
            switch access {
            case .read, .readWrite: throw call.error(ENOENT)
            case .readWriteCreate, .create, .replace:
                let node = disk.createFile(entry)
                disk.files[node]?.modifiedMilliseconds = wallNanoseconds / 1_000_000
                return node
            }
        }
        switch access {
        case .create: throw call.error(EEXIST)
        case .read, .readWrite, .readWriteCreate: break
        case .replace: disk.files[node]?.truncate(to: 0)
        }
        guard disk.files[node] != nil else { throw call.error(EISDIR) }
        return node
    }

    func checkReplacement(of replaced: Int, by node: Int, _ call: Call) throws(MachineError) {
        switch (disk.directories[node] != nil, disk.directories[replaced]) {
        case (false, nil): break
        case (true, nil): throw call.error(ENOTDIR)
        case (false, .some): throw call.error(EISDIR)
        case (true, .some(let entries)):
            if !entries.isEmpty { throw call.error(ENOTEMPTY) }
        }
    }
}

extension Disk {
    /// Removes a file, or a directory with all in it, one entry after the other.
    mutating func removeTree(_ node: Int, _ entry: Entry) {
        for (name, child) in (directories[node] ?? [:]).sorted(by: { $0.key < $1.key }) {
            removeTree(child, Entry(directory: node, name: name))
        }
        remove(node, entry)
    }
}

/// A lock of a simulated process.
final class SimulatedLock: FileLock {
    private let world: SharedWorld
    private let incarnation: Int
    private let node: Int
    private let isHeld = Atomic(true)

    init(world: SharedWorld, incarnation: Int, node: Int) {
        self.world = world
        self.incarnation = incarnation
        self.node = node
    }

    deinit { unlock() }

    func unlock() {
        guard isHeld.exchange(false, ordering: .relaxed) else { return }
        world.state.withLock { world in
            if world.incarnation == incarnation { world.locks.remove(node) }
        }
    }
}
