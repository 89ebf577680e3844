/// Chooses partitions for the records of one topic.
///
/// A record with a key goes where Java's default partitioner sends it: `(murmur2(key) & 0x7fffffff) % count`.
/// Records without a key stick to one partition until its batch is complete and then move to another
/// (KIP-480), which fills batches instead of starting one per partition.
struct Partitioner: Sendable {
    private(set) var count: Int32
    private var sticky: Int32?
    private var previous: Int32?
    private var randomState: UInt64

    /// `seed` decides the order in which sticky partitions are chosen.
    init(count: Int32, seed: UInt64) {
        precondition(count > 0, "a topic has at least one partition")
        self.count = count
        self.randomState = seed
    }

    /// The partition of a record with a key.
    func partition(forKey key: [UInt8]) -> Int32 {
        (murmur2(key) & 0x7fff_ffff) % count
    }

    /// The partition of a record without a key. `usable` tells whether a partition has a leader; if none has, any
    /// partition is chosen.
    mutating func partitionWithoutKey(usable: (Int32) -> Bool) -> Int32 {
        if let sticky { return sticky }
        let chosen = nextSticky(usable: usable)
        sticky = chosen
        return chosen
    }

    /// The sticky partition's batch is complete: the next record without a key goes elsewhere.
    mutating func batchCompleted(in partition: Int32) {
        guard partition == sticky else { return }
        previous = partition
        sticky = nil
    }

    /// The number of partitions grew. It never shrinks while a topic exists; if the topic was created anew with
    /// fewer, a sticky partition that is gone is forgotten.
    mutating func resize(to count: Int32) {
        self.count = count
        if let sticky, sticky >= count { self.sticky = nil }
    }

    private mutating func nextSticky(usable: (Int32) -> Bool) -> Int32 {
        let (start, count, previous) = (Int32(truncatingIfNeeded: next() % UInt64(count)), count, previous)
        let order = (0..<count).lazy.map { (start + $0) % count }
        return order.first { $0 != previous && usable($0) } ?? order.first { usable($0) }
            ?? order.first { $0 != previous } ?? start
    }

    /// SplitMix64: good enough to spread, and reproducible from a seed.
    private mutating func next() -> UInt64 {
        randomState &+= 0x9e37_79b9_7f4a_7c15
        var mixed = randomState
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
