// Strings, byte strings, arrays and tagged fields as Kafka's protocol lays them out
// (https://kafka.apache.org/protocol#protocol_types, KIP-482 for the compact forms): classic lengths are an int16
// (strings) or int32 with -1 for null; compact lengths are an unsigned varint of length + 1 with 0 for null.

extension ByteReader {
    /// The longest string that Kafka's protocol allows, in bytes.
    public static var maximumStringBytes: Int { 0x7FFF }

    /// The length of a string, or nil for null.
    @inlinable
    mutating func stringLength(compact: Bool) throws(BytesError) -> Int? {
        let start = position
        let length = compact ? Int(try unsignedVarint()) - 1 : Int(try int16())
        guard length >= -1, length <= ByteReader.maximumStringBytes else {
            throw .malformed("a string length out of range", position: start)
        }
        return length < 0 ? nil : length
    }

    /// The length of a byte string, or nil for null.
    @inlinable
    mutating func bytesLength(compact: Bool) throws(BytesError) -> Int? {
        let start = position
        let length = compact ? Int(try unsignedVarint()) - 1 : Int(try int32())
        guard length >= -1, length <= Int(Int32.max) else {
            throw .malformed("a byte length out of range", position: start)
        }
        return length < 0 ? nil : length
    }

    /// A string that may be null.
    @inlinable
    public mutating func nullableString(compact: Bool) throws(BytesError) -> String? {
        guard let length = try stringLength(compact: compact) else { return nil }
        return try utf8(length)
    }

    /// A string; null is an error.
    @inlinable
    public mutating func string(compact: Bool) throws(BytesError) -> String {
        guard let length = try stringLength(compact: compact) else {
            throw .malformed("null where a string must stand", position: position)
        }
        return try utf8(length)
    }

    /// The next `count` bytes as a string; bytes that are not UTF-8 are an error.
    public mutating func utf8(_ count: Int) throws(BytesError) -> String {
        let start = position
        let bytes = try slice(count)
        // Four times as fast as validating, which looks up generic metadata for every string.
        if bytes.isASCII { return String(decoding: bytes.assumingMemoryBound(to: UInt8.self), as: UTF8.self) }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("a string that is not UTF-8", position: start)
        }
        return string
    }

    /// Where a byte string stands, or nil for null. No byte is copied.
    @inlinable
    public mutating func nullableByteRange(compact: Bool) throws(BytesError) -> Range<Int>? {
        guard let length = try bytesLength(compact: compact) else { return nil }
        let start = try take(length)
        return start..<start &+ length
    }

    /// A copy of a byte string, or nil for null.
    public mutating func nullableBytes(compact: Bool) throws(BytesError) -> [UInt8]? {
        guard let range = try nullableByteRange(compact: compact) else { return nil }
        return [UInt8](bytes(in: range))
    }

    /// A copy of a byte string; null is an error.
    public mutating func bytes(compact: Bool) throws(BytesError) -> [UInt8] {
        guard let bytes = try nullableBytes(compact: compact) else {
            throw .malformed("null where bytes must stand", position: position)
        }
        return bytes
    }

    /// The number of an array's elements, or nil for null.
    ///
    /// The count is checked before it is returned: `count` elements of at least `minimumElementBytes` each must fit
    /// into what remains, and the total of the message may not pass the reader's element limit.
    @inlinable
    public mutating func nullableArrayCount(compact: Bool, minimumElementBytes: Int) throws(BytesError) -> Int? {
        guard let count = try bytesLength(compact: compact) else { return nil }
        let needed = count &* max(1, minimumElementBytes)
        guard needed <= remaining else {
            throw .truncated(needed: needed, position: position, remaining: remaining)
        }
        try grantElements(count)
        return count
    }

    /// The number of an array's elements, checked as in `nullableArrayCount`; null is an error.
    @inlinable
    public mutating func arrayCount(compact: Bool, minimumElementBytes: Int) throws(BytesError) -> Int {
        guard let count = try nullableArrayCount(compact: compact, minimumElementBytes: minimumElementBytes) else {
            throw .malformed("null where an array must stand", position: position)
        }
        return count
    }

    /// Skips a section of tagged fields that are all unknown here.
    @inlinable
    public mutating func skipTaggedFields() throws(BytesError) {
        let count = try unsignedVarint()
        guard count > 0 else { return }
        try skipTaggedFields(count)
    }

    @usableFromInline
    mutating func skipTaggedFields(_ count: UInt32) throws(BytesError) {
        for _ in 0..<count {
            _ = try unsignedVarint()
            try skip(Int(try unsignedVarint()))
        }
    }

    /// Starts reading one tagged field: its tag, and the position at which it ends.
    ///
    /// A field that is understood must end exactly there (`endTaggedField`); any other is skipped with it.
    public mutating func beginTaggedField() throws(BytesError) -> (tag: UInt32, end: Int) {
        let tag = try unsignedVarint()
        let size = Int(try unsignedVarint())
        guard size <= remaining else {
            throw .truncated(needed: size, position: position, remaining: remaining)
        }
        return (tag, position + size)
    }

    /// Ends a tagged field that was read: throws unless the cursor stands at its end.
    public mutating func endTaggedField(at end: Int) throws(BytesError) {
        guard position == end else {
            throw .malformed("a tagged field whose size is wrong", position: position)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether no byte is above 127.
    fileprivate var isASCII: Bool {
        var bits: UInt8 = 0
        for byte in self { bits |= byte }
        return bits < 0x80
    }
}
