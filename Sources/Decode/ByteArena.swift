/// Room for the texts that a decoder makes, taken once: none is longer than what it was decoded from. A decoder copies
/// in steps of eight bytes, so that there are eight bytes more than needed.
struct ByteArena: ~Copyable {
    private let start: UnsafeMutableRawPointer
    let capacity: Int
    var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        start = .allocate(byteCount: capacity + 8, alignment: 8)
    }

    deinit { start.deallocate() }

    /// Where the next byte goes. Safe to write `capacity + 8 - count` bytes from there.
    var next: UnsafeMutableRawPointer { start + count }

    /// Appends bytes, and tells where they are.
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Range<Int> {
        precondition(bytes.count <= capacity - count, "more text than there were bytes")
        let first = count
        if let source = bytes.baseAddress { (start + first).copyMemory(from: source, byteCount: bytes.count) }
        count += bytes.count
        return first..<count
    }

    /// The bytes of a range that was filled.
    func bytes(in range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.upperBound <= count, "a range of another arena")
        return UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count)
    }

    /// The bytes of a range as a text; what is no UTF-8 is replaced.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes(in: range), as: UTF8.self) }

    /// All bytes.
    consuming func array() -> [UInt8] { [UInt8](UnsafeRawBufferPointer(start: start, count: count)) }
}
