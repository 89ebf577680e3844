/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): small, and the same on
/// every platform and in every version of Swift.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to and including `maximum`. The bias of the remainder does not matter here.
    mutating func upTo(_ maximum: Int) -> Int {
        Int(next() % UInt64(maximum + 1))
    }

    mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
        if range.lowerBound == range.upperBound { return range.lowerBound }
        return range.lowerBound + next() % (range.upperBound - range.lowerBound + 1)
    }

    mutating func coin() -> Bool {
        next() >> 63 == 1
    }

    mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) / Double(1 << 53) < probability
    }
}
