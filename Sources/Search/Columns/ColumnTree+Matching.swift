import Bytes

extension ColumnTree {
    /// The rows of a column that satisfy a test. Nothing is decoded that lengths, characters, dictionaries and literal
    /// pieces make unnecessary.
    func select(_ index: Int, _ test: TextTest) throws(BytesError) -> RowSelection {
        let node = nodes[index]
        if test.text.isEmpty, test.place != .equal { return .all }
        guard test.canHold(shortest: node.shortest, longest: node.longest, characters: node.characters) else {
            return .none
        }
        switch node.kind {
        case .constant: return test.holds(node.text.bytes(of: head)) ? .all : .none
        case .dictionary: return try selectEntries(index, test)
        case .plain: return try selectPlain(index, test)
        case .integers where test.place == .equal && !test.ignoresCase: return try selectNumber(node, test)
        case .integers, .digits, .decimals, .hexadecimal: return try selectEach(index, test)
        case .skeletons:
            var steps = SkeletonMatch.maximumSteps
            if let rows = try selectSkeletons(index, test, &steps) { return rows }
            return try selectEach(index, test)
        }
    }

    private func selectEntries(_ index: Int, _ test: TextTest) throws(BytesError) -> RowSelection {
        let texts = try ownTexts(index)
        var hits = [Bool](repeating: false, count: texts.ranges.count)
        var count = 0
        texts.bytes.withUnsafeBytes { bytes in
            for (code, range) in texts.ranges.enumerated() where test.holds(range.bytes(of: bytes)) {
                hits[code] = true
                count += 1
            }
        }
        if count == 0 { return .none }
        if count == hits.count { return .all }
        var rows = RowBitmap(count: nodes[index].rows)
        for (row, code) in try codes(index).enumerated() where hits[Int(code)] { rows.insert(row) }
        return RowSelection(rows)
    }

    private func selectPlain(_ index: Int, _ test: TextTest) throws(BytesError) -> RowSelection {
        let texts = try ownTexts(index)
        var rows = RowBitmap(count: nodes[index].rows)
        texts.bytes.withUnsafeBytes { bytes in
            if test.place == .contained {
                selectContaining(bytes, texts.ranges, test, &rows)
            } else {
                for (row, range) in texts.ranges.enumerated() where test.holds(range.bytes(of: bytes)) {
                    rows.insert(row)
                }
            }
        }
        return RowSelection(rows)
    }

    /// Searches all texts at once: they stand one behind the other, in the order of rows.
    private func selectContaining(
        _ bytes: UnsafeRawBufferPointer, _ ranges: [TextRange], _ test: TextTest, _ rows: inout RowBitmap
    ) {
        var (row, start) = (0, 0)
        while let found = test.first(in: bytes, from: start) {
            while row < ranges.count, Int(ranges[row].end) <= found { row += 1 }
            guard row < ranges.count else { return }
            if found + test.text.count <= Int(ranges[row].end) {
                rows.insert(row)
                start = Int(ranges[row].end)
            } else {
                start = found + 1
            }
        }
    }

    private func selectNumber(_ node: Node, _ test: TextTest) throws(BytesError) -> RowSelection {
        guard let wanted = DecimalText.canonical(test.text), node.numbers.contains(wanted) else { return .none }
        if node.numbers.lowerBound == node.numbers.upperBound { return .all }
        var rows = RowBitmap(count: node.rows)
        for (row, value) in try integers(node.values, count: node.rows).enumerated() where value == wanted {
            rows.insert(row)
        }
        return RowSelection(rows)
    }

    /// The texts of all rows of a column, kept.
    func allTexts(_ index: Int) throws(BytesError) -> DecodedTexts {
        if let known = cache.all[index] { return known }
        let texts = try texts(index, rows: nil)
        cache.all[index] = texts
        return texts
    }

    private func selectEach(_ index: Int, _ test: TextTest) throws(BytesError) -> RowSelection {
        let texts = try allTexts(index)
        var rows = RowBitmap(count: nodes[index].rows)
        texts.bytes.withUnsafeBytes { bytes in
            if test.place == .contained {
                selectContaining(bytes, texts.ranges, test, &rows)
            } else {
                for (row, range) in texts.ranges.enumerated() where test.holds(range.bytes(of: bytes)) {
                    rows.insert(row)
                }
            }
        }
        return RowSelection(rows)
    }

    /// Nil if there are too many ways to lay the text over the skeletons.
    private func selectSkeletons(
        _ index: Int, _ test: TextTest, _ steps: inout Int
    ) throws(BytesError) -> RowSelection? {
        let node = nodes[index]
        var found: [RowSelection] = []
        for skeleton in node.skeletons {
            var match = SkeletonMatch(tree: self, skeleton: skeletons[skeleton], test: test, steps: steps)
            guard let rows = try match.select() else { return nil }
            steps = match.steps
            found.append(rows)
        }
        return try combine(found, index)
    }

    /// The rows of a column by what was found of each skeleton's rows.
    func combine(_ found: [RowSelection], _ index: Int) throws(BytesError) -> RowSelection {
        if found.allSatisfy({ $0 == .none }) { return .none }
        if found.allSatisfy({ $0 == .all }) { return .all }
        if found.count == 1 { return found[0] }
        let places = try places(index)
        var rows = RowBitmap(count: nodes[index].rows)
        for (selection, places) in zip(found, places) {
            switch selection {
            case .none: break
            case .all: for row in places { rows.insert(Int(row)) }
            case .some(let own): own.forEach { rows.insert(Int(places[$0])) }
            }
        }
        return RowSelection(rows)
    }
}
