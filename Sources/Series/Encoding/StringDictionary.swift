import Bytes

/// Distinct strings that get codes in the order in which they come: the strings of one column, until there are so many
/// that they are written as one piece (`StringPiece`) and the next begins.
struct StringDictionary {
    private(set) var strings = ByteStrings()
    /// Open addressing: code + 1, or 0.
    private var slots = [UInt32](repeating: 0, count: 64)
    private var hashes: [UInt32] = []

    /// The number of distinct strings.
    var count: Int { strings.count }
    /// The number of their bytes.
    var byteCount: Int { strings.bytes.count }

    /// The code of a string, which is new if there is none yet.
    mutating func code(of string: UnsafeRawBufferPointer) -> UInt32 {
        let hash = Self.hash(string)
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let code = Int(slots[slot] - 1)
            if hashes[code] == hash, strings.withString(code, { SeriesKey.compare($0, string) == 0 }) {
                return UInt32(code)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        let code = UInt32(strings.count)
        strings.append(string)
        hashes.append(hash)
        slots[slot] = code + 1
        if strings.count * 2 > slots.count { grow() }
        return code
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = [UInt32](repeating: 0, count: mask + 1)
        for code in hashes.indices {
            var slot = Int(hashes[code]) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(code) + 1
        }
    }

    /// Multiply and fold, 8 bytes at a time; nothing that is stored depends on it.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hash = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
        var position = 0
        while position &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let product = (hash ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            hash = product.high ^ product.low
            position &+= 8
        }
        var rest: UInt64 = 0
        while position < bytes.count {
            rest = rest &<< 8 | UInt64(bytes[position])
            position &+= 1
        }
        let product = (hash ^ rest).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return UInt32(truncatingIfNeeded: product.high ^ product.low)
    }
}

/// A list of strings as bytes: their lengths, and their content, compressed if that helps.
/// `count varint, content bytes varint, form u8, lengths' size varint, lengths, content`.
enum StringPiece {
    /// The most bytes of content that a piece may have; a reader refuses more. One string has at most 64 KiB (a field's
    /// bound) and a page at most 8 MiB of them.
    static let maximumBytes = 64 << 20

    static func encode(_ strings: borrowing ByteStrings, into writer: inout ByteWriter) {
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
    static func decode(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(BytesError) -> ByteStrings {
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
