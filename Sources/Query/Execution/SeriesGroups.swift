internal import Series

/// Which group each series of a scan is in. Computed from the codes of the grouping tags, tag by tag, not from their
/// bytes.
struct SeriesGroups {
    /// A group per series.
    var groups: [UInt32]
    /// The values of each group's tags, in the grouping's order.
    var keys: [[[UInt8]]]

    init(_ table: SeriesTable, grouping: [Int]) {
        groups = [UInt32](repeating: 0, count: table.count)
        // A code per tag for each group.
        var tuples: [[UInt32]] = [[]]
        for tag in grouping {
            (groups, tuples) = Self.split(groups, tuples, by: table.codes[tag], values: table.values[tag].count)
        }
        keys = tuples.map { codes in
            zip(grouping, codes).map { tag, code in table.values[tag][Int(code)] }
        }
    }

    /// Splits groups by one more tag.
    private static func split(
        _ groups: [UInt32], _ tuples: [[UInt32]], by codes: [UInt32], values: Int
    ) -> ([UInt32], [[UInt32]]) {
        var result = [UInt32](repeating: 0, count: groups.count)
        var split: [[UInt32]] = []
        let width = max(1, values)
        // A flat table of (group, code) while it is small; 4 Mi entries are 16 MB.
        if tuples.count <= 4_194_304 / width {
            var known = [UInt32](repeating: .max, count: tuples.count * width)
            for series in 0..<groups.count {
                let place = Int(groups[series]) * width + Int(codes[series])
                if known[place] == .max {
                    known[place] = UInt32(split.count)
                    split.append(tuples[Int(groups[series])] + [codes[series]])
                }
                result[series] = known[place]
            }
            return (result, split)
        }
        var known: [UInt64: UInt32] = [:]
        for series in 0..<groups.count {
            let place = UInt64(groups[series]) << 32 | UInt64(codes[series])
            if let group = known[place] {
                result[series] = group
            } else {
                known[place] = UInt32(split.count)
                result[series] = UInt32(split.count)
                split.append(tuples[Int(groups[series])] + [codes[series]])
            }
        }
        return (result, split)
    }
}

/// The groups of all scans of a plan, by the values of their tags.
struct GroupDirectory {
    private var known: [[[UInt8]]: Int] = [:]
    /// The values of each group's tags.
    private(set) var keys: [[[UInt8]]] = []

    /// The group with these values.
    mutating func group(_ key: [[UInt8]]) -> Int {
        if let group = known[key] { return group }
        known[key] = keys.count
        keys.append(key)
        return keys.count - 1
    }

    /// The groups in the order of their values.
    func ordered(descending: Bool) -> [Int] {
        let order = keys.indices.sorted { left, right in
            for (leftValue, rightValue) in zip(keys[left], keys[right]) where leftValue != rightValue {
                return leftValue.lexicographicallyPrecedes(rightValue)
            }
            return false
        }
        return descending ? order.reversed() : order
    }
}
