public import Machine
public import Storage

/// Makes a data directory from a backup: docs/formats/backup.md.
///
/// A synchronous value: each `step()` takes one file. Until the last step nothing opens the directory but another
/// restore, which begins anew.
public struct Restore {
    /// What is kept free beyond the files themselves, in bytes: directories, the metadata store.
    private static let reserveBytes: Int64 = 16 << 20
    /// What a file takes beyond its bytes: the rest of its last block.
    private static let blockBytes: Int64 = 4096

    /// The backup.
    public let backup: BackupReader
    /// Bytes that are restored.
    public private(set) var bytesDone: Int64 = 0
    private let directory: String
    private let files: any FileSystem
    private let openStore: () throws(StorageError) -> any MetadataStore
    private let pace: @Sendable (Int) -> Void
    private let lock: any FileLock
    private var next = 0
    private var isDone = false

    /// Checks the backup's files by their sizes, and that there is room; then begins.
    ///
    /// - Parameters:
    ///   - directory: is created; if it exists, it must be empty or hold an unfinished restore.
    ///   - store: opens an empty metadata store, once everything else is there.
    ///   - pace: called with the number of bytes after each piece, and may wait.
    /// - Throws: `.damaged` or `.formatTooNew` for the backup; `.locked` if a server has the directory open; `.noSpace`;
    ///   `.storage` if it is not empty, and for anything else.
    public init(
        from backup: String, to directory: String, machine: Machine, pace: @escaping @Sendable (Int) -> Void = { _ in },
        store: @escaping () throws(StorageError) -> any MetadataStore
    ) throws(LogError) {
        files = machine.files
        self.pace = pace
        self.directory = directory
        openStore = store
        self.backup = try BackupReader(backup, files)
        try self.backup.checkSizes()
        let isNew = try Self.check(directory, files)
        do throws(MachineError) {
            try files.createDirectory(directory)
            lock = try files.lock(directory + "/lock")
        } catch {
            throw error.code == .locked
                ? LogError(.locked, "another process has \(directory) open", cause: error)
                : LogError(.storage, "cannot open \(directory)", cause: error)
        }
        do throws(LogError) {
            try begin(isNew: isNew)
        } catch {
            lock.unlock()
            throw error
        }
    }

    /// Restores the next file, and at the end makes the directory one that can be opened.
    ///
    /// - Returns: false once everything is done.
    /// - Throws: `.damaged` if the backup does not verify, `.noSpace`, `.metadata`, `.storage`. The directory then says that
    ///   it is unfinished.
    public mutating func step() throws(LogError) -> Bool {
        guard !isDone else { return false }
        if next < backup.manifest.files.count {
            try restore(backup.manifest.files[next])
            next += 1
            return true
        }
        try finish()
        isDone = true
        lock.unlock()
        return false
    }

    /// - Returns: whether nothing stands there.
    private static func check(_ directory: String, _ files: any FileSystem) throws(LogError) -> Bool {
        let format = directory + "/format"
        if let bytes = try WholeFile.read(format, files) {
            let line = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
            if line == DataDirectory.unfinishedRestore { return false }
            throw LogError(.storage, "\(directory) holds data already: restore into an empty directory")
        }
        do {
            guard try files.information(at: directory) != nil else { return true }
            let names = try files.contents(ofDirectory: directory).filter {
                $0 != "lost+found" && $0 != "lock" && $0 != "format" + SegmentName.unfinished
            }
            guard names.isEmpty else {
                throw LogError(.storage, "\(directory) is not empty: restore into an empty directory")
            }
            return true
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.storage, "cannot look into \(directory)", cause: error)
        }
    }

    private func begin(isNew: Bool) throws(LogError) {
        do throws(MachineError) {
            if isNew {
                try DataDirectory.synchronizeWay(to: directory, files)
                let text = Array((DataDirectory.unfinishedRestore + "\n").utf8)
                try WholeFile.replace(directory + "/format", inDirectory: directory, with: text, files)
            } else {
                for name in ["log", "views", "checkpoint", "meta.db", "meta.db-wal", "meta.db-shm", "meta.db-journal"] {
                    try files.remove(directory + "/" + name)
                }
            }
            try files.createDirectory(directory + "/log")
            let needed = backup.manifest.files.reduce(Self.reserveBytes) { $0 + $1.sizeBytes + Self.blockBytes }
            let available = try files.capacity(ofVolumeHolding: directory).availableBytes
            guard available >= needed else {
                throw MachineError(
                    code: .noSpace, operation: "restore \(needed) bytes, with \(available) free, in", path: directory)
            }
        } catch {
            throw LogError(
                error.code == .noSpace ? .noSpace : .storage, "cannot begin to restore in \(directory)", cause: error)
        }
    }

    private mutating func restore(_ file: BackupManifest.File) throws(LogError) {
        let path = directory + "/" + file.path
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
        do {
            try files.createDirectory(parent)
        } catch {
            throw LogError(.storage, "cannot create \(parent)", cause: error)
        }
        // The metadata goes into the store; it is only verified here.
        try backup.read(file, to: file.path == "metadata" ? nil : path, pace)
        bytesDone += file.sizeBytes
    }

    private func finish() throws(LogError) {
        let path = BackupFormat.metadata(in: backup.directory)
        guard let bytes = try WholeFile.read(path, files),
            backup.manifest.files.contains(where: { $0.path == "metadata" }),
            backup.manifest.files.contains(where: { $0.path == "checkpoint" })
        else { throw LogError(.damaged, "\(backup.directory) has no metadata or no checkpoint") }
        let entries = try BackupMetadata.decode(bytes, path: path)
        do {
            let store = try openStore()
            defer { store.close() }
            try BackupMetadata.store(entries, into: store)
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.metadata, "cannot create the metadata store in \(directory)", cause: error)
        }
        do throws(MachineError) {
            var directories = Set(["log"])
            for file in backup.manifest.files where file.path.contains("/") {
                let parts = file.path.split(separator: "/").dropLast()
                for count in 1...parts.count { directories.insert(parts.prefix(count).joined(separator: "/")) }
            }
            for name in directories.sorted().reversed() { try files.synchronizeDirectory(directory + "/" + name) }
            try files.synchronizeDirectory(directory)
            try DataDirectory.write(format: DataDirectory.formatWithoutJournal, in: directory, files)
        } catch {
            throw LogError(error.code == .noSpace ? .noSpace : .storage, "cannot finish in \(directory)", cause: error)
        }
    }
}
