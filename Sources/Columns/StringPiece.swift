package import Bytes

/// A list of strings as bytes: their lengths, and their content, compressed if that helps.
/// `count varint, content bytes varint, form u8, lengths' size varint, lengths, content`.
package enum StringPiece {
    /// The most bytes of content that a piece may have; a reader refuses more. One string has at most 64 KiB (a field's
    /// bound) and a page at most 8 MiB of them.
    package static let maximumBytes = 64 << 20

    package static func encode(_ strings: borrowing ByteStrings, into writer: inout ByteWriter) {
        var lengths: [Int64] = []
        lengths.reserveCapacity(strings.count)
        for index in 0..<strings.count { lengths.append(Int64(strings.offsets[index + 1] - strings.offsets[index])) }
        writer.writeUnsignedVarint(UInt32(strings.count))
        writer.writeUnsignedVarint(UInt32(strings.bytes.count))
        var packed = ByteWriter()
        IntegerCodec.encode(lengths, into: &packed)
        var compressed = ByteWriter()
        let isSmaller = strings.bytes.withUnsafeBytes { bytes in
            bytes.count >= 32 && (try? Compression.zstd.compress(bytes, into: &compressed)) != nil
                && compressed.count < bytes.count
        }
        writer.write(isSmaller ? Compression.zstd.rawValue : Compression.none.rawValue)
        writer.writeUnsignedVarint(UInt32(packed.count))
        packed.withUnsafeBytes { writer.write(contentsOf: $0) }
        if isSmaller {
            compressed.withUnsafeBytes { writer.write(contentsOf: $0) }
        } else {
            writer.write(contentsOf: strings.bytes)
        }
    }

    /// Reads the strings that these bytes, all of them, are; at most `limit` of them.
    package static func decode(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(BytesError) -> ByteStrings {
        var reader = ByteReader(bytes)
        let count = Int(try reader.unsignedVarint())
        let size = Int(try reader.unsignedVarint())
        guard count <= limit, size <= maximumBytes else {
            throw BytesError(code: .limitExceeded, message: "\(count) strings of \(size) bytes")
        }
        let form = try reader.uint8()
        guard let compression = Compression(rawValue: form), compression == .none || compression == .zstd else {
            throw BytesError(code: .malformed, message: "strings compressed by the unknown codec \(form)")
        }
        let packed = try reader.slice(Int(try reader.unsignedVarint()))
        let lengths = try IntegerCodec.decodeAll(packed, count: count)
        let content = try reader.slice(reader.remaining)
        var strings = ByteStrings()
        if compression == .none {
            strings.bytes = [UInt8](content)
        } else {
            var writer = ByteWriter(capacity: min(size, 1 << 20) + 1)
            try compression.decompress(content, limit: size, into: &writer)
            strings.bytes = writer.array()
        }
        strings.offsets.reserveCapacity(count + 1)
        var end = 0
        for length in lengths {
            guard length >= 0, length <= Int64(strings.bytes.count - end) else {
                throw BytesError(code: .malformed, message: "strings longer than their bytes")
            }
            end += Int(length)
            strings.offsets.append(UInt32(end))
        }
        guard end == strings.bytes.count, end == size else {
            throw BytesError(code: .malformed, message: "strings shorter than their bytes")
        }
        return strings
    }
}
