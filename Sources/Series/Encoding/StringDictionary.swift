import Bytes
import Columns

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
