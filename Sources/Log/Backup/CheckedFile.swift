import Machine
import Synchronization

/// A file that is read from its beginning to its end: it sums up what is read, and copies it if asked to. What is read a
/// second time counts once.
final class CheckedFile: File {
    private struct State: Sendable {
        var checksum = Checksum()
        /// Bytes from the beginning that are summed up.
        var seen: Int64 = 0
    }

    private let source: any File
    private let copy: (any File)?
    private let pace: @Sendable (Int) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - copy: where the bytes go; nil: nowhere.
    ///   - pace: called with the number of bytes after each piece, and may wait.
    init(_ source: any File, copyTo copy: (any File)? = nil, pace: @escaping @Sendable (Int) -> Void) {
        self.source = source
        self.copy = copy
        self.pace = pace
    }

    var path: String { source.path }
    var descriptor: Int32? { nil }
    /// The CRC32C of the bytes that were read.
    var checksum: UInt32 { state.withLock { $0.checksum.value } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(MachineError) -> Int {
        let count = try source.read(into: buffer, at: position)
        let fresh = try state.withLock { state throws(MachineError) -> Int in
            let known = state.seen - position
            guard known >= 0, known < count else { return 0 }
            let part = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[Int(known)..<count])
            try copy?.write(part, at: state.seen)
            state.checksum.update(part)
            state.seen += Int64(part.count)
            return part.count
        }
        if fresh > 0 { pace(fresh) }
        return count
    }

    /// Reads what is left up to `end`.
    func finish(upTo end: Int64) throws(MachineError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let seen = state.withLock { $0.seen }
            let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(1 << 20, max(0, end - seen)))])
            guard try read(into: wanted, at: seen) > 0 else { return }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(MachineError) { throw refusal("write") }
    func synchronize() throws(MachineError) { throw refusal("synchronize") }
    func preallocate(to size: Int64) {}
    func truncate(to size: Int64) throws(MachineError) { throw refusal("truncate") }
    func size() throws(MachineError) -> Int64 { try source.size() }
    func map(_ count: Int) throws(MachineError) -> any MemoryMap { throw refusal("map") }
    func readAhead(_ range: Range<Int64>) { source.readAhead(range) }
    func close() { source.close() }

    private func refusal(_ operation: String) -> MachineError {
        MachineError(code: .denied, operation: operation, path: path)
    }
}
