import Bytes

/// Lays a text over the rows of one skeleton in every way that the literal pieces allow; what falls onto slots is asked
/// of their columns.
struct SkeletonMatch {
    /// The most steps before a search puts the texts together instead.
    static let maximumSteps = 2_000

    let tree: ColumnTree
    let skeleton: ColumnTree.Skeleton
    let test: TextTest
    var steps: Int

    private func piece(_ index: Int) -> UnsafeRawBufferPointer {
        tree.pieces[skeleton.firstPiece + index].bytes(of: tree.head)
    }

    private var text: UnsafeRawBufferPointer { test.text }

    /// The skeleton's own rows; nil if that takes too many steps.
    mutating func select() throws(BytesError) -> RowSelection? {
        switch test.place {
        case .equal: return try matchFrom(piece: 0, 0, toEnd: true)
        case .prefix: return try matchFrom(piece: 0, 0, toEnd: false)
        case .suffix: return try matchBackwards(piece: skeleton.slots, text.count)
        case .contained: return try contained()
        }
    }

    /// Rows in which the wanted text from `place` on stands where a piece begins.
    private mutating func matchFrom(piece index: Int, _ place: Int, toEnd: Bool) throws(BytesError) -> RowSelection? {
        steps -= 1
        guard steps > 0 else { return nil }
        let piece = piece(index)
        let rest = text.count - place
        let overlap = min(rest, piece.count)
        guard agrees(place, piece, 0, overlap) else { return RowSelection.none }
        if rest <= piece.count, !toEnd { return .all }
        if index == skeleton.slots { return rest == piece.count ? .all : RowSelection.none }
        // With `toEnd`, what is left may be nothing: the slots and pieces that follow must be empty then.
        guard rest >= piece.count else { return RowSelection.none }
        return try matchSlot(index, place + piece.count, toEnd: toEnd)
    }

    /// Rows in which the wanted text from `place` on stands where a slot begins.
    private mutating func matchSlot(_ slot: Int, _ place: Int, toEnd: Bool) throws(BytesError) -> RowSelection? {
        let child = tree.children[skeleton.firstChild + slot]
        let next = piece(slot + 1)
        var result: RowSelection = .none
        if !toEnd {
            result = try tree.select(child, test.with(.prefix, place..<text.count))
            if result == .all { return .all }
        }
        let isLast = slot + 1 == skeleton.slots
        guard !isLast || !toEnd || text.count - next.count >= place else { return result }
        for end in (isLast && toEnd ? text.count - next.count : place)...text.count {
            let overlap = min(next.count, text.count - end)
            // The text ends within the slot: that is the prefix of above.
            if overlap == 0, !toEnd { continue }
            guard agrees(end, next, 0, overlap) else { continue }
            var rows = try tree.select(child, test.with(.equal, place..<end))
            guard rows != .none else { continue }
            guard let rest = try matchFrom(piece: slot + 1, end, toEnd: toEnd) else { return nil }
            rows = rows.intersection(rest)
            result = result.union(rows)
        }
        return result
    }

    /// Rows that end, up to a piece's end, with the wanted text up to `end`.
    private mutating func matchBackwards(piece index: Int, _ end: Int) throws(BytesError) -> RowSelection? {
        steps -= 1
        guard steps > 0 else { return nil }
        let piece = piece(index)
        let overlap = min(end, piece.count)
        guard agrees(end - overlap, piece, piece.count - overlap, overlap) else { return RowSelection.none }
        if end <= piece.count { return .all }
        if index == 0 { return RowSelection.none }
        let slotEnd = end - piece.count
        let child = tree.children[skeleton.firstChild + index - 1]
        var result = try tree.select(child, test.with(.suffix, 0..<slotEnd))
        if result == .all { return .all }
        let previous = self.piece(index - 1)
        for start in 1...slotEnd {
            let overlap = min(start, previous.count)
            guard overlap > 0, agrees(start - overlap, previous, previous.count - overlap, overlap) else { continue }
            let rows = try tree.select(child, test.with(.equal, start..<slotEnd))
            guard rows != .none else { continue }
            guard let rest = try matchBackwards(piece: index - 1, start) else { return nil }
            result = result.union(rows.intersection(rest))
        }
        return result
    }

    private mutating func contained() throws(BytesError) -> RowSelection? {
        var result: RowSelection = .none
        for index in 0...skeleton.slots {
            let piece = piece(index)
            if test.first(in: piece) != nil { return .all }
            guard index < skeleton.slots else { break }
            // It begins within the piece and reaches beyond it.
            for start in max(0, piece.count - text.count + 1)..<piece.count {
                let overlap = piece.count - start
                guard agrees(0, piece, start, overlap) else { continue }
                guard let rows = try matchSlot(index, overlap, toEnd: false) else { return nil }
                result = result.union(rows)
                if result == .all { return .all }
            }
            guard let rows = try startingInSlot(index) else { return nil }
            result = result.union(rows)
            if result == .all { return .all }
        }
        return result
    }

    /// It lies within a slot, or begins there and reaches beyond it.
    private mutating func startingInSlot(_ slot: Int) throws(BytesError) -> RowSelection? {
        let child = tree.children[skeleton.firstChild + slot]
        var result = try tree.select(child, test)
        let next = piece(slot + 1)
        guard !next.isEmpty, text.count > 1 else { return result }
        for end in 1..<text.count {
            guard agrees(end, next, 0, min(next.count, text.count - end)) else { continue }
            let rows = try tree.select(child, test.with(.suffix, 0..<end))
            guard rows != .none else { continue }
            guard let rest = try matchFrom(piece: slot + 1, end, toEnd: false) else { return nil }
            result = result.union(rows.intersection(rest))
        }
        return result
    }

    /// Whether `count` bytes of the wanted text are those of a piece.
    private func agrees(_ place: Int, _ piece: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Bool {
        guard count > 0 else { return true }
        let byte = piece[start]
        guard text[place] == byte || test.ignoresCase && text[place] == TextTest.lower(byte) else { return false }
        return test.agrees(
            UnsafeRawBufferPointer(rebasing: text[place..<place + count]),
            UnsafeRawBufferPointer(rebasing: piece[start..<start + count]))
    }
}
