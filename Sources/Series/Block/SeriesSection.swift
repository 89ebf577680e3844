import Bytes
import Columns

/// Writes the series of a table: docs/formats/series-block.md, "Series".
enum SeriesSection {
    /// The codes of this many series are packed together.
    static let codesPerPart = 4096
    /// At most this many values stand in one part.
    static let valuesPerPart = 1024
    /// And about this many bytes of them.
    static let valueBytesPerPart = 64 << 10
    /// Series in one part of an inverted index, unless one value alone has more.
    static let ordinalsPerPart = 4096

    /// The most bytes that the values of one tag may have in a block: 1 GiB.
    static let maximumValueBytes = 1 << 30

    /// How an inverted index is there.
    static let noPostings: UInt8 = 0
    static let hasPostings: UInt8 = 1
    /// Forms of a part of it.
    static let lists: UInt8 = 0
    static let bitmap: UInt8 = 1

    /// Appends the section.
    ///
    /// - Throws: `.invalid` if the series are not in their order.
    static func encode(
        _ series: consuming SeriesColumns, present: OrdinalSet, into writer: inout ByteWriter
    ) throws(SeriesError) {
        let order = ValueOrder.sort(&series)
        try check(series, order)
        var absent = present
        absent.invert()
        let members = absent.members.map(Int64.init)
        writer.writeUnsignedVarint(UInt32(members.count))
        IntegerCodec.encode(members, into: &writer)
        for column in series.tagKeys.indices {
            encode(order[column], codes: series.codes[column], into: &writer)
        }
    }

    /// The series must ascend strictly; codes are those of sorted values by now.
    private static func check(_ series: SeriesColumns, _ values: [ByteStrings]) throws(SeriesError) {
        let hasMissing = values.map { $0.count > 0 && $0.offsets[1] == 0 }
        func isMissing(_ column: Int, _ ordinal: Int) -> Bool {
            hasMissing[column] && series.codes[column][ordinal] == 0
        }
        let columns = series.tagKeys.indices
        for ordinal in 1..<max(1, series.count) {
            guard let column = columns.first(where: { series.codes[$0][ordinal - 1] != series.codes[$0][ordinal] })
            else {
                throw SeriesError(.invalid, "series \(ordinal) is there twice")
            }
            var isAscending = series.codes[column][ordinal - 1] < series.codes[column][ordinal]
            // Who has no such tag: is it the end of the key, which goes first, or is there a later key, which goes last?
            if isMissing(column, ordinal - 1) {
                isAscending = !columns[(column + 1)...].contains { !isMissing($0, ordinal - 1) }
            } else if isMissing(column, ordinal) {
                isAscending = columns[(column + 1)...].contains { !isMissing($0, ordinal) }
            }
            guard isAscending else { throw SeriesError(.invalid, "series \(ordinal) is not in its place") }
        }
    }

    /// A tag: directory, then parts of values, of codes, of the inverted index.
    private static func encode(_ values: ByteStrings, codes: [UInt32], into writer: inout ByteWriter) {
        var parts = ByteWriter(capacity: 1 << 12)
        writer.writeUnsignedVarint(UInt32(values.count))
        encodeValues(values, directory: &writer, parts: &parts)
        for start in stride(from: 0, to: codes.count, by: codesPerPart) {
            let before = parts.count
            IntegerCodec.encode(codes[start..<min(codes.count, start + codesPerPart)].map(Int64.init), into: &parts)
            writer.writeUnsignedVarint(UInt32(parts.count - before))
        }
        // With fewer than two series to a value the index would be as long as the codes, and passing over those is
        // about as fast.
        if values.count * 2 <= codes.count {
            writer.write(hasPostings)
            encodePostings(values.count, codes, directory: &writer, parts: &parts)
        } else {
            writer.write(noPostings)
        }
        parts.withUnsafeBytes { writer.write(contentsOf: $0) }
    }

    private static func encodeValues(
        _ values: ByteStrings, directory: inout ByteWriter, parts: inout ByteWriter
    ) {
        var bounds = [0]
        for index in 0..<values.count {
            let start = bounds[bounds.count - 1]
            let bytes = Int(values.offsets[index + 1] - values.offsets[start])
            if index > start, index - start >= valuesPerPart || bytes > valueBytesPerPart { bounds.append(index) }
        }
        if values.count > 0 { bounds.append(values.count) }
        directory.writeUnsignedVarint(UInt32(bounds.count - 1))
        for (start, end) in zip(bounds, bounds.dropFirst()) {
            let before = parts.count
            ValuePart.encode(values, start..<end, into: &parts)
            directory.writeUnsignedVarint(UInt32(end - start))
            directory.writeBytes(values.withString(start) { [UInt8]($0) })
            directory.writeUnsignedVarint(UInt32(parts.count - before))
        }
    }

    private static func encodePostings(
        _ valueCount: Int, _ codes: [UInt32], directory: inout ByteWriter, parts: inout ByteWriter
    ) {
        // Counting sort: the ordinals by code.
        var ends = [Int](repeating: 0, count: valueCount + 1)
        for code in codes { ends[Int(code) + 1] += 1 }
        for code in 0..<valueCount { ends[code + 1] += ends[code] }
        var (places, ordinals) = (ends, [Int64](repeating: 0, count: codes.count))
        for (ordinal, code) in codes.enumerated() {
            ordinals[places[Int(code)]] = Int64(ordinal)
            places[Int(code)] += 1
        }
        var bounds = [0]
        for code in 0..<valueCount {
            let start = bounds[bounds.count - 1]
            let isFull = code - start >= valuesPerPart || ends[code + 1] - ends[start] > ordinalsPerPart
            if code > start, isFull { bounds.append(code) }
        }
        if valueCount > 0 { bounds.append(valueCount) }
        directory.writeUnsignedVarint(UInt32(bounds.count - 1))
        for (start, end) in zip(bounds, bounds.dropFirst()) {
            let before = parts.count
            PostingPart.encode(ordinals, ends[start...end], universe: codes.count, into: &parts)
            directory.writeUnsignedVarint(UInt32(end - start))
            directory.writeUnsignedVarint(UInt32(parts.count - before))
        }
    }
}

/// Sorts the values of tags, and gives the codes anew.
enum ValueOrder {
    static func sort(_ series: inout SeriesColumns) -> [ByteStrings] {
        var sorted: [ByteStrings] = []
        for column in series.tagKeys.indices {
            let values = series.values[column]
            guard let order = order(of: values) else {
                sorted.append(values)
                continue
            }
            var strings = ByteStrings()
            var codes = [UInt32](repeating: 0, count: values.count)
            strings.bytes.reserveCapacity(values.bytes.count)
            for (place, old) in order.enumerated() {
                values.withString(Int(old)) { strings.append($0) }
                codes[Int(old)] = UInt32(place)
            }
            sorted.append(strings)
            for ordinal in series.codes[column].indices {
                series.codes[column][ordinal] = codes[Int(series.codes[column][ordinal])]
            }
        }
        return sorted
    }

    /// The indices in order, or nil if they are so already.
    static func order(of values: ByteStrings) -> [UInt32]? {
        let isSorted = (1..<max(1, values.count)).allSatisfy { compare(values, $0 - 1, $0) < 0 }
        if isSorted { return nil }
        // Most comparisons end within the first bytes, which stand beside the index.
        var keys: [(prefix: UInt64, index: UInt32)] = []
        keys.reserveCapacity(values.count)
        for index in 0..<values.count {
            let prefix = values.withString(index) { string in
                var prefix: UInt64 = 0
                for place in 0..<8 { prefix = prefix &<< 8 | (place < string.count ? UInt64(string[place]) : 0) }
                return prefix
            }
            keys.append((prefix, UInt32(index)))
        }
        keys.sort { left, right in
            if left.prefix != right.prefix { return left.prefix < right.prefix }
            return compare(values, Int(left.index), Int(right.index)) < 0
        }
        return keys.map(\.index)
    }

    private static func compare(_ values: ByteStrings, _ left: Int, _ right: Int) -> Int {
        values.withString(left) { left in values.withString(right) { SeriesKey.compare(left, $0) } }
    }
}
