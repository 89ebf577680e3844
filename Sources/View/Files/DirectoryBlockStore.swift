import Bytes
public import Machine
import Synchronization

/// Blocks as files of one directory: `<id, 20 digits>.block`, byte for byte what the engine wrote.
///
/// A block gets its name only once its bytes are synced, and never takes the name of another: it is written beside,
/// linked, and the directory is synced. What a crash leaves is a file that no manifest names, and the next start
/// removes it.
public final class DirectoryBlockStore: BlockStore {
    private let directory: String
    private let files: any FileSystem
    private let next: Mutex<UInt64>

    /// The store of one view's blocks. Creates the directory if absent.
    ///
    /// - Parameter nextBlockID: the first id that was never given out, from the manifest.
    /// - Throws: `.noSpace`, `.storage`.
    public init(_ place: ViewDirectory, files: any FileSystem, nextBlockID: UInt64) throws(ViewError) {
        directory = place.blocks
        self.files = files
        next = Mutex(nextBlockID)
        do {
            try files.createDirectory(directory)
        } catch {
            throw ViewError("cannot create \(directory)", error)
        }
    }

    /// The id that the next block gets, for the next manifest.
    var nextBlockID: UInt64 { next.withLock { $0 } }

    /// Creates a block: written beside, synced, linked to its name, and the directory synced.
    public func create(
        _ produce: (_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) -> [UInt8]
    ) throws(ViewError) -> BlockEntry {
        let id = next.withLock { next in
            defer { next += 1 }
            return next
        }
        let path = directory + "/" + NumberedFile.name(id, NumberedFile.block)
        let unfinished = path + NumberedFile.unfinished
        do throws(ViewError) {
            let written = try write(unfinished, produce)
            try adopt(unfinished, as: path)
            return BlockEntry(
                id: id, sizeBytes: written.size, checksum: written.checksum, details: written.details)
        } catch {
            // Whatever cannot be removed now has no owner, and goes with the next start.
            try? files.remove(unfinished)
            throw error
        }
    }

    private func write(
        _ path: String,
        _ produce: (_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) -> [UInt8]
    ) throws(ViewError) -> (size: Int64, checksum: UInt32, details: [UInt8]) {
        let file: any File
        do {
            file = try files.open(path, .replace)
        } catch {
            throw ViewError("cannot create \(path)", error)
        }
        defer { file.close() }
        var position: Int64 = 0
        var checksum: UInt32 = 0
        let details = try produce { bytes throws(ViewError) in
            guard !bytes.isEmpty else { return }
            do throws(MachineError) {
                try file.write(bytes, at: position)
            } catch {
                throw ViewError("cannot write \(path) at \(position)", error)
            }
            checksum = CRC32C.checksum(bytes, continuing: checksum)
            position += Int64(bytes.count)
        }
        do {
            try file.synchronize()
        } catch {
            throw ViewError("cannot sync \(path)", error)
        }
        return (position, checksum, details)
    }

    private func adopt(_ unfinished: String, as path: String) throws(ViewError) {
        do {
            try files.link(unfinished, to: path)
            try files.remove(unfinished)
            try files.synchronizeDirectory(directory)
        } catch {
            throw ViewError("cannot give \(path) its name", error)
        }
    }

    /// Maps a block whose size is the one that the manifest says; its checksum is `verify`'s matter.
    public func map(_ entry: BlockEntry) throws(ViewError) -> any MemoryMap {
        let path = path(entry.id)
        do {
            let file = try files.open(path, .read)
            defer { file.close() }
            let size = try file.size()
            guard size == entry.sizeBytes else {
                throw ViewError(.damaged, "\(path) has \(size) bytes, its manifest says \(entry.sizeBytes)")
            }
            return try file.map(Int(size))
        } catch let error as MachineError {
            guard error.code != .notFound else { throw ViewError(.damaged, "\(path) is missing", cause: error) }
            throw ViewError("cannot map \(path)", error)
        } catch let error as ViewError {
            throw error
        } catch {
            throw ViewError(.storage, "cannot map \(path)", cause: error)
        }
    }

    /// Whether a block's file is there in full size; its content is not looked at.
    func holds(_ entry: BlockEntry) throws(ViewError) -> Bool {
        do {
            return try files.information(at: path(entry.id))?.sizeBytes == entry.sizeBytes
        } catch {
            throw ViewError("cannot look for \(path(entry.id))", error)
        }
    }

    /// Reads a whole block and compares its checksum.
    ///
    /// - Throws: `.damaged`, `.storage`.
    public func verify(_ entry: BlockEntry) throws(ViewError) {
        let map = try map(entry)
        guard CRC32C.checksum(map.bytes) == entry.checksum else {
            throw ViewError(.damaged, "\(path(entry.id)) does not have the checksum that its manifest says")
        }
    }

    /// Gives a block a second name in another store, durably.
    func share(_ entry: BlockEntry, with other: DirectoryBlockStore) throws(ViewError) {
        do {
            try files.link(path(entry.id), to: other.path(entry.id))
            try files.synchronizeDirectory(other.directory)
        } catch {
            throw ViewError("cannot link \(path(entry.id)) into \(other.directory)", error)
        }
    }

    /// Removes blocks that no manifest names any more. Maps of them stay valid.
    func remove(_ ids: Set<UInt64>) throws(ViewError) {
        for id in ids.sorted() {
            do {
                try files.remove(path(id))
            } catch {
                throw ViewError("cannot remove \(path(id))", error)
            }
        }
    }

    /// Removes every file that is none of these blocks: what a crash left.
    ///
    /// - Returns: how many went.
    func removeOrphans(keeping ids: Set<UInt64>) throws(ViewError) -> Int {
        do {
            var count = 0
            for name in try files.contents(ofDirectory: directory) {
                if let id = NumberedFile.number(of: name, NumberedFile.block), ids.contains(id) { continue }
                try files.remove(directory + "/" + name)
                count += 1
            }
            if count > 0 { try files.synchronizeDirectory(directory) }
            return count
        } catch {
            throw ViewError("cannot remove what no manifest names from \(directory)", error)
        }
    }

    private func path(_ id: UInt64) -> String { directory + "/" + NumberedFile.name(id, NumberedFile.block) }
}
