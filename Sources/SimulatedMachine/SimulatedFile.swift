import Glibc
import Machine
import Synchronization

/// An open file of a simulated process.
final class SimulatedFile: File {
    let path: String
    private let world: SharedWorld
    private let incarnation: Int
    private let node: Int
    private let isWritable: Bool
    private let isOpen = Atomic(true)

    init(path: String, world: SharedWorld, incarnation: Int, node: Int, isWritable: Bool) {
        self.path = path
        self.world = world
        self.incarnation = incarnation
        self.node = node
        self.isWritable = isWritable
    }

    deinit { close() }

    var descriptor: Int32? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(MachineError) -> Int {
        try perform(.read, "read") { (world, call) throws(MachineError) in
            if let error = world.begin(call) { throw error }
            guard position >= 0 else { throw call.error(EINVAL) }
            return world.disk.files[self.node]?.read(into: buffer, at: Int(position)) ?? 0
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(MachineError) {
        guard !bytes.isEmpty else { return }
        try perform(.write, "write") { (world, call) throws(MachineError) in
            let wasAlive = world.isAlive(self.incarnation)
            let fault = world.begin(call)
            guard wasAlive else { throw fault ?? call.error(EIO) }
            guard position >= 0 else { throw call.error(EINVAL) }
            guard self.isWritable else { throw call.error(EBADF) }
            if let fault {
                // A failed write may have written any prefix.
                let count = world.random.upTo(bytes.count)
                world.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), to: self.node, at: Int(position))
                throw fault
            }
            let room = world.room(in: self.node, for: Int(position)..<Int(position) + bytes.count)
            world.write(UnsafeRawBufferPointer(rebasing: bytes[..<room]), to: self.node, at: Int(position))
            if room < bytes.count { throw call.error(ENOSPC) }
        }
    }

    func synchronize() throws(MachineError) {
        try perform(.synchronize, "synchronize") { (world, call) throws(MachineError) in
            let wasAlive = world.isAlive(self.incarnation)
            if let error = world.begin(call) {
                if wasAlive, !world.isStopped { world.disk.files[self.node]?.failSynchronize(&world.random) }
                throw error
            }
            if world.disk.files[self.node]?.takeUntoldFailure() == true { throw call.error(EIO) }
            world.disk.files[self.node]?.synchronize()
        }
    }

    func preallocate(to size: Int64) {
        guard isOpen.load(ordering: .relaxed), isWritable else { return }
        world.state.withLock { world in
            guard world.isAlive(incarnation), let file = world.disk.files[node] else { return }
            let growth = Int(size) - file.allocated
            guard growth > 0, world.freeBytes >= growth else { return }
            world.disk.files[node]?.reserved = Int(size)
        }
    }

    func truncate(to size: Int64) throws(MachineError) {
        try perform(.truncate, "truncate") { (world, call) throws(MachineError) in
            if let error = world.begin(call) { throw error }
            guard size >= 0 else { throw call.error(EINVAL) }
            guard self.isWritable else { throw call.error(EINVAL) }
            world.disk.files[self.node]?.truncate(to: Int(size))
            world.touch(self.node)
        }
    }

    func size() throws(MachineError) -> Int64 {
        try perform(.examine, "measure") { (world, call) throws(MachineError) in
            if let error = world.begin(call) { throw error }
            return Int64(world.disk.files[self.node]?.cached.count ?? 0)
        }
    }

    func map(_ count: Int) throws(MachineError) -> any MemoryMap {
        try perform(.map, "map") { (world, call) throws(MachineError) in
            if let error = world.begin(call) { throw error }
            guard count >= 0, let size = world.disk.files[self.node]?.cached.count, size >= count,
                let map = world.disk.files[self.node]?.map(count)
            else { throw call.error(EINVAL) }
            return map
        }
    }

    func readAhead(_ range: Range<Int64>) {}

    func close() {
        guard isOpen.exchange(false, ordering: .relaxed) else { return }
        world.state.withLock { world in
            if world.incarnation == incarnation { world.disk.release(node) }
        }
    }

    private func perform<Result: Sendable>(
        _ operation: SimulatedOperation, _ name: String,
        _ body: (inout World, Call) throws(MachineError) -> Result
    ) throws(MachineError) -> Result {
        let call = Call(operation: operation, name: name, path: path, incarnation: incarnation)
        guard isOpen.load(ordering: .relaxed) else { throw call.error(EBADF) }
        return try world.state.withLock { (world) throws(MachineError) in try body(&world, call) }
    }
}

extension World {
    /// What the disk has left, in bytes.
    var freeBytes: Int { max(0, Int(settings.capacityBytes) - disk.usedBytes) }

    /// How many bytes of a write to `range` the disk can take.
    func room(in node: Int, for range: Range<Int>) -> Int {
        guard let file = disk.files[node] else { return 0 }
        let growth = range.upperBound - file.allocated
        guard growth > 0 else { return range.count }
        let missing = growth - freeBytes
        return missing > 0 ? max(0, range.count - missing) : range.count
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, to node: Int, at position: Int) {
        disk.files[node]?.write(bytes, at: position)
        touch(node)
    }

    mutating func touch(_ node: Int) {
        disk.files[node]?.modifiedMilliseconds = wallNanoseconds / 1_000_000
    }
}
