import Bytes
import Columns

/// What was decoded of a column's nodes, kept for whoever asks next.
struct ColumnCache {
    var codes: [Int: [UInt16]] = [:]
    var places: [Int: [[UInt32]]] = [:]
    /// Dictionaries, and plain columns.
    var texts: [Int: DecodedTexts] = [:]
    /// All rows' texts of other columns.
    var all: [Int: DecodedTexts] = [:]
}

/// Texts in memory, one range each; several may share one.
struct DecodedTexts {
    var bytes: [UInt8] = []
    var ranges: [TextRange] = []
}

extension ColumnTree {
    /// The codes of a dictionary, or of skeletons.
    func codes(_ index: Int) throws(BytesError) -> [UInt16] {
        if let known = cache.codes[index] { return known }
        let node = nodes[index]
        let bound = node.kind == .dictionary ? node.entries.count : node.skeletons.count
        let codes: [UInt16]
        if node.isCompressed {
            let bytes = try decompress(node.values, count: node.rows)
            codes = bytes.map { UInt16($0) }
        } else {
            let width = BitPacking.width(UInt64(bound - 1))
            let source = try bytes(node.values)
            guard source.count == BitPacking.byteCount(node.rows, width: width) else {
                throw Self.malformed("codes of another number")
            }
            codes = [UInt16](unsafeUninitializedCapacity: node.rows) { target, count in
                withUnsafeTemporaryAllocation(of: UInt64.self, capacity: max(1, node.rows)) { words in
                    let words = UnsafeMutableBufferPointer(rebasing: words[..<node.rows])
                    BitPacking.unpack(source, width: width, into: words)
                    for row in 0..<node.rows { target[row] = UInt16(truncatingIfNeeded: words[row]) }
                }
                count = node.rows
            }
        }
        guard codes.allSatisfy({ Int($0) < bound }) else { throw Self.malformed("a code without a text") }
        cache.codes[index] = codes
        return codes
    }

    /// For each skeleton of a node its rows, ascending.
    func places(_ index: Int) throws(BytesError) -> [[UInt32]] {
        if let known = cache.places[index] { return known }
        let node = nodes[index]
        if node.skeletons.count == 1 {
            // Lines of one program are alike as a rule: nothing has to be told apart.
            guard skeletons[node.skeletons.lowerBound].rows == node.rows else {
                throw Self.malformed("a skeleton of other rows")
            }
            let all = [Array(0..<UInt32(truncatingIfNeeded: node.rows))]
            cache.places[index] = all
            return all
        }
        let codes = try codes(index)
        var places = node.skeletons.map { skeleton in
            var rows: [UInt32] = []
            rows.reserveCapacity(skeletons[skeleton].rows)
            return rows
        }
        for (row, code) in codes.enumerated() { places[Int(code)].append(UInt32(truncatingIfNeeded: row)) }
        for (skeleton, rows) in zip(node.skeletons, places) where rows.count != skeletons[skeleton].rows {
            throw Self.malformed("a skeleton of other rows")
        }
        cache.places[index] = places
        return places
    }

    /// The integers of a part.
    func integers(_ part: Part, count: Int) throws(BytesError) -> [Int64] {
        try IntegerCodec.decodeAll(try bytes(part), count: count)
    }

    private func decompress(_ part: Part, count: Int) throws(BytesError) -> [UInt8] {
        let source = try bytes(part)
        var failure: BytesError?
        let result = [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            do throws(BytesError) {
                try zstd.decompress(
                    source,
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[..<count]))
                filled = count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return result
    }

    /// The texts of a plain column, or of a dictionary outside the head.
    private func storedTexts(_ node: Node, count: Int) throws(BytesError) -> DecodedTexts {
        let parts = node.textParts
        var texts = DecodedTexts()
        texts.bytes =
            parts.isCompressed ? try decompress(parts.bytes, count: parts.byteCount) : [UInt8](try bytes(parts.bytes))
        texts.ranges.reserveCapacity(count)
        var end = 0
        for length in try integers(parts.lengths, count: count) {
            guard length >= node.shortest, length <= node.longest, Int(length) <= parts.byteCount - end else {
                throw Self.malformed("a text's length")
            }
            texts.ranges.append(TextRange(start: UInt32(end), end: UInt32(end + Int(length))))
            end += Int(length)
        }
        guard end == parts.byteCount else { throw Self.malformed("texts shorter than their bytes") }
        return texts
    }

    /// The distinct texts of a dictionary, the one text of a constant, or every row's text of a plain column.
    func ownTexts(_ index: Int) throws(BytesError) -> DecodedTexts {
        if let known = cache.texts[index] { return known }
        let node = nodes[index]
        let texts: DecodedTexts
        switch node.kind {
        case .plain: texts = try storedTexts(node, count: node.rows)
        case .dictionary where node.textParts.lengths.count > 0 || node.textParts.byteCount > 0:
            texts = try storedTexts(node, count: node.entries.count)
        case .dictionary:
            var collected = DecodedTexts()
            for entry in entries[node.entries] { collected.append(entry.text.bytes(of: head)) }
            texts = collected
        case .constant:
            var collected = DecodedTexts()
            collected.append(node.text.bytes(of: head))
            texts = collected
        case .integers, .digits, .decimals, .hexadecimal, .skeletons: return DecodedTexts()
        }
        cache.texts[index] = texts
        return texts
    }
}

extension DecodedTexts {
    mutating func append(_ text: UnsafeRawBufferPointer) {
        let start = UInt32(bytes.count)
        bytes.append(contentsOf: text)
        ranges.append(TextRange(start: start, end: UInt32(bytes.count)))
    }
}

extension ColumnTree {
    /// The texts of all rows of a column, or of some, ascending.
    func texts(_ index: Int, rows wanted: [UInt32]?) throws(BytesError) -> DecodedTexts {
        let node = nodes[index]
        switch node.kind {
        case .constant:
            var texts = try ownTexts(index)
            texts.ranges = [TextRange](repeating: texts.ranges[0], count: wanted?.count ?? node.rows)
            return texts
        case .dictionary:
            var texts = try ownTexts(index)
            let (entries, codes) = (texts.ranges, try codes(index))
            texts.ranges = wanted.map { $0.map { entries[Int(codes[Int($0)])] } } ?? codes.map { entries[Int($0)] }
            return texts
        case .plain:
            var texts = try ownTexts(index)
            if let wanted {
                let all = texts.ranges
                texts.ranges = wanted.map { all[Int($0)] }
            }
            return texts
        case .integers, .digits, .decimals: return try numberTexts(node, rows: wanted)
        case .hexadecimal: return try hexTexts(node, rows: wanted)
        case .skeletons: return try skeletonTexts(index, rows: wanted)
        }
    }

    private func numberTexts(_ node: Node, rows wanted: [UInt32]?) throws(BytesError) -> DecodedTexts {
        let values = try integers(node.values, count: node.rows)
        let lengths = node.kind == .digits ? try integers(node.lengths, count: node.rows) : []
        var texts = DecodedTexts()
        texts.bytes.reserveCapacity((wanted?.count ?? node.rows) * node.longest)
        for place in 0..<(wanted?.count ?? node.rows) {
            let row = wanted.map { Int($0[place]) } ?? place
            let start = UInt32(texts.bytes.count)
            var digits = 0
            if node.kind == .digits {
                guard lengths[row] >= 0, lengths[row] <= Int64(DecimalText.maximumDigits) else {
                    throw Self.malformed("a number's length")
                }
                digits = Int(lengths[row])
            }
            DecimalText.append(values[row], digits: digits, scale: node.scale, to: &texts.bytes)
            let end = UInt32(texts.bytes.count)
            guard Int(end - start) <= node.longest, Int(end - start) >= node.shortest else {
                throw Self.malformed("a number of another length")
            }
            texts.ranges.append(TextRange(start: start, end: end))
        }
        return texts
    }

    private func hexTexts(_ node: Node, rows wanted: [UInt32]?) throws(BytesError) -> DecodedTexts {
        let pattern = [UInt8](node.text.bytes(of: head))
        let source = try bytes(node.values)
        let stride = (pattern.count { $0 == 0 } + 1) / 2
        let count = wanted?.count ?? node.rows
        let length = pattern.count
        var texts = DecodedTexts()
        guard count * length <= ColumnLimits.bytes else { throw Self.malformed("too many digits") }
        texts.ranges = (0..<count).map { TextRange(start: UInt32($0 * length), end: UInt32(($0 + 1) * length)) }
        let places = pattern.indices.filter { pattern[$0] == 0 }
        let isPlain = places.count == length && length % 2 == 0
        texts.bytes = [UInt8](unsafeUninitializedCapacity: count * length) { target, filled in
            filled = count * length
            // Safe because the texts' places lie within the target, and the head's reader has seen that the source has
            // a row's bytes for each row.
            guard let output = target.baseAddress, let input = source.baseAddress else { return }
            for place in 0..<count {
                let row = wanted.map { Int($0[place]) } ?? place
                let own = output + place * length
                let digits = input + row * stride
                if isPlain {
                    HexText.write(digits, stride, to: own)
                    continue
                }
                for index in 0..<length { own[index] = pattern[index] }
                for (digit, index) in places.enumerated() {
                    let pair = digits.load(fromByteOffset: digit >> 1, as: UInt8.self)
                    own[index] = HexText.digits[Int(digit & 1 == 0 ? pair >> 4 : pair & 15)]
                }
            }
        }
        return texts
    }
}

extension ColumnTree {
    /// The texts of all rows, or of some, ascending, one behind the other.
    func strings(rows wanted: [UInt32]?) throws(BytesError) -> ByteStrings {
        let texts = try texts(0, rows: wanted)
        var strings = ByteStrings()
        strings.offsets.reserveCapacity(texts.ranges.count + 1)
        if nodes[0].kind == .skeletons {
            for range in texts.ranges { strings.offsets.append(range.end) }
            strings.bytes = texts.bytes
            return strings
        }
        var total = 0
        for range in texts.ranges { total += range.count }
        guard total <= byteLimit else { throw Self.malformed("more bytes than all lines have") }
        strings.bytes.reserveCapacity(total)
        texts.bytes.withUnsafeBytes { bytes in
            for range in texts.ranges { strings.append(range.bytes(of: bytes)) }
        }
        return strings
    }
}
