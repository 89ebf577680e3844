/// Reads the fields of one protobuf message by hand. Nothing is copied; what was not taken is skipped by `next`.
struct ProtobufReader {
    /// A field's number and how it is encoded.
    struct Field {
        let number: UInt64
        fileprivate let wireType: UInt8
    }

    private let base: UnsafeRawPointer
    private var position: Int
    private let end: Int
    /// The field whose value comes next, if it was not taken.
    private var pending: UInt8?

    init(_ bytes: UnsafeRawBufferPointer) {
        // A pointer that is never read, where there are no bytes.
        base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped
        (position, end) = (0, bytes.count)
    }

    /// The next field; nil at the end of the message.
    @inline(__always)
    mutating func next() throws(DecodeError) -> Field? {
        if let wireType = pending { try skip(wireType) }
        guard position < end else { return nil }
        let tag = try varint()
        let field = Field(number: tag &>> 3, wireType: UInt8(tag & 7))
        guard field.number > 0, field.number < 1 << 29 else { throw wrong("a field without a number") }
        pending = field.wireType
        return field
    }

    /// The bytes of a field.
    @inline(__always)
    mutating func bytes(_ field: Field) throws(DecodeError) -> UnsafeRawBufferPointer {
        guard field.wireType == 2 else { throw wrong("field \(field.number) has wire type \(field.wireType), not 2") }
        pending = nil
        let count = try varint()
        guard count <= UInt64(end - position) else { throw wrong("field \(field.number) ends behind its message") }
        defer { position &+= Int(count) }
        return UnsafeRawBufferPointer(start: base + position, count: Int(count))
    }

    /// A field that is a message.
    @inline(__always)
    mutating func message(_ field: Field) throws(DecodeError) -> ProtobufReader { ProtobufReader(try bytes(field)) }

    /// A field that is a plain integer.
    @inline(__always)
    mutating func integer(_ field: Field) throws(DecodeError) -> Int64 {
        guard field.wireType == 0 else { throw wrong("field \(field.number) has wire type \(field.wireType), not 0") }
        pending = nil
        return Int64(bitPattern: try varint())
    }

    private func wrong(_ reason: String) -> DecodeError { DecodeError(.malformed, "protobuf: \(reason)") }

    @inline(__always)
    private mutating func varint() throws(DecodeError) -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        while position < end {
            let byte = base.load(fromByteOffset: position, as: UInt8.self)
            position &+= 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift &+= 7
            guard shift < 70 else { throw wrong("a varint of more than 10 bytes") }
        }
        throw wrong("the message ends within a varint")
    }

    private mutating func skip(_ wireType: UInt8) throws(DecodeError) {
        pending = nil
        let count: UInt64
        switch wireType {
        case 0:
            _ = try varint()
            count = 0
        case 1: count = 8
        case 2: count = try varint()
        case 5: count = 4
        default: throw wrong("wire type \(wireType)")
        }
        guard count <= UInt64(end - position) else { throw wrong("a field ends behind its message") }
        position &+= Int(count)
    }
}
