import Bytes

/// CRC32C over bytes that come in pieces.
struct Checksum {
    private(set) var value: UInt32 = 0

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        value = CRC32C.checksum(bytes, continuing: value)
    }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        CRC32C.checksum(bytes)
    }
}
