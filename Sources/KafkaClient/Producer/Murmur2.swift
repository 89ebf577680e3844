/// Kafka's murmur2: 32 bits, seed 0x9747b28c, as `org.apache.kafka.common.utils.Utils.murmur2` computes it.
///
/// Every Kafka client that spreads by key must agree on this function bit by bit, or equal keys written by
/// different clients land in different partitions.
func murmur2(_ bytes: some Collection<UInt8>) -> Int32 {
    bytes.withContiguousStorageIfAvailable { murmur2(UnsafeRawBufferPointer($0)) }
        ?? Array(bytes).withUnsafeBytes { murmur2($0) }
}

/// The same over raw bytes.
func murmur2(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    let multiplier: UInt32 = 0x5bd1_e995
    var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: bytes.count)
    let words = bytes.count / 4
    for index in 0..<words {
        var word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        word &*= multiplier
        word ^= word >> 24
        word &*= multiplier
        hash = (hash &* multiplier) ^ word
    }
    let tail = words * 4
    let left = bytes.count - tail
    if left > 2 { hash ^= UInt32(bytes[tail + 2]) << 16 }
    if left > 1 { hash ^= UInt32(bytes[tail + 1]) << 8 }
    if left > 0 {
        hash ^= UInt32(bytes[tail])
        hash &*= multiplier
    }
    hash ^= hash >> 13
    hash &*= multiplier
    hash ^= hash >> 15
    return Int32(bitPattern: hash)
}
