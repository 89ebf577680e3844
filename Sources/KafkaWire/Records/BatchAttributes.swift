public import Bytes

/// The attributes of a record batch.
///
///     bit    0-2      3               4              5        6
///            codec    LogAppendTime   transactional  control  delete horizon set
public struct BatchAttributes: RawRepresentable, Sendable, Hashable {
    /// The bits on the wire. Bits 7 to 15 are unused.
    public var rawValue: Int16

    /// Wraps the bits.
    public init(rawValue: Int16) { self.rawValue = rawValue }

    /// Assembles the bits.
    public init(
        compression: Compression, isLogAppendTime: Bool = false, isTransactional: Bool = false, isControl: Bool = false
    ) {
        rawValue = Int16(compression.rawValue)
        if isLogAppendTime { rawValue |= 1 << 3 }
        if isTransactional { rawValue |= 1 << 4 }
        if isControl { rawValue |= 1 << 5 }
    }

    /// The codec of the records, or nil if there is none of that number.
    public var compression: Compression? { Compression(rawValue: UInt8(rawValue & 7)) }
    /// Whether the broker stamped the batch: then every record has the batch's `maxTimestamp`.
    public var isLogAppendTime: Bool { rawValue & 1 << 3 != 0 }
    /// Whether the batch belongs to a transaction.
    public var isTransactional: Bool { rawValue & 1 << 4 != 0 }
    /// Whether the batch is a broker's: transaction markers and our own control records. Consumers skip it.
    public var isControl: Bool { rawValue & 1 << 5 != 0 }
    /// Whether `baseTimestamp` is the time from which compaction may remove the batch's tombstones (KIP-534).
    public var hasDeleteHorizon: Bool { rawValue & 1 << 6 != 0 }
}
