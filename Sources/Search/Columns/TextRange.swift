/// Where a text stands in some bytes.
struct TextRange: Equatable {
    var start: UInt32
    var end: UInt32

    @inline(__always)
    var count: Int { Int(end &- start) }

    /// The text. The range lies within the bytes.
    @inline(__always)
    func bytes(of all: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: all[Int(start)..<Int(end)])
    }

    @inline(__always)
    func bytes(of base: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Int(start), count: count)
    }
}

/// A 64-bit hash of short texts, for tables in memory and for filters: eight bytes a step. Part of the format (the
/// filters), so it never changes.
enum TextHash {
    private static let first: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let second: UInt64 = 0xD6E8_FEB8_6659_FD93

    @inline(__always)
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = bytes.baseAddress else { return mix(0, 0) }
        return hash(base, count: bytes.count, folding: 0)
    }

    /// - Parameter folding: bits that are set in each 8 bytes before they are hashed.
    @inline(__always)
    static func hash(_ base: UnsafeRawPointer, count: Int, folding: UInt64) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: count) &* first
        var place = 0
        // Safe because only bytes in front of `count` are read.
        while place &+ 8 <= count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            hash = mix(hash, word | folding)
            place &+= 8
        }
        let rest = count &- place
        if rest > 0 {
            let tail = base + place
            var word: UInt64
            if rest >= 4 {
                let low = UInt32(littleEndian: tail.loadUnaligned(as: UInt32.self))
                let high = UInt32(littleEndian: tail.loadUnaligned(fromByteOffset: rest &- 4, as: UInt32.self))
                word = UInt64(low) | UInt64(high) &<< 32
            } else {
                word = UInt64(tail.load(as: UInt8.self))
                word |= UInt64(tail.load(fromByteOffset: rest &>> 1, as: UInt8.self)) &<< 8
                word |= UInt64(tail.load(fromByteOffset: rest &- 1, as: UInt8.self)) &<< 16
            }
            hash = mix(hash, word | folding)
        }
        return hash ^ hash &>> 29
    }

    @inline(__always)
    static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word &* second).multipliedFullWidth(by: first)
        return product.high ^ product.low
    }
}
