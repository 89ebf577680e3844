import CMillrace
import Glibc
import Synchronization

/// A file behind a descriptor. Reads, writes and syncs allocate nothing.
///
/// `close()` is for the last user: who shares a file between threads drops the reference instead, so that no thread
/// can meet a descriptor that was closed and given to another file.
final class PosixFile: File {
    let path: String
    /// -1 once closed: the kernel then answers EBADF.
    private let handle: Atomic<Int32>

    init(path: String, descriptor: Int32) {
        self.path = path
        handle = Atomic(descriptor)
    }

    deinit { close() }

    var descriptor: Int32? {
        let value = handle.load(ordering: .relaxed)
        return value < 0 ? nil : value
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(MachineError) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        let descriptor = handle.load(ordering: .relaxed)
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, start + done, buffer.count - done, off_t(position) + off_t(done))
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw MachineError(errorNumber: errno, operation: "read", path: path)
            }
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(MachineError) {
        guard let start = bytes.baseAddress else { return }
        let descriptor = handle.load(ordering: .relaxed)
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, start + done, bytes.count - done, off_t(position) + off_t(done))
            if count > 0 {
                done += count
            } else if count == 0 {
                // POSIX allows it for regular files only when nothing can be written; the next call would not differ.
                throw MachineError(errorNumber: ENOSPC, operation: "write", path: path)
            } else if errno != EINTR {
                throw MachineError(errorNumber: errno, operation: "write", path: path)
            }
        }
    }

    func synchronize() throws(MachineError) {
        let descriptor = handle.load(ordering: .relaxed)
        try check("synchronize") { fdatasync(descriptor) }
    }

    func preallocate(to size: Int64) {
        let keepSize: Int32 = 1  // FALLOC_FL_KEEP_SIZE of <linux/falloc.h>
        _ = fallocate(handle.load(ordering: .relaxed), keepSize, 0, size)
    }

    func truncate(to size: Int64) throws(MachineError) {
        let descriptor = handle.load(ordering: .relaxed)
        try check("truncate") { ftruncate(descriptor, off_t(size)) }
    }

    func size() throws(MachineError) -> Int64 {
        var status = stat()
        guard fstat(handle.load(ordering: .relaxed), &status) == 0 else {
            throw MachineError(errorNumber: errno, operation: "measure", path: path)
        }
        return Int64(status.st_size)
    }

    func map(_ count: Int) throws(MachineError) -> any MemoryMap {
        guard count > 0 else { return PosixMemoryMap(bytes: UnsafeRawBufferPointer(start: nil, count: 0)) }
        // Touching a page past the end would end the process with SIGBUS.
        guard try size() >= Int64(count) else {
            throw MachineError(errorNumber: EINVAL, operation: "map", path: path)
        }
        let start = mmap(nil, count, PROT_READ, MAP_SHARED, handle.load(ordering: .relaxed), 0)
        guard let start, start != MAP_FAILED else {
            throw MachineError(errorNumber: errno, operation: "map", path: path)
        }
        return PosixMemoryMap(bytes: UnsafeRawBufferPointer(start: start, count: count))
    }

    func readAhead(_ range: Range<Int64>) {
        // POSIX_FADV_WILLNEED only queues the reads; readahead(2) would wait for the extent lookups.
        let descriptor = handle.load(ordering: .relaxed)
        _ = posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
    }

    func close() {
        let descriptor = handle.exchange(-1, ordering: .relaxed)
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    private func check(_ operation: String, _ call: () -> Int32) throws(MachineError) {
        while call() != 0 {
            if errno != EINTR { throw MachineError(errorNumber: errno, operation: operation, path: path) }
        }
    }
}

/// A shared read-only mapping: later writes to the mapped range show in it.
final class PosixMemoryMap: MemoryMap {
    // Unsafe because of the raw pointer; safe because the mapping lives as long as this object.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}

/// A `flock` on an open descriptor.
final class PosixFileLock: FileLock {
    private let handle: Atomic<Int32>

    init(descriptor: Int32) {
        handle = Atomic(descriptor)
    }

    deinit { unlock() }

    func unlock() {
        let descriptor = handle.exchange(-1, ordering: .relaxed)
        // Closing the only descriptor of the open file description releases the lock.
        if descriptor >= 0 { _ = close(descriptor) }
    }
}
