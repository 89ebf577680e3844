import CMillrace
import Glibc
import Synchronization

/// The operating system's files.
struct PosixFileSystem: FileSystem {
    private let volumes = PosixVolumes()

    /// Readable by all, writable by the owner, minus the process's umask.
    private static let fileMode: mode_t = 0o644
    private static let directoryMode: mode_t = 0o755

    func open(_ path: String, _ access: FileAccess) throws(MachineError) -> any File {
        let flags =
            switch access {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .readWriteCreate: O_RDWR | O_CREAT
            case .create: O_RDWR | O_CREAT | O_EXCL
            case .replace: O_RDWR | O_CREAT | O_TRUNC
            }
        return PosixFile(path: path, descriptor: try descriptor(path, flags, operation: "open"))
    }

    func createDirectory(_ path: String) throws(MachineError) {
        if mkdir(path, Self.directoryMode) == 0 { return }
        let number = errno
        switch number {
        case ENOENT:
            guard let parent = parent(of: path) else { break }
            try createDirectory(parent)
            if mkdir(path, Self.directoryMode) == 0 { return }
            // Somebody else may have created it meanwhile.
            if errno == EEXIST { return try createDirectory(path) }
            throw MachineError(errorNumber: errno, operation: "create directory", path: path)
        case EEXIST:
            if try information(at: path)?.isDirectory == true { return }
        default:
            break
        }
        throw MachineError(errorNumber: number, operation: "create directory", path: path)
    }

    func contents(ofDirectory path: String) throws(MachineError) -> [String] {
        guard let directory = opendir(path) else {
            throw MachineError(errorNumber: errno, operation: "list", path: path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) {
                    String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw MachineError(errorNumber: errno, operation: "list", path: path) }
        return names.sorted()
    }

    func rename(_ path: String, to destination: String) throws(MachineError) {
        guard Glibc.rename(path, destination) == 0 else {
            throw MachineError(errorNumber: errno, operation: "rename to \(destination)", path: path)
        }
    }

    func link(_ path: String, to destination: String) throws(MachineError) {
        guard Glibc.link(path, destination) == 0 else {
            throw MachineError(errorNumber: errno, operation: "link to \(destination)", path: path)
        }
    }

    func remove(_ path: String) throws(MachineError) {
        var status = stat()
        // `lstat`: a symbolic link is removed, never followed.
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw MachineError(errorNumber: errno, operation: "remove", path: path)
        }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        if isDirectory {
            for name in try contents(ofDirectory: path) { try remove(path + "/" + name) }
        }
        guard (isDirectory ? rmdir(path) : unlink(path)) == 0 || errno == ENOENT else {
            throw MachineError(errorNumber: errno, operation: "remove", path: path)
        }
    }

    func information(at path: String) throws(MachineError) -> FileInformation? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw MachineError(errorNumber: errno, operation: "examine", path: path)
        }
        return FileInformation(
            isDirectory: status.st_mode & S_IFMT == S_IFDIR,
            sizeBytes: Int64(status.st_size),
            modifiedMilliseconds: Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000)
    }

    func synchronizeDirectory(_ path: String) throws(MachineError) {
        let descriptor = try descriptor(path, O_RDONLY | O_DIRECTORY, operation: "synchronize directory")
        defer { close(descriptor) }
        while fsync(descriptor) != 0 {
            if errno != EINTR {
                throw MachineError(errorNumber: errno, operation: "synchronize directory", path: path)
            }
        }
    }

    func synchronizeVolume(holding path: String) throws(MachineError) {
        try volumes.synchronize(
            path,
            opening: { () throws(MachineError) in
                try descriptor(path, O_RDONLY, operation: "synchronize volume of")
            })
    }

    func capacity(ofVolumeHolding path: String) throws(MachineError) -> VolumeCapacity {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else {
            throw MachineError(errorNumber: errno, operation: "measure volume of", path: path)
        }
        return VolumeCapacity(
            totalBytes: Int64(status.f_blocks) * Int64(status.f_frsize),
            availableBytes: Int64(status.f_bavail) * Int64(status.f_frsize))
    }

    func lock(_ path: String) throws(MachineError) -> any FileLock {
        let descriptor = try descriptor(path, O_RDWR | O_CREAT, operation: "lock")
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            if number == EINTR { continue }
            close(descriptor)
            throw MachineError(
                code: number == EWOULDBLOCK ? .locked : MachineError.Code(errorNumber: number),
                operation: "lock", path: path, errorNumber: number)
        }
        return PosixFileLock(descriptor: descriptor)
    }

    private func descriptor(_ path: String, _ flags: Int32, operation: String) throws(MachineError) -> Int32 {
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, Self.fileMode)
            if descriptor >= 0 { return descriptor }
            if errno != EINTR { throw MachineError(errorNumber: errno, operation: operation, path: path) }
        }
    }

    /// The directory that holds `path`, or nil at the top.
    private func parent(of path: String) -> String? {
        var rest = path[...]
        while rest.count > 1, rest.last == "/" { rest.removeLast() }
        guard let slash = rest.lastIndex(of: "/"), slash != rest.startIndex else { return nil }
        return String(rest[..<slash])
    }
}

/// The descriptors that `syncfs` is called on, one per path, held as long as the file system object.
///
/// The kernel reports a failed write-back once to each open descriptor. One that is opened for a single call misses
/// what failed before, if another program has been told already.
private final class PosixVolumes: Sendable {
    /// Paths beyond this many get a descriptor for the single call. A process syncs one data directory.
    private static let maximumHeld = 16
    private let held = Mutex<[String: Int32]>([:])

    deinit {
        held.withLock { for descriptor in $0.values { close(descriptor) } }
    }

    /// One call at a time, so that no caller's success can hide another one's failure.
    func synchronize(_ path: String, opening: () throws(MachineError) -> Int32) throws(MachineError) {
        try held.withLock { (held) throws(MachineError) in
            let known = held[path]
            let descriptor = if let known { known } else { try opening() }
            let isHeld = known != nil || held.count < Self.maximumHeld
            defer { if !isHeld { close(descriptor) } }
            if isHeld { held[path] = descriptor }
            while syncfs(descriptor) != 0 {
                if errno != EINTR {
                    throw MachineError(errorNumber: errno, operation: "synchronize volume of", path: path)
                }
            }
        }
    }
}
