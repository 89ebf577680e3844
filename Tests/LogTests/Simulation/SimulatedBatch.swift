import Bytes

/// A record batch as a producer sends it, written byte by byte here, so that the log is judged by other code than its
/// own.
struct SimulatedBatch: Equatable {
    /// Tells this batch from every other one of a simulation; its records begin with it.
    let identity: UInt64
    let count: Int
    let firstTimestamp: Int64
    /// -1 for a plain producer.
    let producerID: Int64
    let firstSequence: Int32
    /// With base offset 0 and leader epoch -1.
    let bytes: [UInt8]

    init(
        identity: UInt64, count: Int, payloadBytes: Int, firstTimestamp: Int64, producerID: Int64 = -1,
        firstSequence: Int32 = -1
    ) {
        self.identity = identity
        self.count = count
        self.firstTimestamp = firstTimestamp
        self.producerID = producerID
        self.firstSequence = firstSequence
        var tail = BigEndianBytes()
        tail.append(Int16(0))  // attributes: uncompressed, CreateTime
        tail.append(Int32(count - 1))
        tail.append(firstTimestamp)
        tail.append(firstTimestamp + Int64(count - 1))
        tail.append(producerID)
        tail.append(Int16(producerID < 0 ? -1 : 0))
        tail.append(firstSequence)
        tail.append(Int32(count))
        for index in 0..<count {
            tail.bytes += Self.record(index, identity: identity, payloadBytes: payloadBytes)
        }
        var batch = BigEndianBytes()
        batch.append(Int64(0))
        batch.append(Int32(4 + 1 + 4 + tail.bytes.count))
        batch.append(Int32(-1))
        batch.append(Int8(2))
        batch.append(CRC32C.checksum(tail.bytes))
        bytes = batch.bytes + tail.bytes
    }

    /// The timestamps of its records: one millisecond apart.
    func timestamp(_ index: Int) -> Int64 { firstTimestamp + Int64(index) }

    /// What the log has to store.
    func stored(at baseOffset: Int64, leaderEpoch: Int32) -> [UInt8] {
        var stored = bytes
        for index in 0..<8 { stored[index] = UInt8(truncatingIfNeeded: baseOffset >> Int64(56 - 8 * index)) }
        for index in 0..<4 { stored[12 + index] = UInt8(truncatingIfNeeded: leaderEpoch >> Int32(24 - 8 * index)) }
        return stored
    }

    private static func record(_ index: Int, identity: UInt64, payloadBytes: Int) -> [UInt8] {
        var value = BigEndianBytes()
        value.append(identity)
        value.bytes += [UInt8](repeating: UInt8(truncatingIfNeeded: identity &+ UInt64(index)), count: payloadBytes)
        var body = BigEndianBytes()
        body.append(Int8(0))
        body.appendZigZag(index)  // timestamp delta
        body.appendZigZag(index)  // offset delta
        body.appendZigZag(-1)  // no key
        body.appendZigZag(value.bytes.count)
        body.bytes += value.bytes
        body.appendZigZag(0)  // no headers
        var record = BigEndianBytes()
        record.appendZigZag(body.bytes.count)
        return record.bytes + body.bytes
    }
}

/// Bytes in the order of the network.
struct BigEndianBytes {
    var bytes: [UInt8] = []

    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }

    mutating func appendZigZag(_ value: Int) {
        var rest = UInt64(bitPattern: Int64((value << 1) ^ (value >> 63)))
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
