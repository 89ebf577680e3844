/// A set of the series of one table of a block, by their ordinals: one bit each.
public struct OrdinalSet: Sendable, Equatable {
    /// How many series the table has: members are below.
    public let universe: Int
    var words: [UInt64]

    /// The empty set, or that of all series.
    public init(universe: Int, full: Bool = false) {
        self.universe = universe
        words = [UInt64](repeating: full ? .max : 0, count: (universe + 63) / 64)
        clearBehind()
    }

    /// Whether a series is in the set; false for ordinals that are none.
    public func contains(_ ordinal: Int) -> Bool {
        ordinal >= 0 && ordinal < universe && words[ordinal >> 6] >> UInt64(ordinal & 63) & 1 != 0
    }

    /// Adds a series; nothing happens for ordinals that are none.
    public mutating func insert(_ ordinal: Int) {
        guard ordinal >= 0, ordinal < universe else { return }
        words[ordinal >> 6] |= 1 << UInt64(ordinal & 63)
    }

    /// Removes a series.
    public mutating func remove(_ ordinal: Int) {
        guard ordinal >= 0, ordinal < universe else { return }
        words[ordinal >> 6] &= ~(1 << UInt64(ordinal & 63))
    }

    /// Keeps what both sets have; they must be of the same table.
    public mutating func formIntersection(_ other: OrdinalSet) {
        precondition(universe == other.universe, "sets of different tables")
        for index in words.indices { words[index] &= other.words[index] }
    }

    /// Adds what the other has; they must be of the same table.
    public mutating func formUnion(_ other: OrdinalSet) {
        precondition(universe == other.universe, "sets of different tables")
        for index in words.indices { words[index] |= other.words[index] }
    }

    /// Removes what the other has; they must be of the same table.
    public mutating func subtract(_ other: OrdinalSet) {
        precondition(universe == other.universe, "sets of different tables")
        for index in words.indices { words[index] &= ~other.words[index] }
    }

    /// Makes it the set of the others.
    public mutating func invert() {
        for index in words.indices { words[index] = ~words[index] }
        clearBehind()
    }

    /// The number of series in the set.
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether there is none.
    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// The members, ascending.
    public var members: [UInt32] {
        var members: [UInt32] = []
        members.reserveCapacity(count)
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                members.append(UInt32(index << 6 + rest.trailingZeroBitCount))
                rest &= rest &- 1
            }
        }
        return members
    }

    private mutating func clearBehind() {
        guard universe & 63 != 0, let last = words.indices.last else { return }
        words[last] &= (1 << UInt64(universe & 63)) - 1
    }
}
