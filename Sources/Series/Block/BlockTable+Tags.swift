import Bytes
import Columns

extension BlockTable {
    /// The series, of those that have rows, whose tags satisfy a condition.
    public func matching(_ predicate: TagPredicate) throws(SeriesError) -> OrdinalSet {
        let index = try series()
        var set = try evaluate(predicate, index)
        set.formIntersection(index.present)
        return set
    }

    private func evaluate(_ predicate: TagPredicate, _ index: SeriesIndex) throws(SeriesError) -> OrdinalSet {
        switch predicate {
        case .all: return OrdinalSet(universe: seriesCount, full: true)
        case .equals(let key, let value):
            guard let column = index.columns.first(where: { $0.key == key }) else {
                return OrdinalSet(universe: seriesCount, full: value.isEmpty)
            }
            return try series(of: column, with: value)
        case .satisfies(let key, let test):
            guard let column = index.columns.first(where: { $0.key == key }) else {
                return OrdinalSet(universe: seriesCount, full: test(UnsafeRawBufferPointer(start: nil, count: 0)))
            }
            return try series(of: column, satisfying: test)
        case .and(let parts):
            var set = OrdinalSet(universe: seriesCount, full: true)
            for part in parts where !set.isEmpty { set.formIntersection(try evaluate(part, index)) }
            return set
        case .or(let parts):
            var set = OrdinalSet(universe: seriesCount)
            for part in parts { set.formUnion(try evaluate(part, index)) }
            return set
        case .not(let part):
            var set = try evaluate(part, index)
            set.invert()
            return set
        }
    }

    private func series(of column: TagColumn, with value: [UInt8]) throws(SeriesError) -> OrdinalSet {
        var set = OrdinalSet(universe: seriesCount)
        guard let code = try code(of: value, in: column) else { return set }
        guard let postings = column.postings else {
            try visitCodes(of: column) { ordinal, found in if found == code { set.insert(ordinal) } }
            return set
        }
        guard let part = postings.last(where: { $0.firstCode <= code }) else { return set }
        try decoding("tag index", at: part.range) { () throws(BytesError) in
            try PostingPart.decode(bytes(part.range), place: code - part.firstCode, count: part.count, into: &set)
        }
        return set
    }

    private func series(
        of column: TagColumn, satisfying test: (UnsafeRawBufferPointer) -> Bool
    ) throws(SeriesError) -> OrdinalSet {
        let values = try values(of: column)
        let passes = (0..<values.count).map { values.withString($0, test) }
        var set = OrdinalSet(universe: seriesCount)
        if passes.allSatisfy({ $0 }) { return OrdinalSet(universe: seriesCount, full: true) }
        guard passes.contains(true) else { return set }
        try visitCodes(of: column) { ordinal, code in
            if passes[code] { set.insert(ordinal) }
        }
        return set
    }

    /// The code of a value.
    private func code(of value: [UInt8], in column: TagColumn) throws(SeriesError) -> Int? {
        guard let part = column.valuePart(of: value).map({ column.values[$0] }) else { return nil }
        let values = try values(of: [part])
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            let order = values.withString(middle) { found in value.withUnsafeBytes { SeriesKey.compare(found, $0) } }
            if order == 0 { return part.firstCode + middle }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// All values of a tag, sorted; their codes are their indices.
    func values(of column: TagColumn) throws(SeriesError) -> ByteStrings { try values(of: column.values) }

    func values(of parts: [TagColumn.ValuePart]) throws(SeriesError) -> ByteStrings {
        var values = ByteStrings()
        for part in parts {
            try decoding("tag values", at: part.range) { () throws(BytesError) in
                try ValuePart.decode(bytes(part.range), count: part.count, into: &values)
            }
        }
        return values
    }

    /// The codes of a part of a column, all below the number of values.
    func codes(of column: TagColumn, part: Int) throws(SeriesError) -> [Int64] {
        let range = column.codes[part]
        let count = min(SeriesSection.codesPerPart, seriesCount - part * SeriesSection.codesPerPart)
        return try decoding("tag codes", at: range) { () throws(BytesError) in
            let codes = try IntegerCodec.decodeAll(bytes(range), count: count)
            var largest: UInt64 = 0
            for code in codes { largest = max(largest, UInt64(bitPattern: code)) }
            guard largest < UInt64(column.valueCount) else {
                throw BytesError(code: .malformed, message: "the code \(largest) of \(column.valueCount) values")
            }
            return codes
        }
    }

    private func visitCodes(of column: TagColumn, _ visit: (_ ordinal: Int, _ code: Int) -> Void) throws(SeriesError) {
        for part in column.codes.indices {
            let codes = try codes(of: column, part: part)
            let start = part * SeriesSection.codesPerPart
            for index in codes.indices { visit(start + index, Int(codes[index])) }
        }
    }

    /// The tags of some series, by columns; the series keep their order. Values are those that these series have.
    ///
    /// - Parameters:
    ///   - ordinals: ascending; nil for all series of the table, also those without rows.
    ///   - keys: which tags; nil for all. A key that the table does not have gives a column of "".
    public func columns(of ordinals: [UInt32]?, keys: [[UInt8]]? = nil) throws(SeriesError) -> SeriesColumns {
        let index = try series()
        let ordinals = ordinals?.count == seriesCount ? nil : ordinals
        let keys = keys ?? tagKeys
        let count = ordinals?.count ?? seriesCount
        var result = SeriesColumns(count: count, tagKeys: keys, values: [], codes: [])
        for key in keys {
            guard let column = index.columns.first(where: { $0.key == key }) else {
                result.values.append(ByteStrings(bytes: [], offsets: [0, 0]))
                result.codes.append([UInt32](repeating: 0, count: count))
                continue
            }
            var codes = try codes(of: column, for: ordinals)
            result.values.append(try compact(&codes, column, all: ordinals == nil))
            result.codes.append(codes)
        }
        return result
    }

    private func codes(of column: TagColumn, for ordinals: [UInt32]?) throws(SeriesError) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(ordinals?.count ?? seriesCount)
        guard let ordinals else {
            for part in column.codes.indices {
                for code in try codes(of: column, part: part) { result.append(UInt32(code)) }
            }
            return result
        }
        var (loaded, part): ([Int64], Int) = ([], -1)
        for ordinal in ordinals {
            guard Int(ordinal) < seriesCount else { throw SeriesError(.invalid, "series \(ordinal) of \(seriesCount)") }
            if Int(ordinal) / SeriesSection.codesPerPart != part {
                part = Int(ordinal) / SeriesSection.codesPerPart
                loaded = try codes(of: column, part: part)
            }
            result.append(UInt32(loaded[Int(ordinal) % SeriesSection.codesPerPart]))
        }
        return result
    }

    /// Replaces codes by indices into the values that are used, which it returns, sorted as they were.
    private func compact(_ codes: inout [UInt32], _ column: TagColumn, all: Bool) throws(SeriesError) -> ByteStrings {
        if all || column.values.count <= 1 && column.valueCount <= 2 * codes.count { return try values(of: column) }
        var set = OrdinalSet(universe: column.valueCount)
        for code in codes { set.insert(Int(code)) }
        var places = [UInt32](repeating: 0, count: column.valueCount)
        var strings = ByteStrings()
        var (loaded, part) = (ByteStrings(), -1)
        for code in set.members {
            let wanted = column.valuePart(of: Int(code))
            if wanted != part {
                part = wanted
                loaded = try values(of: [column.values[part]])
            }
            places[Int(code)] = UInt32(strings.count)
            loaded.withString(Int(code) - column.values[part].firstCode) { strings.append($0) }
        }
        for index in codes.indices { codes[index] = places[Int(codes[index])] }
        return strings
    }
}

extension SeriesTable {
    /// The same as a scan gives it.
    public init(_ columns: SeriesColumns) {
        self.init(
            count: columns.count,
            values: columns.values.map { values in (0..<values.count).map { values.withString($0) { [UInt8]($0) } } },
            codes: columns.codes)
    }
}
