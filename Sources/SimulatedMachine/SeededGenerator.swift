/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): small, and the same on
/// every platform and in every version of Swift. For simulated machines, and for the workloads that run on them.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator whose numbers all follow from `seed`.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to and including `maximum`. The bias of the remainder does not matter here.
    public mutating func upTo(_ maximum: Int) -> Int {
        Int(next() % UInt64(maximum + 1))
    }

    /// A number within a range.
    public mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
        if range.lowerBound == range.upperBound { return range.lowerBound }
        return range.lowerBound + next() % (range.upperBound - range.lowerBound + 1)
    }

    /// True or false, with equal chances.
    public mutating func coin() -> Bool {
        next() >> 63 == 1
    }

    /// True with a probability between 0 and 1.
    public mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) / Double(1 << 53) < probability
    }
}
