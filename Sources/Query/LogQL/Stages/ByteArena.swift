/// Bytes that are appended, read, and forgotten all at once. What was taken for them stays for the next time.
final class ByteArena {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_024, alignment: 8)
    private(set) var count = 0

    deinit { memory.deallocate() }

    func removeAll() { count = 0 }

    /// Appended bytes, valid until more are appended.
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[range])
    }

    /// Appends a copy, which may be of the arena's own bytes; where it stands.
    func append(_ more: UnsafeRawBufferPointer) -> Range<Int> {
        let start = count
        guard let source = more.baseAddress, !more.isEmpty else { return start..<start }
        if count + more.count > memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(memory.count * 2, count + more.count), alignment: 8)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]))
            (larger.baseAddress! + count).copyMemory(from: source, byteCount: more.count)
            memory.deallocate()
            memory = larger
        } else {
            (memory.baseAddress! + count).copyMemory(from: source, byteCount: more.count)
        }
        count += more.count
        return start..<count
    }

    func append(_ text: String) -> Range<Int> {
        var text = text
        return text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }
}
