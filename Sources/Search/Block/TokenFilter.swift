import Bytes

/// Whether a chunk can have a token: a split-block Bloom filter of about ten bits a token. A probe reads 32 bytes, and
/// is wrong about once in a hundred times.
enum TokenFilter {
    private static let bitsPerToken = 10
    /// A bit of each of the eight words of a block is set: which one, these odd numbers say.
    private static let salts: [8 of UInt32] = [
        0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31,
    ]

    /// The filter of tokens.
    static func write(_ tokens: TokenSet, to writer: inout ByteWriter) {
        guard tokens.count > 0 else { return }
        let blocks = (tokens.count * bitsPerToken + 255) / 256
        var words = [UInt32](repeating: 0, count: blocks * 8)
        tokens.forEach { hash in
            let first = block(hash, of: blocks) * 8
            for index in 0..<8 { words[first + index] |= bit(hash, index) }
        }
        for word in words { writer.write(word) }
    }

    /// Whether the filter's tokens may have one of this hash.
    static func mayHold(_ token: UInt64, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let hash = token == 0 ? 1 : token
        let blocks = bytes.count / LineBlockFormat.filterBlockBytes
        guard blocks > 0 else { return false }
        let first = block(hash, of: blocks) * LineBlockFormat.filterBlockBytes
        for index in 0..<8 {
            let stored = bytes.loadUnaligned(fromByteOffset: first + index * 4, as: UInt32.self).bigEndian
            if stored & bit(hash, index) == 0 { return false }
        }
        return true
    }

    private static func block(_ hash: UInt64, of count: Int) -> Int {
        Int(((hash >> 32) * UInt64(count)) >> 32)
    }

    private static func bit(_ hash: UInt64, _ index: Int) -> UInt32 {
        1 << ((UInt32(truncatingIfNeeded: hash) &* salts[index]) >> 27)
    }
}
