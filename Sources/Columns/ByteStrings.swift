/// Many short byte strings in one piece of memory.
public struct ByteStrings: Sendable {
    /// All bytes.
    public var bytes: [UInt8]
    /// Where each begins, and the end of the last: one more than there are strings.
    public var offsets: [UInt32]

    /// Assembles them.
    public init(bytes: [UInt8] = [], offsets: [UInt32] = [0]) {
        self.bytes = bytes
        self.offsets = offsets
    }

    /// The number of strings.
    public var count: Int { offsets.count - 1 }
}

extension ByteStrings {
    /// One string's bytes, valid during the call.
    @inlinable
    public func withString<R, E: Error>(
        _ index: Int, _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let (start, end) = (Int(offsets[index]), Int(offsets[index + 1]))
        return try bytes.withUnsafeBufferPointer { bytes throws(E) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[start..<end])))
        }
    }

    /// Adds a string at the end. All of them must stay below 4 GiB.
    @inlinable
    public mutating func append(_ string: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: string)
        offsets.append(UInt32(bytes.count))
    }
}
