// Variable-length integers, strings, byte strings, arrays and tagged fields as Kafka's protocol lays them out; see
// ByteReader+Kafka.swift for the layouts.

extension ByteWriter {
    /// Appends an unsigned variable-length integer.
    @inlinable
    public mutating func writeUnsignedVarint(_ value: UInt32) { writeVariable(UInt64(value)) }

    /// Appends a zigzag-encoded variable-length integer.
    @inlinable
    public mutating func writeVarint(_ value: Int32) {
        writeVariable(UInt64(UInt32(bitPattern: (value &<< 1) ^ (value &>> 31))))
    }

    /// Appends a zigzag-encoded variable-length integer.
    @inlinable
    public mutating func writeVarlong(_ value: Int64) {
        writeVariable(UInt64(bitPattern: (value &<< 1) ^ (value &>> 63)))
    }

    /// Most variable-length integers have one byte: only that case is inlined.
    @inlinable
    mutating func writeVariable(_ value: UInt64) {
        if value < 0x80 { store(UInt8(truncatingIfNeeded: value)) } else { writeLongVariable(value) }
    }

    @usableFromInline @inline(never)
    mutating func writeLongVariable(_ value: UInt64) {
        reserve(10)
        var position = filled
        var rest = value
        while rest >= 0x80 {
            base.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: position, as: UInt8.self)
            position &+= 1
            rest &>>= 7
        }
        base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: position, as: UInt8.self)
        filled = position &+ 1
    }

    @inlinable
    mutating func writeLength(_ length: Int, compact: Bool) {
        precondition(length <= Int(Int32.max), "more than 2 GiB in one field")
        if compact {
            writeVariable(UInt64(length + 1))
        } else {
            store(Int32(truncatingIfNeeded: length))
        }
    }

    /// Appends a string of at most 32,767 bytes; a longer one is cut at a character (nothing that Millrace sends, but
    /// an error message may quote what a client sent).
    public mutating func write(_ string: String, compact: Bool) {
        let length = string.utf8.count
        guard length <= ByteReader.maximumStringBytes else {
            return write(string.cut(toUTF8Bytes: ByteReader.maximumStringBytes), compact: compact)
        }
        if compact {
            writeVariable(UInt64(length + 1))
        } else {
            store(Int16(truncatingIfNeeded: length))
        }
        write(utf8: string)
    }

    /// Appends a string or null.
    @inlinable
    public mutating func write(_ string: String?, compact: Bool) {
        if let string {
            write(string, compact: compact)
        } else if compact {
            store(UInt8(0))
        } else {
            store(Int16(-1))
        }
    }

    /// Appends the UTF-8 bytes of a string, without a length.
    public mutating func write(utf8 string: String) {
        var string = string
        string.withUTF8 { write(contentsOf: UnsafeRawBufferPointer($0)) }
    }

    /// Appends a byte string with its length.
    public mutating func write(_ bytes: [UInt8], compact: Bool) {
        writeLength(bytes.count, compact: compact)
        write(contentsOf: bytes)
    }

    /// Appends a byte string with its length, or null.
    public mutating func write(_ bytes: [UInt8]?, compact: Bool) {
        if let bytes { write(bytes, compact: compact) } else { writeNull(compact: compact) }
    }

    /// Appends the length of a byte string whose bytes follow by other means.
    @inlinable
    public mutating func writeByteCount(_ count: Int, compact: Bool) { writeLength(count, compact: compact) }

    /// Appends the number of an array's elements.
    @inlinable
    public mutating func writeArrayCount(_ count: Int, compact: Bool) { writeLength(count, compact: compact) }

    /// Appends the mark of a null array or null byte string.
    @inlinable
    public mutating func writeNull(compact: Bool) { writeLength(-1, compact: compact) }

    /// Appends one tagged field: its tag, its size and what `content` writes.
    public mutating func writeTaggedField(_ tag: UInt32, _ content: (inout ByteWriter) -> Void) {
        writeUnsignedVarint(tag)
        let start = count
        // One byte is enough for the size of nearly every tagged field; a larger one moves the content.
        store(UInt8(0))
        content(&self)
        let size = count - start - 1
        guard size > 0x7F else { return patch(UInt8(size), at: start) }
        var sizeBytes = 1
        while size >> (7 * sizeBytes) > 0 { sizeBytes += 1 }
        reserve(sizeBytes - 1)
        memmoveRight(from: start + 1, byteCount: size, by: sizeBytes - 1)
        // Going back cannot make the buffer grow and lose the content: more than a varint's size stands behind `start`.
        filled = start
        writeUnsignedVarint(UInt32(size))
        filled += size
    }

    private mutating func memmoveRight(from start: Int, byteCount: Int, by distance: Int) {
        // `copyMemory` allows the two to overlap.
        (base + start + distance).copyMemory(from: base + start, byteCount: byteCount)
    }
}

extension String {
    /// The longest prefix of whole characters that takes at most `limit` bytes of UTF-8.
    func cut(toUTF8Bytes limit: Int) -> String {
        var bytes = 0
        return String(
            prefix { character in
                bytes += character.utf8.count
                return bytes <= limit
            })
    }
}
