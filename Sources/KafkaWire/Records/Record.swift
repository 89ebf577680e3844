import Bytes

/// A header of a record.
public struct RecordHeader: Sendable, Hashable {
    /// Its key.
    public var key: String
    /// Its value, or null.
    public var value: [UInt8]?

    /// Assembles a header.
    public init(key: String, value: [UInt8]?) {
        self.key = key
        self.value = value
    }
}

/// A record inside a batch. It borrows its bytes from the `RecordIterator` that gave it, or from the batch.
///
///     length        varint   of what follows
///     attributes    int8     unused
///     timestamp     varlong  less the batch's base timestamp
///     offset        varint   less the batch's base offset
///     key, value    varint length (-1: null) and bytes
///     headers       varint count; each a varint length and a key, a varint length (-1: null) and a value
public struct RecordView {
    /// The record's offset.
    public let offset: Int64
    /// Its timestamp in milliseconds since 1970, or -1.
    public let timestamp: Int64
    /// Its key, or null.
    public let key: UnsafeRawBufferPointer?
    /// Its value, or null.
    public let value: UnsafeRawBufferPointer?
    /// The number of its headers.
    public let headerCount: Int
    /// The bytes of the headers, checked when the record was read.
    let headerBytes: UnsafeRawBufferPointer

    /// Its headers, copied. Bytes of a key that are not UTF-8 are repaired.
    public var headers: [RecordHeader] {
        var reader = ByteReader(headerBytes)
        var headers: [RecordHeader] = []
        headers.reserveCapacity(headerCount)
        for _ in 0..<headerCount {
            guard let key = try? reader.field(), let value = try? reader.field() else { break }
            headers.append(
                RecordHeader(
                    key: String(decoding: key.bytes ?? .empty, as: UTF8.self), value: value.bytes.map(Array.init)))
        }
        return headers
    }

    /// Gives each header in place, without a copy: its key, its value (or null), and both as they stand in the record.
    public func visitHeaders(
        _ body: (
            _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?, _ encoded: UnsafeRawBufferPointer
        ) -> Void
    ) {
        var reader = ByteReader(headerBytes)
        for _ in 0..<headerCount {
            let start = reader.position
            guard let key = try? reader.field(), let value = try? reader.field() else { return }
            body(key.bytes ?? .empty, value.bytes, reader.bytes(in: start..<reader.position))
        }
    }
}

/// A varint length and so many bytes, or null.
struct RecordField {
    var bytes: UnsafeRawBufferPointer?
}

extension ByteReader {
    /// A varint length and so many bytes; -1 for null.
    mutating func field() throws(BytesError) -> RecordField {
        let start = position
        let length = try varint()
        guard length >= 0 else {
            guard length == -1 else {
                throw BytesError(code: .malformed, message: "a length of \(length) at byte \(start)")
            }
            return RecordField(bytes: nil)
        }
        return RecordField(bytes: try slice(Int(length)))
    }
}

extension UnsafeRawBufferPointer {
    static var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}
