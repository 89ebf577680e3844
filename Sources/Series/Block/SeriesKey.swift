/// The canonical key of a series within its measurement: bytes made of its tags, sorted by key, so that the plain order
/// of the bytes is the order of series everywhere: in heads, in blocks, in scans and merges.
///
/// Per tag: the key, 0x00, the value, 0x00. A 0x00 within is written as 0x01 0x01, a 0x01 as 0x01 0x02. The order that
/// results is that of the lists of (key, value), compared by bytes; a list goes before those that it begins. Tags with
/// the value "" are left out: a series does not have them.
public enum SeriesKey {
    /// Appends one tag. Tags come in the order of their keys' bytes, each key once.
    public static func append(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, to bytes: inout [UInt8]
    ) {
        guard !value.isEmpty else { return }
        appendPart(key, to: &bytes)
        appendPart(value, to: &bytes)
    }

    /// The key of a list of tags, which must be sorted by key.
    public static func encode(_ tags: [(key: [UInt8], value: [UInt8])]) -> [UInt8] {
        var bytes: [UInt8] = []
        for tag in tags {
            tag.key.withUnsafeBytes { key in
                tag.value.withUnsafeBytes { append(key: key, value: $0, to: &bytes) }
            }
        }
        return bytes
    }

    /// The tags of a key. Bytes that are no key give what can be read of them.
    public static func decode(_ bytes: UnsafeRawBufferPointer) -> [(key: [UInt8], value: [UInt8])] {
        var tags: [(key: [UInt8], value: [UInt8])] = []
        var position = 0
        while position < bytes.count {
            let key = part(bytes, &position)
            tags.append((key, part(bytes, &position)))
        }
        return tags
    }

    /// The order of two keys, or of any bytes: below 0, 0, or above 0. A beginning goes before what it begins.
    public static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let count = min(left.count, right.count)
        guard count > 0, let a = left.baseAddress, let b = right.baseAddress else { return left.count - right.count }
        var position = 0
        // Safe because whole words are read only in front of `count`.
        while position &+ 8 <= count {
            let x = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let y = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            if x != y { return x < y ? -1 : 1 }
            position &+= 8
        }
        while position < count {
            let x = a.load(fromByteOffset: position, as: UInt8.self)
            let y = b.load(fromByteOffset: position, as: UInt8.self)
            if x != y { return x < y ? -1 : 1 }
            position &+= 1
        }
        return left.count - right.count
    }

    /// The order of two byte strings.
    public static func compare(_ left: [UInt8], _ right: [UInt8]) -> Int {
        left.withUnsafeBytes { left in right.withUnsafeBytes { compare(left, $0) } }
    }

    private static func appendPart(_ part: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        if part.contains(where: { $0 <= 1 }) {
            for byte in part {
                if byte <= 1 { bytes.append(1) }
                bytes.append(byte <= 1 ? byte + 1 : byte)
            }
        } else {
            bytes.append(contentsOf: part)
        }
        bytes.append(0)
    }

    private static func part(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> [UInt8] {
        var part: [UInt8] = []
        while position < bytes.count, bytes[position] != 0 {
            if bytes[position] == 1, position + 1 < bytes.count {
                position += 1
                part.append(bytes[position] &- 1)
            } else {
                part.append(bytes[position])
            }
            position += 1
        }
        position += 1
        return part
    }
}
