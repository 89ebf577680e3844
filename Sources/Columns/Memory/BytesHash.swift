/// The 64-bit hash of byte strings that the head's dictionaries and the cardinality sketches use. Sketches keep what it
/// gives on the disk: it must never change.
///
/// It reads 16 bytes a step and folds a 128-bit product, as wyhash does. It is no defence against chosen collisions:
/// those make a head's dictionary slow, and the bounds on series and tag values bound how slow.
package enum BytesHash {
    // Odd constants of wyhash, with as many ones as zeros.
    @inlinable static var first: UInt64 { 0xa076_1d64_78bd_642f }
    @inlinable static var second: UInt64 { 0xe703_7ed1_a0b4_28db }
    @inlinable static var third: UInt64 { 0x8ebc_6af0_9c88_c6e3 }

    /// The hash of bytes.
    @inlinable
    package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        var state = seed ^ first
        var position = 0
        let count = bytes.count
        guard count > 0, let base = bytes.baseAddress else { return mix(state, second) }
        // Safe because whole words are read only in front of `count`.
        while position &+ 16 <= count {
            let a = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let b = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position &+ 8, as: UInt64.self))
            state = mix(a ^ second, b ^ state)
            position &+= 16
        }
        var a: UInt64 = 0
        var b: UInt64 = 0
        let rest = count &- position
        if rest >= 8 {
            a = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            b = tail(base + (position &+ 8), rest &- 8)
        } else if rest > 0 {
            a = tail(base + position, rest)
        }
        return mix(second ^ UInt64(truncatingIfNeeded: count), mix(a ^ third, b ^ state))
    }

    /// The hash of a pair of hashes, in this order.
    @inlinable @inline(__always)
    package static func combine(_ left: UInt64, _ right: UInt64) -> UInt64 { mix(left ^ third, right ^ first) }

    /// Up to 7 bytes as a little-endian number.
    @inlinable @inline(__always)
    static func tail(_ base: UnsafeRawPointer, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        var index = 0
        while index < count {
            value |= UInt64(base.load(fromByteOffset: index, as: UInt8.self)) &<< UInt64(truncatingIfNeeded: index &* 8)
            index &+= 1
        }
        return value
    }

    @inlinable @inline(__always)
    static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
