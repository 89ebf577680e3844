import Bytes

/// Texts parted by skeletons.
struct SkeletonTable {
    struct Skeleton {
        let hash: UInt64
        /// The first text that has it.
        let text: TextRange
        /// The slots of that text.
        let firstSlots: [TextRange]
        var rows = 0
        /// The slots of all rows, row by row.
        var slots: [TextRange] = []

        var slotCount: Int { firstSlots.count }
    }

    private(set) var skeletons: [Skeleton] = []
    /// The skeleton of each row.
    private(set) var codes: [UInt16] = []
    private var lookup: [UInt64: Int] = [:]
    private var rest: Int?

    mutating func append(_ text: TextRange, _ found: SlotBuffer, _ base: UnsafeRawPointer) {
        let hash = found.hash(text, base)
        if let last = codes.last.map({ Int($0) }), skeletons[last].hash == hash, add(text, found, base, to: last) {
            return
        }
        if let index = lookup[hash] {
            if !add(text, found, base, to: index) { appendRest(text) }
        } else if skeletons.count < ColumnLimits.skeletons - 1 {
            lookup[hash] = skeletons.count
            skeletons.append(Skeleton(hash: hash, text: text, firstSlots: found.slots))
            _ = add(text, found, base, to: skeletons.count - 1)
        } else {
            appendRest(text)
        }
    }

    private mutating func add(
        _ text: TextRange, _ found: SlotBuffer, _ base: UnsafeRawPointer, to index: Int
    ) -> Bool {
        if skeletons[index].rows > 0 {
            guard found.hasPieces(of: skeletons[index].text, skeletons[index].firstSlots, text, base) else {
                return false
            }
        }
        codes.append(UInt16(index))
        skeletons[index].rows += 1
        skeletons[index].slots.append(contentsOf: found.slots)
        return true
    }

    /// A text that no skeleton has a place for: one slot, and nothing around it.
    private mutating func appendRest(_ text: TextRange) {
        let index = restIndex(text)
        codes.append(UInt16(index))
        skeletons[index].rows += 1
        skeletons[index].slots.append(text)
    }

    private mutating func restIndex(_ text: TextRange) -> Int {
        if let rest { return rest }
        skeletons.append(Skeleton(hash: 0, text: text, firstSlots: [text]))
        rest = skeletons.count - 1
        return skeletons.count - 1
    }

    /// Puts the texts of skeletons that very few rows have to those without one: columns of their own cost more.
    mutating func gatherRare(_ texts: [TextRange]) {
        var places = [Int?](repeating: nil, count: skeletons.count)
        var kept: [Skeleton] = []
        for index in skeletons.indices where index != rest && skeletons[index].rows >= Self.fewestRows {
            places[index] = kept.count
            kept.append(skeletons[index])
        }
        guard kept.count < skeletons.count, !kept.isEmpty else { return }
        var gathered: [TextRange] = []
        for row in codes.indices {
            if let place = places[Int(codes[row])] {
                codes[row] = UInt16(place)
            } else {
                codes[row] = UInt16(kept.count)
                gathered.append(texts[row])
            }
        }
        var remainder = Skeleton(hash: 0, text: gathered[0], firstSlots: [gathered[0]])
        (remainder.rows, remainder.slots) = (gathered.count, gathered)
        kept.append(remainder)
        skeletons = kept
    }

    /// A skeleton that fewer rows have is none.
    private static let fewestRows = 4
}

extension ColumnEncoder {
    /// Writes the texts by skeletons, if a sample says that they have some in common.
    ///
    /// - Returns: false if nothing was written.
    mutating func encodeSkeletons(
        _ ranges: [TextRange], _ shape: TextShape, depth: Int, _ edges: TextEdges
    ) throws(BytesError) -> Bool {
        guard shape.bytes / ranges.count >= 4, isWorthSplitting(ranges, depth: depth) else { return false }
        var table = SkeletonTable()
        let splitter = TextSplitter()
        var found = SlotBuffer()
        for range in ranges {
            if depth == 0 {
                splitter.splitLine(base, range, into: &found)
            } else {
                splitter.split(base, range, into: &found)
            }
            table.append(range, found, base)
        }
        table.gatherRare(ranges)
        head.write(ColumnKind.skeletons.rawValue)
        shape.writeLengths(to: &head)
        head.writeUnsignedVarint(UInt32(table.skeletons.count))
        try encodeCodes(table.codes, below: table.skeletons.count)
        for skeleton in table.skeletons { writePieces(skeleton, edges) }
        if depth == 0 { endRegion() }
        for skeleton in table.skeletons { try encodeSlots(skeleton, depth: depth, edges) }
        return true
    }

    private func isWorthSplitting(_ ranges: [TextRange], depth: Int) -> Bool {
        let splitter = TextSplitter()
        var found = SlotBuffer()
        var hashes: Set<UInt64> = []
        let sample = min(ranges.count, 64)
        var slots = 0
        for index in 0..<sample {
            let range = ranges[index * ranges.count / sample]
            if depth == 0 {
                splitter.splitLine(base, range, into: &found)
            } else {
                splitter.split(base, range, into: &found)
            }
            let isWhole = found.slots.count == 1 && found.slots[0] == range
            if isWhole { continue }
            slots += found.slots.count
            hashes.insert(found.hash(range, base))
        }
        return slots > 0 && hashes.count <= max(1, sample / (depth == 0 ? 2 : 4))
    }

    private mutating func writePieces(_ skeleton: SkeletonTable.Skeleton, _ edges: TextEdges) {
        head.writeUnsignedVarint(UInt32(skeleton.rows))
        head.writeUnsignedVarint(UInt32(skeleton.slotCount))
        var start = skeleton.text.start
        for index in 0...skeleton.slotCount {
            let end = index < skeleton.slotCount ? skeleton.slots[index].start : skeleton.text.end
            let piece = TextRange(start: start, end: end)
            head.writeUnsignedVarint(UInt32(piece.count))
            head.write(contentsOf: piece.bytes(of: base))
            if edges.areTokensWanted {
                collectTokens(of: piece, isFirst: index == 0, isLast: index == skeleton.slotCount)
            }
            if index < skeleton.slotCount { start = skeleton.slots[index].end }
        }
    }

    /// The tokens of a literal piece, without those that reach into a slot: these come with the slot's texts.
    private mutating func collectTokens(of piece: TextRange, isFirst: Bool, isLast: Bool) {
        let bytes = UnsafeRawBufferPointer(start: base, count: count)
        var inner = piece
        let classes = Token.classes
        if !isFirst {
            while inner.start < inner.end, classes[Int(bytes[Int(inner.start)])] != 0 { inner.start += 1 }
        }
        if !isLast {
            while inner.end > inner.start, classes[Int(bytes[Int(inner.end) - 1])] != 0 { inner.end -= 1 }
        }
        tokens.insert(tokensOf: inner, in: bytes)
    }

    private mutating func encodeSlots(
        _ skeleton: SkeletonTable.Skeleton, depth: Int, _ edges: TextEdges
    ) throws(BytesError) {
        let count = skeleton.slotCount
        let classes = Token.classes
        for slot in 0..<count {
            let first = skeleton.slots[slot]
            let pieceStart = slot > 0 ? skeleton.slots[slot - 1].end : skeleton.text.start
            let pieceEnd = slot + 1 < count ? skeleton.slots[slot + 1].start : skeleton.text.end
            var own = edges
            if first.start > pieceStart {
                own.left = classes[Int(base.load(fromByteOffset: Int(first.start) - 1, as: UInt8.self))] == 0
            }
            if first.end < pieceEnd {
                own.right = classes[Int(base.load(fromByteOffset: Int(first.end), as: UInt8.self))] == 0
            }
            var ranges: [TextRange] = []
            ranges.reserveCapacity(skeleton.rows)
            var index = slot
            while index < skeleton.slots.count {
                ranges.append(skeleton.slots[index])
                index += count
            }
            let isWhole = count == 1 && pieceStart == first.start && pieceEnd == first.end
            try encodeColumn(ranges, depth: isWhole ? ColumnLimits.depth : depth + 1, own)
            if depth == 0 { endRegion() }
        }
    }
}
