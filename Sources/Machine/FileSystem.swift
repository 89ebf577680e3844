/// The part of a POSIX file system that Millrace uses. Paths are absolute or relative to the working directory.
///
/// Every call is synchronous and may block for as long as the device takes. Every error says which operation on
/// which path failed and why (`MachineError`).
public protocol FileSystem: Sendable {
    /// Opens a file.
    func open(_ path: String, _ access: FileAccess) throws(MachineError) -> any File
    /// Creates a directory and every missing one above it. An existing directory is no error.
    func createDirectory(_ path: String) throws(MachineError)
    /// The entries of a directory, without `.` and `..`, sorted by name.
    func contents(ofDirectory path: String) throws(MachineError) -> [String]
    /// Renames a file or a directory within one file system, replacing a file that stands at `destination`.
    func rename(_ path: String, to destination: String) throws(MachineError)
    /// Gives a file a second name within one file system (a hard link). A destination that exists is an error. Other
    /// codes than `.notFound`, `.exists`, `.noSpace` and `.device` mean that the two places can share no file: another
    /// file system, one without links, another owner.
    func link(_ path: String, to destination: String) throws(MachineError)
    /// Removes a file, or a directory with everything in it. A missing path is no error.
    func remove(_ path: String) throws(MachineError)
    /// What stands at `path`, or nil.
    func information(at path: String) throws(MachineError) -> FileInformation?
    /// Makes the entries of a directory (creations, renames, removals) durable (`fsync` of the directory).
    func synchronizeDirectory(_ path: String) throws(MachineError)
    /// Makes everything written to the file system that holds `path` durable (`syncfs`).
    ///
    /// One call costs about what ten `fdatasync` cost, whatever the number of dirty files. An error is reported once,
    /// to one caller: it puts in doubt everything written to the volume since the last success, whoever wrote it.
    func synchronizeVolume(holding path: String) throws(MachineError)
    /// Total and available bytes of the file system that holds `path`.
    func capacity(ofVolumeHolding path: String) throws(MachineError) -> VolumeCapacity
    /// Takes an exclusive advisory lock (`flock`) on a file, which is created if absent. Does not wait: if another
    /// process holds it, throws with code `.locked`.
    func lock(_ path: String) throws(MachineError) -> any FileLock
}

/// How a file is opened.
public enum FileAccess: Sendable {
    /// For reading; the file must exist.
    case read
    /// For reading and writing; the file must exist.
    case readWrite
    /// For reading and writing; created if absent, kept if present.
    case readWriteCreate
    /// For reading and writing; must not exist yet.
    case create
    /// For reading and writing; created, or emptied if present.
    case replace
}

/// An open file. Reads and writes carry their position; there is no cursor. Closed by `close()` or `deinit`.
public protocol File: AnyObject, Sendable {
    /// The path it was opened at.
    var path: String { get }
    /// The operating system's descriptor, for `sendfile`; nil in a simulation. Valid while the file is open.
    var descriptor: Int32? { get }
    /// Reads up to `buffer.count` bytes at `position`; returns fewer only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(MachineError) -> Int
    /// Writes all of `bytes` at `position`. After an error, any prefix may have been written.
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(MachineError)
    /// Makes written bytes and the size durable (`fdatasync`). After an error, what was written since the last
    /// success is in an unknown state, and calling it again proves nothing: the caller must fence.
    func synchronize() throws(MachineError)
    /// Reserves space up to `size` bytes without changing the file's size. A hint: failures are ignored.
    func preallocate(to size: Int64)
    /// Cuts or extends (with zeros) the file.
    func truncate(to size: Int64) throws(MachineError)
    /// The file's size in bytes.
    func size() throws(MachineError) -> Int64
    /// Maps the first `count` bytes read-only. The file must be at least that long, and not be truncated while mapped.
    func map(_ count: Int) throws(MachineError) -> any MemoryMap
    /// Starts reading a range into the page cache, without waiting for it. A hint.
    func readAhead(_ range: Range<Int64>)
    /// Closes the file. Calling it twice is harmless.
    func close()
}

/// A read-only view of a file's bytes. Unmapped in `deinit`.
public protocol MemoryMap: AnyObject, Sendable {
    /// The bytes; valid while the map lives.
    var bytes: UnsafeRawBufferPointer { get }
}

/// A held lock; released in `deinit`, and by the operating system when the process ends however it ends.
public protocol FileLock: AnyObject, Sendable {
    /// Releases the lock.
    func unlock()
}

/// What `information(at:)` tells.
public struct FileInformation: Sendable, Equatable {
    /// Whether it is a directory.
    public let isDirectory: Bool
    /// The size in bytes.
    public let sizeBytes: Int64
    /// When the content last changed, in milliseconds since 1970-01-01 UTC.
    public let modifiedMilliseconds: Int64

    /// Assembles the information.
    public init(isDirectory: Bool, sizeBytes: Int64, modifiedMilliseconds: Int64) {
        self.isDirectory = isDirectory
        self.sizeBytes = sizeBytes
        self.modifiedMilliseconds = modifiedMilliseconds
    }
}

/// The size of a file system.
public struct VolumeCapacity: Sendable, Equatable {
    /// Its size in bytes.
    public let totalBytes: Int64
    /// What an unprivileged process may still write, in bytes.
    public let availableBytes: Int64

    /// Assembles the capacity.
    public init(totalBytes: Int64, availableBytes: Int64) {
        self.totalBytes = totalBytes
        self.availableBytes = availableBytes
    }
}
