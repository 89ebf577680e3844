import Bytes
import Columns

extension ColumnTree {
    /// The characters of a column's texts, and perhaps more.
    func characters(_ index: Int) -> ByteSet {
        let node = nodes[index]
        if let characters = node.characters { return characters }
        if node.kind == .constant { return ByteSet(small: node.text.bytes(of: head)) }
        var result = ByteSet()
        for skeleton in skeletons[node.skeletons] {
            for piece in pieces[skeleton.firstPiece...skeleton.firstPiece + skeleton.slots] {
                result = result.union(ByteSet(small: piece.bytes(of: head)))
            }
            for child in children[skeleton.firstChild..<skeleton.firstChild + skeleton.slots] {
                result = result.union(characters(child))
            }
        }
        return result
    }

    /// The rows whose texts are values and satisfy a test.
    func select(
        _ index: Int, _ test: FieldTest, isValue: (UnsafeRawBufferPointer) -> Bool
    ) throws(BytesError) -> RowSelection {
        let node = nodes[index]
        if case .equals(let wanted) = test {
            guard wanted.withUnsafeBytes(isValue) else { return .none }
            return try wanted.withUnsafeBufferPointer { text throws(BytesError) in
                try select(
                    index, TextTest(place: .equal, text: UnsafeRawBufferPointer(text), ignoresCase: false))
            }
        }
        if node.kind == .integers || node.kind == .decimals, case .number(let comparison, let wanted) = test,
            node.longest <= 16
        {
            let power = DecimalText.powers[node.scale]
            var rows = RowBitmap(count: node.rows)
            for (row, value) in try integers(node.values, count: node.rows).enumerated()
            where comparison.holds(Double(value) / power, wanted) {
                rows.insert(row)
            }
            return RowSelection(rows)
        }
        let isShared = node.kind == .constant || node.kind == .dictionary
        let texts = isShared ? try ownTexts(index) : try allTexts(index)
        let hits = texts.bytes.withUnsafeBytes { bytes in
            texts.ranges.map { isValue($0.bytes(of: bytes)) && LineEvaluator.satisfies($0.bytes(of: bytes), test) }
        }
        if !hits.contains(true) { return .none }
        if !hits.contains(false) { return .all }
        var rows = RowBitmap(count: node.rows)
        if isShared {
            for (row, code) in try codes(index).enumerated() where hits[Int(code)] { rows.insert(row) }
        } else {
            for (row, hit) in hits.enumerated() where hit { rows.insert(row) }
        }
        return RowSelection(rows)
    }

    /// A column's texts of all rows, or of some, as a dictionary and codes.
    func textColumn(_ index: Int, rows wanted: [UInt32]?) throws(BytesError) -> TextColumn {
        let node = nodes[index]
        let count = wanted?.count ?? node.rows
        var result = TextColumn(codes: [], dictionary: ByteStrings())
        if node.kind == .constant || node.kind == .dictionary {
            let texts = try ownTexts(index)
            result.dictionary = ByteStrings(bytes: texts.bytes, offsets: [0] + texts.ranges.map(\.end))
            if node.kind == .constant {
                result.codes = [UInt32](repeating: 0, count: count)
            } else {
                let codes = try codes(index)
                result.codes = wanted.map { $0.map { UInt32(codes[Int($0)]) } } ?? codes.map { UInt32($0) }
            }
            return result
        }
        let texts = try texts(index, rows: wanted)
        texts.bytes.withUnsafeBytes { bytes in
            for range in texts.ranges { result.dictionary.append(range.bytes(of: bytes)) }
        }
        result.codes = [UInt32](0..<UInt32(count))
        return result
    }
}

extension ByteSet {
    /// Whether all are ASCII.
    var isASCII: Bool { ByteSet.ascii.isSuperset(of: self) }

    private static let ascii: ByteSet = {
        var set = ByteSet()
        for byte in 0..<128 { set.insert(UInt8(byte)) }
        return set
    }()
}
