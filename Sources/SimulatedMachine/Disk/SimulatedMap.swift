import Machine

/// A copy of a file's first bytes, which the file keeps up to date, as a shared mapping is.
final class SimulatedMap: MemoryMap {
    // Unsafe because of the raw pointer; safe because it is freed in `deinit`, and written only under the lock of the
    // world, in places that a correct reader of a mapping does not read yet.
    private nonisolated(unsafe) let buffer: UnsafeMutableRawBufferPointer

    init(_ content: [UInt8]) {
        buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 16)
        buffer.copyBytes(from: content)
    }

    deinit { buffer.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(buffer) }

    /// Copies what the map covers of `range`.
    func refresh(_ range: Range<Int>, from content: [UInt8]) {
        let part = range.clamped(to: 0..<min(buffer.count, content.count))
        guard !part.isEmpty else { return }
        content.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: buffer[part])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[part]))
        }
    }
}
