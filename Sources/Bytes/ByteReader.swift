/// A bounds-checked cursor over raw bytes. Nothing is copied; integers are big-endian unless a name says otherwise.
///
/// Every read either succeeds and advances, or throws a `BytesError` and leaves the cursor where it was or further
/// on; hostile bytes never trap and never make it allocate more than a small multiple of their own size.
///
/// The reader borrows: the bytes must stay valid and unchanged while it, or a buffer it returned, is in use. Ranges
/// count from the first byte of the buffer that the reader was made from.
@frozen
public struct ByteReader {
    /// How many array elements one message may hold in total unless its reader says otherwise: 1,048,576.
    ///
    /// With at most about 200 bytes of memory per decoded element, a hostile message costs at most 200 MB.
    public static var defaultElementLimit: Int { 1 << 20 }

    @usableFromInline let base: UnsafeRawPointer?
    @usableFromInline let end: Int
    @usableFromInline var cursor: Int
    @usableFromInline var elements: Int

    /// A reader at the first byte of `bytes`.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, elementLimit: Int = ByteReader.defaultElementLimit) {
        base = bytes.baseAddress
        end = bytes.count
        cursor = 0
        elements = elementLimit
    }

    /// The position of the next byte, counted from the start of the buffer.
    @inlinable public var position: Int { cursor }

    /// How many more array elements `arrayCount` will grant.
    @inlinable public var remainingElements: Int { elements }

    /// The number of bytes left.
    @inlinable public var remaining: Int { end - position }

    /// Whether every byte was read.
    @inlinable public var isAtEnd: Bool { position == end }
}

extension ByteReader {
    /// Takes `count` bytes and returns where they start.
    @inlinable
    mutating func take(_ count: Int) throws(BytesError) -> Int {
        guard count >= 0, count <= end &- position else {
            throw .truncated(needed: count, position: position, remaining: end - position)
        }
        let start = position
        cursor = start &+ count
        return start
    }

    @inlinable
    mutating func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(BytesError) -> T {
        let start = try take(MemoryLayout<T>.size)
        // Safe because `take` checked the range, so there is a base address.
        return T(bigEndian: base.unsafelyUnwrapped.loadUnaligned(fromByteOffset: start, as: T.self))
    }

    /// The next byte as a signed integer.
    @inlinable public mutating func int8() throws(BytesError) -> Int8 { try load(Int8.self) }
    /// The next byte.
    @inlinable public mutating func uint8() throws(BytesError) -> UInt8 { try load(UInt8.self) }
    /// The next 2 bytes.
    @inlinable public mutating func int16() throws(BytesError) -> Int16 { try load(Int16.self) }
    /// The next 2 bytes, unsigned.
    @inlinable public mutating func uint16() throws(BytesError) -> UInt16 { try load(UInt16.self) }
    /// The next 4 bytes.
    @inlinable public mutating func int32() throws(BytesError) -> Int32 { try load(Int32.self) }
    /// The next 4 bytes, unsigned.
    @inlinable public mutating func uint32() throws(BytesError) -> UInt32 { try load(UInt32.self) }
    /// The next 8 bytes.
    @inlinable public mutating func int64() throws(BytesError) -> Int64 { try load(Int64.self) }
    /// The next 8 bytes, unsigned.
    @inlinable public mutating func uint64() throws(BytesError) -> UInt64 { try load(UInt64.self) }
    /// The next 8 bytes as an IEEE 754 double.
    @inlinable public mutating func float64() throws(BytesError) -> Double {
        Double(bitPattern: try load(UInt64.self))
    }
    /// The next byte; anything but zero is true.
    @inlinable public mutating func bool() throws(BytesError) -> Bool { try load(UInt8.self) != 0 }

    /// Skips `count` bytes.
    @inlinable
    public mutating func skip(_ count: Int) throws(BytesError) { _ = try take(count) }

    /// Takes the next `count` bytes without copying them.
    @inlinable
    public mutating func slice(_ count: Int) throws(BytesError) -> UnsafeRawBufferPointer {
        let start = try take(count)
        return UnsafeRawBufferPointer(start: base.map { $0 + start }, count: count)
    }

    /// The bytes of a range that this reader returned.
    @inlinable
    public func bytes(in range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= end, "a range of another reader")
        return UnsafeRawBufferPointer(start: base.map { $0 + range.lowerBound }, count: range.count)
    }

    /// Grants `count` array elements, or throws with code `.limitExceeded`.
    @inlinable
    mutating func grantElements(_ count: Int) throws(BytesError) {
        guard count <= remainingElements else {
            throw .tooManyElements(count: count, position: position, remaining: remainingElements)
        }
        elements &-= count
    }
}

extension ByteReader {
    /// An unsigned variable-length integer (7 bits per byte, least significant first) of at most 5 bytes and 32 bits.
    @inlinable @inline(__always)
    public mutating func unsignedVarint() throws(BytesError) -> UInt32 {
        let value = try variable(bits: 32)
        return UInt32(truncatingIfNeeded: value)
    }

    /// A zigzag-encoded variable-length integer of at most 5 bytes and 32 bits.
    @inlinable @inline(__always)
    public mutating func varint() throws(BytesError) -> Int32 {
        let value = try unsignedVarint()
        return Int32(bitPattern: value &>> 1) ^ -Int32(bitPattern: value & 1)
    }

    /// A zigzag-encoded variable-length integer of at most 10 bytes and 64 bits.
    @inlinable @inline(__always)
    public mutating func varlong() throws(BytesError) -> Int64 {
        let value = try variable(bits: 64)
        return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Most variable-length integers have one byte: only that case is inlined.
    @inlinable @inline(__always)
    mutating func variable(bits: UInt64) throws(BytesError) -> UInt64 {
        if cursor < end {
            // Safe because the cursor is within the buffer, so there is a base address.
            let byte = base.unsafelyUnwrapped.load(fromByteOffset: cursor, as: UInt8.self)
            if byte < 0x80 {
                cursor &+= 1
                return UInt64(byte)
            }
        }
        return try longVariable(bits: bits)
    }

    @usableFromInline @inline(never)
    mutating func longVariable(bits: UInt64) throws(BytesError) -> UInt64 {
        if remaining >= 2, let base {
            let first = UInt64(base.load(fromByteOffset: cursor, as: UInt8.self))
            let second = UInt64(base.load(fromByteOffset: cursor &+ 1, as: UInt8.self))
            if second < 0x80 {
                cursor &+= 2
                return first & 0x7F | second &<< 7
            }
        }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var position = cursor
        while position < end, let base {
            let byte = UInt64(base.load(fromByteOffset: position, as: UInt8.self))
            position &+= 1
            // The last byte may only hold the bits that are left.
            guard shift &+ 7 <= bits || byte < (1 as UInt64) &<< (bits &- shift) else {
                throw .malformed("a variable-length integer that is too long", position: cursor)
            }
            value |= (byte & 0x7F) &<< shift
            if byte < 0x80 {
                cursor = position
                return value
            }
            shift &+= 7
        }
        throw .truncated(needed: remaining + 1, position: cursor, remaining: remaining)
    }
}
