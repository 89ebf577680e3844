import Bytes

extension ColumnTree {
    /// The texts of a column by skeletons, put together again.
    func skeletonTexts(_ index: Int, rows wanted: [UInt32]?) throws(BytesError) -> DecodedTexts {
        let node = nodes[index]
        let own = try wanted.map { rows throws(BytesError) in try wantedPlaces(index, rows) }
        var parts = SkeletonParts()
        for code in 0..<node.skeletons.count {
            let skeleton = skeletons[node.skeletons.lowerBound + code]
            let rows = own?[code].count ?? skeleton.rows
            parts.begin(rows: rows, slots: skeleton.slots)
            guard rows > 0 else { continue }
            for piece in pieces[skeleton.firstPiece...skeleton.firstPiece + skeleton.slots] {
                parts.append(piece: piece.bytes(of: head))
            }
            for child in children[skeleton.firstChild..<skeleton.firstChild + skeleton.slots] {
                parts.append(slot: try texts(child, rows: own?[code]))
            }
            guard parts.total <= byteLimit else { throw Self.malformed("more bytes than all lines have") }
        }
        let codes = try codes(index)
        if let wanted { return try parts.texts(wanted.map { codes[Int($0)] }) }
        return try parts.texts(codes)
    }

    /// For each skeleton which of its own rows are wanted.
    func wantedPlaces(_ index: Int, _ wanted: [UInt32]) throws(BytesError) -> [[UInt32]] {
        let places = try places(index)
        let codes = try codes(index)
        var own = [[UInt32]](repeating: [], count: places.count)
        for row in wanted {
            let code = Int(codes[Int(row)])
            own[code].append(UInt32(Self.firstIndex(of: row, in: places[code])))
        }
        return own
    }

    /// Where a number stands in ascending ones.
    static func firstIndex(of value: UInt32, in values: [UInt32]) -> Int {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The lengths in bytes of all rows of a column, or of some, ascending.
    func lengths(_ index: Int, rows wanted: [UInt32]?) throws(BytesError) -> [UInt32] {
        let node = nodes[index]
        if node.shortest == node.longest {
            return [UInt32](repeating: UInt32(node.shortest), count: wanted?.count ?? node.rows)
        }
        switch node.kind {
        case .skeletons: return try skeletonLengths(index, rows: wanted)
        case .plain:
            let lengths = try integers(node.textParts.lengths, count: node.rows)
            return wanted.map { $0.map { UInt32(truncatingIfNeeded: lengths[Int($0)]) } }
                ?? lengths.map { UInt32(truncatingIfNeeded: $0) }
        case .constant, .dictionary, .integers, .digits, .decimals, .hexadecimal:
            return try texts(index, rows: wanted).ranges.map { UInt32($0.count) }
        }
    }

    private func skeletonLengths(_ index: Int, rows wanted: [UInt32]?) throws(BytesError) -> [UInt32] {
        let node = nodes[index]
        let codes = try codes(index)
        let own = try wanted.map { rows throws(BytesError) in try wantedPlaces(index, rows) }
        var sums: [[UInt32]] = []
        for code in 0..<node.skeletons.count {
            let skeleton = skeletons[node.skeletons.lowerBound + code]
            var literal: UInt32 = 0
            for piece in pieces[skeleton.firstPiece...skeleton.firstPiece + skeleton.slots] {
                literal &+= UInt32(piece.count)
            }
            var lengths = [UInt32](repeating: literal, count: own?[code].count ?? skeleton.rows)
            if !lengths.isEmpty {
                for child in children[skeleton.firstChild..<skeleton.firstChild + skeleton.slots] {
                    for (row, length) in try self.lengths(child, rows: own?[code]).enumerated() {
                        lengths[row] &+= length
                    }
                }
            }
            sums.append(lengths)
        }
        var cursors = [Int](repeating: 0, count: sums.count)
        var result: [UInt32] = []
        result.reserveCapacity(wanted?.count ?? node.rows)
        for place in 0..<(wanted?.count ?? node.rows) {
            let code = Int(codes[wanted.map { Int($0[place]) } ?? place])
            guard cursors[code] < sums[code].count else { throw Self.malformed("a skeleton of other rows") }
            result.append(sums[code][cursors[code]])
            cursors[code] += 1
        }
        return result
    }
}
