/// A growable buffer of bytes. Integers are big-endian unless a name says otherwise.
///
/// It owns its memory and cannot be copied; keep one per connection and `removeAll()` it between messages, then
/// writing allocates nothing in the steady state.
///
/// A *gap* is a place where bytes of a stated length belong that are not in the buffer: a server sends the bytes up
/// to it, then a range of a file (`sendfile`), then goes on. Positions and `count` are those of the buffer;
/// `messageCount` includes the gaps.
public struct ByteWriter: ~Copyable {
    /// Bytes that belong into the message but stand elsewhere.
    public struct Gap: Sendable, Equatable {
        /// The position in the buffer before which they belong.
        public let position: Int
        /// Their number.
        public let byteCount: Int
    }

    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var room: Int
    @usableFromInline var filled: Int
    @usableFromInline var holes: [Gap]

    /// An empty writer with room for `capacity` bytes.
    @inlinable
    public init(capacity: Int = 256) {
        room = max(16, capacity)
        base = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
        filled = 0
        holes = []
    }

    @inlinable
    deinit { base.deallocate() }

    /// The number of bytes that fit before the buffer grows.
    @inlinable public var capacity: Int { room }

    /// The number of bytes written.
    @inlinable public var count: Int { filled }

    /// The gaps, in order.
    @inlinable public var gaps: [Gap] { holes }

    /// The number of bytes of the message: those written and those of the gaps.
    @inlinable
    public var messageCount: Int {
        var total = count
        for gap in gaps { total += gap.byteCount }
        return total
    }

    /// Forgets everything and keeps the memory, unless it holds more than `limit` bytes (default 1 MiB): then it goes
    /// back to a small buffer.
    public mutating func removeAll(keepingAtMost limit: Int = 1 << 20) {
        filled = 0
        holes.removeAll(keepingCapacity: true)
        guard capacity > limit else { return }
        base.deallocate()
        room = 256
        base = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    }

    /// The bytes written, without the gaps. The pointer is valid during the call only.
    @inlinable
    public borrowing func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// The bytes written, for changing them in place. The pointer is valid during the call only.
    @inlinable
    public mutating func withUnsafeMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: base, count: count))
    }

    /// A copy of the bytes written, without the gaps.
    public borrowing func array() -> [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

extension ByteWriter {
    /// Makes room for `more` bytes.
    @inlinable
    public mutating func reserve(_ more: Int) {
        if more > capacity &- count { grow(more) }
    }

    @usableFromInline @inline(never)
    mutating func grow(_ more: Int) {
        precondition(more >= 0, "a negative number of bytes")
        let larger = max(capacity * 2, count + more)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        memory.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = memory
        room = larger
    }

    @inlinable
    mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        // Safe because `reserve` made room.
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: T.self)
        filled &+= MemoryLayout<T>.size
    }

    /// Appends 1 byte.
    @inlinable public mutating func write(_ value: Int8) { store(value) }
    /// Appends 1 byte.
    @inlinable public mutating func write(_ value: UInt8) { store(value) }
    /// Appends 2 bytes.
    @inlinable public mutating func write(_ value: Int16) { store(value) }
    /// Appends 2 bytes.
    @inlinable public mutating func write(_ value: UInt16) { store(value) }
    /// Appends 4 bytes.
    @inlinable public mutating func write(_ value: Int32) { store(value) }
    /// Appends 4 bytes.
    @inlinable public mutating func write(_ value: UInt32) { store(value) }
    /// Appends 8 bytes.
    @inlinable public mutating func write(_ value: Int64) { store(value) }
    /// Appends 8 bytes.
    @inlinable public mutating func write(_ value: UInt64) { store(value) }
    /// Appends 8 bytes, IEEE 754.
    @inlinable public mutating func write(_ value: Double) { store(value.bitPattern) }
    /// Appends 1 byte, 1 for true.
    @inlinable public mutating func write(_ value: Bool) { store(UInt8(value ? 1 : 0)) }

    /// Appends raw bytes.
    @inlinable
    public mutating func write(contentsOf bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        filled &+= bytes.count
    }

    /// Appends raw bytes.
    @inlinable
    public mutating func write(contentsOf bytes: [UInt8]) {
        reserve(bytes.count)
        let target = base + count
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            target.copyMemory(from: start, byteCount: source.count)
        }
        filled &+= bytes.count
    }

    /// Appends up to `capacity` bytes that `body` produces in place; `body` returns how many it wrote.
    @inlinable
    public mutating func write<E: Error>(
        atMost capacity: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) {
        reserve(capacity)
        let written = try body(UnsafeMutableRawBufferPointer(start: base + count, count: capacity))
        precondition(written >= 0 && written <= capacity, "more bytes written than there was room for")
        filled &+= written
    }

    /// Appends a gap: `byteCount` bytes of the message that stand elsewhere.
    public mutating func writeGap(_ byteCount: Int) {
        precondition(byteCount >= 0, "a gap of negative length")
        holes.append(Gap(position: count, byteCount: byteCount))
    }

    /// Drops every byte and gap after the first `count` bytes.
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= filled, "truncating to more than there is")
        filled = count
        holes.removeAll { $0.position > count }
    }

    /// Overwrites bytes written earlier.
    @inlinable
    public mutating func patch<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at position: Int) {
        precondition(position >= 0 && position + MemoryLayout<T>.size <= count, "patching bytes not written yet")
        base.storeBytes(of: value.bigEndian, toByteOffset: position, as: T.self)
    }
}
