/// A number per pair of group and window, in the order in which they first occur. Open addressing: one look-up per run of
/// points, and none while group and window stay the same.
struct SlotTable {
    /// The group of each slot.
    private(set) var groups: [UInt32] = []
    /// The window of each slot.
    private(set) var windows: [Int64] = []
    private var table = [Int32](repeating: -1, count: 64)
    private var lastSlot = -1

    var count: Int { groups.count }

    /// The slot of a pair, made if there is none.
    @inline(__always)
    mutating func slot(group: UInt32, window: Int64) -> Int {
        if lastSlot >= 0, groups[lastSlot] == group, windows[lastSlot] == window { return lastSlot }
        lastSlot = find(group, window)
        return lastSlot
    }

    /// The slot of a pair, if there is one.
    func known(group: UInt32, window: Int64) -> Int? {
        if lastSlot >= 0, groups[lastSlot] == group, windows[lastSlot] == window { return lastSlot }
        var place = Self.hash(group, window) & (table.count - 1)
        while table[place] >= 0 {
            let slot = Int(table[place])
            if groups[slot] == group && windows[slot] == window { return slot }
            place = (place + 1) & (table.count - 1)
        }
        return nil
    }

    private mutating func find(_ group: UInt32, _ window: Int64) -> Int {
        var place = Self.hash(group, window) & (table.count - 1)
        while table[place] >= 0 {
            let slot = Int(table[place])
            if groups[slot] == group && windows[slot] == window { return slot }
            place = (place + 1) & (table.count - 1)
        }
        groups.append(group)
        windows.append(window)
        table[place] = Int32(groups.count - 1)
        if groups.count * 2 > table.count { grow() }
        return groups.count - 1
    }

    private mutating func grow() {
        table = [Int32](repeating: -1, count: table.count * 2)
        for slot in 0..<groups.count {
            var place = Self.hash(groups[slot], windows[slot]) & (table.count - 1)
            while table[place] >= 0 { place = (place + 1) & (table.count - 1) }
            table[place] = Int32(slot)
        }
    }

    private static func hash(_ group: UInt32, _ window: Int64) -> Int {
        var bits = UInt64(bitPattern: window) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(group) &* 0xC2B2_AE3D_27D4_EB4F
        bits ^= bits >> 29
        bits = bits &* 0xBF58_476D_1CE4_E5B9
        bits ^= bits >> 32
        return Int(truncatingIfNeeded: bits & 0x7FFF_FFFF)
    }
}
