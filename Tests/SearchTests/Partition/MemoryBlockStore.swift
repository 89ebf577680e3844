import Bytes
import Machine
import Synchronization
import View

/// Blocks in memory.
final class MemoryBlockStore: BlockStore {
    private let blocks = Mutex<[[UInt8]]>([])

    func create(
        _ produce: (_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) -> [UInt8]
    ) throws(ViewError) -> BlockEntry {
        var bytes: [UInt8] = []
        let details = try produce { (part: UnsafeRawBufferPointer) throws(ViewError) in bytes += part }
        let id = blocks.withLock { blocks in
            blocks.append(bytes)
            return UInt64(blocks.count)
        }
        return BlockEntry(id: id, sizeBytes: Int64(bytes.count), checksum: CRC32C.checksum(bytes), details: details)
    }

    func map(_ entry: BlockEntry) throws(ViewError) -> any MemoryMap { BytesMap(bytes(of: entry)) }

    func bytes(of entry: BlockEntry) -> [UInt8] { blocks.withLock { $0[Int(entry.id) - 1] } }
}

/// Bytes that stand where a file's would.
final class BytesMap: MemoryMap {
    // Safe because nothing changes it after the initialiser.
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer

    init(_ content: [UInt8]) {
        memory = .allocate(byteCount: max(1, content.count), alignment: 16)
        memory.copyBytes(from: content)
        count = content.count
    }

    private let count: Int
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    deinit { memory.deallocate() }
}
