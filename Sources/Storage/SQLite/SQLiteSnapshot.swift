import Bytes
public import Machine

/// Reads a store that another process may have open, without SQLite touching its files: it copies the database and its
/// write-ahead log, and opens the copy.
///
/// The database changes only when the log is checkpointed into it, and the log only grows until it begins anew with
/// another salt in its header. So the database is copied first and the log after it: what a checkpoint changed
/// meanwhile stands in the log. If the log began anew, or was removed, it is tried again.
public enum SQLiteSnapshot {
    /// A log begins anew after a thousand pages of commits: that it does so this often in a row does not happen.
    private static let maximumAttempts = 100
    /// The header with its two salts.
    private static let headerBytes = 32

    /// The entries of the store at `path`, as of one moment after the call began.
    ///
    /// - Parameter scratch: where the copy goes, and is removed again; beside it SQLite's own files.
    /// - Throws: `.corrupt`, `.formatTooNew`, `.full`, `.device`, `.denied`; `.busy` if the store was rewritten at each
    ///   attempt.
    public static func entries(
        of path: String, copiedTo scratch: String, files: any FileSystem
    ) throws(StorageError) -> [MetadataEntry] {
        defer { remove(scratch, files) }
        do throws(MachineError) {
            var attempts = 0
            while try !copy(path, to: scratch, files) {
                attempts += 1
                guard attempts < maximumAttempts else {
                    throw MachineError(code: .locked, operation: "copy", path: path)
                }
            }
        } catch {
            let code: StorageError.Code =
                switch error.code {
                case .noSpace: .full
                case .denied, .notFound: .denied
                case .locked: .busy
                default: .device
                }
            throw StorageError(code, "cannot copy \(path)", cause: error)
        }
        let store = try SQLiteMetadataStore(path: scratch, files: files)
        defer { store.close() }
        return try store.list(prefix: "")
    }

    private static func remove(_ scratch: String, _ files: any FileSystem) {
        for suffix in ["", "-wal", "-shm", "-journal"] { try? files.remove(scratch + suffix) }
    }

    /// - Returns: whether the copy is of one moment.
    private static func copy(_ path: String, to scratch: String, _ files: any FileSystem) throws(MachineError) -> Bool {
        remove(scratch, files)
        let before = try header(path + "-wal", files)
        let database = try copyFile(path, to: scratch, files)
        guard !before.isEmpty else {
            // Without a log, nothing tells of a change but the database itself.
            let again = try copyFile(path, to: scratch, files)
            let after = try header(path + "-wal", files)
            return again == database && after.isEmpty
        }
        do throws(MachineError) {
            _ = try copyFile(path + "-wal", to: scratch + "-wal", files)
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
        return try header(path + "-wal", files) == before
    }

    /// The header of the log; empty if there is no log, or none with a header.
    private static func header(_ path: String, _ files: any FileSystem) throws(MachineError) -> [UInt8] {
        do throws(MachineError) {
            let file = try files.open(path, .read)
            defer { file.close() }
            let bytes = try read(file, at: 0, headerBytes)
            return bytes.count == headerBytes ? bytes : []
        } catch {
            if error.code == .notFound { return [] }
            throw error
        }
    }

    /// - Returns: the checksum of what was copied.
    private static func copyFile(
        _ path: String, to target: String, _ files: any FileSystem
    ) throws(MachineError) -> UInt32 {
        let source = try files.open(path, .read)
        defer { source.close() }
        let copy = try files.open(target, .replace)
        defer { copy.close() }
        var position: Int64 = 0
        var checksum: UInt32 = 0
        while true {
            let bytes = try read(source, at: position, 1 << 20)
            guard !bytes.isEmpty else { return checksum }
            checksum = bytes.withUnsafeBytes { CRC32C.checksum($0, continuing: checksum) }
            var failure: MachineError?
            bytes.withUnsafeBytes { bytes in
                do throws(MachineError) { try copy.write(bytes, at: position) } catch { failure = error }
            }
            if let failure { throw failure }
            position += Int64(bytes.count)
        }
    }

    private static func read(_ file: any File, at position: Int64, _ count: Int) throws(MachineError) -> [UInt8] {
        var failure: MachineError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(MachineError) {
                filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: position)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
