public import Bytes

/// A 128-bit identifier, as Kafka uses it for topics. Its text is unpadded base64url of its 16 bytes.
public struct Uuid: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The first 8 bytes, big-endian.
    public let high: UInt64
    /// The last 8 bytes, big-endian.
    public let low: UInt64

    /// The identifier that stands for "none".
    public static let zero = Uuid(high: 0, low: 0)

    /// Assembles an identifier from its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A version 4 identifier from 128 random bits. Like Kafka's, none has a text that starts with a dash: such a bit
    /// pattern is changed in its first bit.
    public init(randomBits first: UInt64, _ second: UInt64) {
        var most = (first & ~0xF000) | 0x4000
        // "-" is 62 in base64url: the first six bits.
        if most >> 58 == 62 { most ^= 1 << 63 }
        self.init(high: most, low: (second & ~(3 << 62)) | (2 << 62))
    }

    /// Decodes 16 bytes.
    public init(decoding reader: inout ByteReader) throws(BytesError) {
        high = try reader.uint64()
        low = try reader.uint64()
    }

    /// Appends the 16 bytes.
    public func encode(into writer: inout ByteWriter) {
        writer.write(high)
        writer.write(low)
    }

    /// Orders by the bytes.
    public static func < (left: Uuid, right: Uuid) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension Uuid {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The 22 characters of base64url.
    public var description: String {
        String(unsafeUninitializedCapacity: 22) { text in
            for index in 0..<22 { text[index] = Uuid.alphabet[Int(sextet(index))] }
            return 22
        }
    }

    /// The six bits at `6 * index` from the left; the last two bits of 132 are zero.
    private func sextet(_ index: Int) -> UInt64 {
        let right = 122 - 6 * index
        // Swift's smart shifts: a negative distance shifts the other way, one past the width gives zero.
        return (low >> right | high >> (right - 64)) & 63
    }

    /// Parses base64url, with or without padding; nil if it is not 16 bytes.
    public init?(_ text: String) {
        var digits = Array(text.utf8)
        if digits.count == 24, digits.suffix(2) == [61, 61] { digits.removeLast(2) }
        guard digits.count == 22 else { return nil }
        var most: UInt64 = 0
        var least: UInt64 = 0
        for (index, digit) in digits.enumerated() {
            guard let value = Uuid.alphabet.firstIndex(of: digit) else { return nil }
            // The last digit carries two bits.
            let bits: UInt64 = index == 21 ? 2 : 6
            guard index < 21 || value & 15 == 0 else { return nil }
            most = most << bits | least >> (64 - bits)
            least = least << bits | UInt64(value) >> (6 - bits)
        }
        self.init(high: most, low: least)
    }
}
