/// A Kafka UUID: sixteen bytes, printed as 22 characters of unpadded base64url.
public struct Uuid: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes, big-endian.
    public var high: UInt64
    /// The last eight bytes, big-endian.
    public var low: UInt64

    /// Sixteen zero bytes: "no id" on the wire.
    public static let zero = Uuid(high: 0, low: 0)

    /// Assembles an id from its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Unpadded base64url, as Kafka prints it.
    public var description: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let characters = (0..<22).map { index -> UInt8 in
            let lowest = 122 - 6 * index
            if lowest >= 64 { return alphabet[Int(high >> UInt64(lowest - 64) & 63)] }
            if lowest < 0 { return alphabet[Int(low << 4 & 63)] }
            let straddling = lowest > 58 ? high << UInt64(64 - lowest) : 0
            return alphabet[Int((low >> UInt64(lowest) | straddling) & 63)]
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
