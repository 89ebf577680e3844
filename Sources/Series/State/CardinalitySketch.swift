/// How many distinct hashes were seen, about: exact up to 1,024, then HyperLogLog with 2^14 registers (standard error
/// 0.8 %), estimated as Ertl proposes ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, the
/// improved raw estimator), which needs no corrections by range.
///
/// It depends on the set of the hashes alone, not on their order: a replay gives the same numbers.
public struct CardinalitySketch: Sendable, Equatable {
    static let precision = 14
    static let registerCount = 1 << precision
    /// The most hashes that are kept as they are.
    static let exactLimit = 1024
    /// The highest rank: 50 bits are left of a hash, all zero.
    static let maximumRank = 64 - precision + 1

    /// The largest estimate, 2^50: no stream of hashes comes near it, but registers that were read from a file may say
    /// more than a number holds, and sums of some thousands of sketches must not overflow either.
    static let maximumEstimate = 1_125_899_906_842_624.0

    private(set) var exact: Set<UInt64> = []
    private(set) var registers: [UInt8] = []
    /// How many registers have each rank.
    private var histogram: [Int32] = []

    /// An empty sketch.
    public init() {}

    init(exact: Set<UInt64>) { self.exact = exact }

    /// From registers; nil if they are none.
    init?(registers: [UInt8]) {
        guard registers.count == Self.registerCount, registers.allSatisfy({ $0 <= Self.maximumRank }) else {
            return nil
        }
        self.registers = registers
        histogram = [Int32](repeating: 0, count: Self.maximumRank + 1)
        for rank in registers { histogram[Int(rank)] += 1 }
    }

    /// Whether hashes are kept as they are, so that `contains` answers exactly.
    var isExact: Bool { registers.isEmpty }

    /// Adds a hash.
    ///
    /// - Returns: whether it changed anything; if not, the estimate is what it was.
    @discardableResult
    public mutating func insert(_ hash: UInt64) -> Bool {
        guard registers.isEmpty else { return insertRank(hash) }
        guard exact.insert(hash).inserted else { return false }
        if exact.count > Self.exactLimit { condense() }
        return true
    }

    /// Adds what another sketch has seen.
    public mutating func formUnion(_ other: CardinalitySketch) {
        guard !other.registers.isEmpty else {
            for hash in other.exact { insert(hash) }
            return
        }
        if registers.isEmpty { condense() }
        for (index, rank) in other.registers.enumerated() where rank > registers[index] { raise(index, to: rank) }
    }

    /// Whether a hash was certainly seen (exact sketches), or nil if that is not known.
    func contains(_ hash: UInt64) -> Bool? { isExact ? exact.contains(hash) : nil }

    /// How many distinct hashes were seen, about.
    public var estimate: Int {
        guard !registers.isEmpty else { return exact.count }
        let m = Double(Self.registerCount)
        let top = Self.maximumRank
        var z = m * Self.tau(1 - Double(histogram[top]) / m)
        for rank in stride(from: top - 1, through: 1, by: -1) { z = 0.5 * (z + Double(histogram[rank])) }
        z += m * Self.sigma(Double(histogram[0]) / m)
        return Int(min(m * m / (2 * 0.693_147_180_559_945_3 * z), Self.maximumEstimate).rounded())
    }

    private mutating func condense() {
        registers = [UInt8](repeating: 0, count: Self.registerCount)
        histogram = [Int32](repeating: 0, count: Self.maximumRank + 1)
        histogram[0] = Int32(Self.registerCount)
        for hash in exact { _ = insertRank(hash) }
        exact = []
    }

    private mutating func insertRank(_ hash: UInt64) -> Bool {
        let index = Int(truncatingIfNeeded: hash >> UInt64(64 - Self.precision))
        let rest = hash << UInt64(Self.precision)
        let rank = UInt8(min(rest.leadingZeroBitCount + 1, Self.maximumRank))
        guard rank > registers[index] else { return false }
        raise(index, to: rank)
        return true
    }

    private mutating func raise(_ index: Int, to rank: UInt8) {
        histogram[Int(registers[index])] -= 1
        histogram[Int(rank)] += 1
        registers[index] = rank
    }

    private static func sigma(_ start: Double) -> Double {
        guard start < 1 else { return .infinity }
        var (x, y, z) = (start, 1.0, start)
        while true {
            x *= x
            let previous = z
            z += x * y
            y += y
            if z == previous { return z }
        }
    }

    private static func tau(_ start: Double) -> Double {
        guard start > 0, start < 1 else { return 0 }
        var (x, y, z) = (start, 1.0, 1 - start)
        while true {
            x = x.squareRoot()
            let previous = z
            y *= 0.5
            z -= (1 - x) * (1 - x) * y
            if z == previous { return z / 3 }
        }
    }
}
