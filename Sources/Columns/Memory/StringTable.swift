/// A dictionary from byte strings to consecutive numbers, by open addressing: names of measurements and fields, values
/// of a tag, series as they were written. The strings are in an arena, which many tables share.
///
/// The thread that applies looks up and inserts; readers only turn numbers into strings.
package final class StringTable: @unchecked Sendable {
    // Safe because readers use nothing but `strings` and `arena`, which say themselves why that is safe.
    @usableFromInline let arena: ByteArena
    @usableFromInline let strings = AppendOnlyArray<ByteArena.Reference>()
    /// The upper half of the hash, and the number + 1; 0 for an empty slot.
    @usableFromInline var slots: UnsafeMutablePointer<UInt64>
    @usableFromInline var mask: Int

    /// Without strings.
    package init(arena: ByteArena) {
        self.arena = arena
        slots = .allocate(capacity: 8)
        slots.initialize(repeating: 0, count: 8)
        mask = 7
    }

    deinit { slots.deallocate() }

    /// The number of strings.
    package var count: Int { strings.count }

    /// The memory without the strings' bytes.
    package var usedBytes: Int { (mask + 1) * 8 + strings.usedBytes }

    /// A string by its number.
    @inlinable @inline(__always)
    package func string(_ number: Int) -> UnsafeRawBufferPointer { arena.bytes(strings[number]) }

    /// The number of a string, or nil.
    @inlinable @inline(__always)
    package func find(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let content = slots[slot]
            if content == 0 { return nil }
            if content &>> 32 == hash &>> 32 {
                let number = Int(truncatingIfNeeded: content & 0xFFFF_FFFF) &- 1
                if equalBytes(arena.bytes(strings[number]), bytes) { return number }
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// Adds a string that is not there and returns its number.
    package func insert(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> Int {
        // Full to three quarters at most.
        if (strings.count + 1) * 4 > (mask + 1) * 3 { grow() }
        let number = strings.count
        precondition(number < Int(UInt32.max) - 1, "4 billion strings")
        strings.append(arena.append(bytes))
        place(UInt64(number + 1) | hash & 0xFFFF_FFFF_0000_0000, hash: hash)
        return number
    }

    private func place(_ content: UInt64, hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 { slot = (slot &+ 1) & mask }
        slots[slot] = content
    }

    private func grow() {
        slots.deallocate()
        let capacity = (mask + 1) * 2
        mask = capacity - 1
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: 0, count: capacity)
        for number in 0..<strings.count {
            let hash = BytesHash.hash(arena.bytes(strings[number]))
            place(UInt64(number + 1) | hash & 0xFFFF_FFFF_0000_0000, hash: hash)
        }
    }
}

/// Whether two pieces of memory hold the same bytes.
@inlinable @inline(__always)
package func equalBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    let count = left.count
    guard count == right.count else { return false }
    guard count > 0, let a = left.baseAddress, let b = right.baseAddress else { return true }
    // Safe because whole words are read only in front of `count`.
    if count >= 8 {
        var position = 0
        while position &+ 8 <= count {
            if a.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                != b.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            {
                return false
            }
            position &+= 8
        }
        return a.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            == b.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }
    var position = 0
    while position < count {
        if a.load(fromByteOffset: position, as: UInt8.self) != b.load(fromByteOffset: position, as: UInt8.self) {
            return false
        }
        position &+= 1
    }
    return true
}
