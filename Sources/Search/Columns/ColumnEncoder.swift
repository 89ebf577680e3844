import Bytes
import Columns

/// Writes columns of texts: docs/formats/search-block.md, "Columns of texts".
///
/// The head of a column has its structure and what is small; its body has the rest, in regions with a checksum each: one
/// for the column itself, and one for each column of a slot. Memory is kept between columns.
struct ColumnEncoder: ~Copyable {
    var head = ByteWriter(capacity: 4 << 10)
    var body = ByteWriter(capacity: 256 << 10)
    /// Where each region of the body ends.
    private var regionEnds: [Int] = []
    /// The tokens of all texts since it was emptied.
    var tokens = TokenSet()
    let zstd: ZstandardContext
    var scratch = ByteWriter(capacity: 64 << 10)
    var dictionary = TextDictionary()
    /// The bytes that all ranges are of.
    var base: UnsafeRawPointer
    var count = 0

    /// Nil if there is no memory for compression.
    init?() {
        guard let zstd = ZstandardContext() else { return nil }
        self.zstd = zstd
        base = UnsafeRawPointer(head.withUnsafeBytes { $0 }.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!)
    }

    /// Appends a column of at least one row.
    ///
    /// - Parameter areTokensWanted: the texts' tokens are added to `tokens`; each text must be followed by a byte that is
    ///   no part of a token, and have the start of the bytes or such a byte in front.
    mutating func encode(
        _ bytes: UnsafeRawBufferPointer, _ ranges: [TextRange], areTokensWanted: Bool,
        head headTarget: inout ByteWriter, body bodyTarget: inout ByteWriter
    ) throws(BytesError) {
        guard let start = bytes.baseAddress, !ranges.isEmpty else { return }
        base = start
        count = bytes.count
        head.removeAll()
        body.removeAll(keepingAtMost: 8 << 20)
        regionEnds.removeAll(keepingCapacity: true)
        let edges = TextEdges(left: true, right: true, areTokensWanted: areTokensWanted)
        try encodeColumn(ranges, depth: 0, edges)
        if regionEnds.last != body.count || regionEnds.isEmpty { regionEnds.append(body.count) }
        headTarget.writeUnsignedVarint(UInt32(regionEnds.count))
        var regionStart = 0
        for end in regionEnds {
            headTarget.writeUnsignedVarint(UInt32(end - regionStart))
            headTarget.write(body.withUnsafeBytes { CRC32C.checksum(.init(rebasing: $0[regionStart..<end])) })
            regionStart = end
        }
        head.withUnsafeBytes { headTarget.write(contentsOf: $0) }
        body.withUnsafeBytes { bodyTarget.write(contentsOf: $0) }
    }

    mutating func encodeColumn(_ ranges: [TextRange], depth: Int, _ around: TextEdges) throws(BytesError) {
        var edges = around
        if edges.areTokensWanted, !edges.left || !edges.right {
            // Their tokens differ from row to row, whatever the texts are.
            let all = UnsafeRawBufferPointer(start: base, count: count)
            for range in ranges { tokens.insert(tokensAround: range, in: all) }
            edges.areTokensWanted = false
        }
        let shape = TextShape(base, ranges)
        if shape.isConstant { return encodeConstant(ranges[0], edges) }
        if depth == 0, try encodeSkeletons(ranges, shape, depth: depth, edges) { return }
        let isDictionary = dictionary.fill(base, ranges, shape)
        if isDictionary, dictionary.count <= ColumnLimits.inlineEntries {
            return try encodeDictionary(ranges, shape, edges)
        }
        if shape.mayBeNumbers, try encodeNumbers(ranges, shape, isDictionary: isDictionary, edges) { return }
        if try encodeDecimals(ranges, shape, edges) { return }
        if isDictionary, dictionary.bytes * 3 < shape.bytes { return try encodeDictionary(ranges, shape, edges) }
        if try encodeHexadecimal(ranges, shape, edges) { return }
        if depth > 0, depth < ColumnLimits.depth, try encodeSkeletons(ranges, shape, depth: depth, edges) { return }
        try encodePlain(ranges, shape, edges)
    }

    /// Ends the region of the root's own bytes, or of a column of one of its slots.
    mutating func endRegion() { regionEnds.append(body.count) }

    private mutating func encodeConstant(_ text: TextRange, _ edges: TextEdges) {
        head.write(ColumnKind.constant.rawValue)
        head.writeUnsignedVarint(UInt32(text.count))
        head.write(contentsOf: text.bytes(of: base))
        collect(CollectionOfOne(text), edges)
    }

    private mutating func encodeDictionary(
        _ ranges: [TextRange], _ shape: TextShape, _ edges: TextEdges
    ) throws(BytesError) {
        head.write(ColumnKind.dictionary.rawValue)
        shape.writeLengths(to: &head)
        let isInline = dictionary.count <= ColumnLimits.inlineEntries && dictionary.bytes <= ColumnLimits.inlineBytes
        head.writeUnsignedVarint(UInt32(dictionary.count))
        head.write(isInline)
        if isInline {
            for (entry, rows) in zip(dictionary.entries, dictionary.rows) {
                head.writeUnsignedVarint(UInt32(entry.count))
                head.writeUnsignedVarint(rows)
                head.write(contentsOf: entry.bytes(of: base))
            }
        } else {
            try encodeTexts(dictionary.entries)
        }
        try encodeCodes(dictionary.codes, below: dictionary.count)
        let entries = dictionary.entries
        collect(entries, edges)
    }

    private mutating func encodePlain(
        _ ranges: [TextRange], _ shape: TextShape, _ edges: TextEdges
    ) throws(BytesError) {
        head.write(ColumnKind.plain.rawValue)
        shape.writeLengths(to: &head)
        try encodeTexts(ranges)
        collect(ranges, edges)
    }

    /// The characters, the lengths, and the bytes one behind the other.
    private mutating func encodeTexts(_ ranges: [TextRange]) throws(BytesError) {
        scratch.removeAll(keepingAtMost: 8 << 20)
        var bytes = 0
        for range in ranges { bytes += range.count }
        scratch.reserve(bytes)
        for range in ranges { scratch.write(contentsOf: range.bytes(of: base)) }
        scratch.withUnsafeBytes { ByteSet($0) }.write(to: &head)
        let start = body.count
        IntegerCodec.encode(ranges.map { Int64($0.count) }, into: &body)
        head.writeUnsignedVarint(UInt32(body.count - start))
        try encodeBytes()
    }

    /// The scratch's bytes: their number, how many are stored, and whether as they are.
    private mutating func encodeBytes() throws(BytesError) {
        head.writeUnsignedVarint(UInt32(scratch.count))
        let start = body.count
        if scratch.count >= 64 {
            try scratch.withUnsafeBytes { bytes throws(BytesError) in try zstd.compress(bytes, level: 1, into: &body) }
        }
        let isSmaller = body.count > start && body.count - start < scratch.count
        if !isSmaller {
            body.truncate(to: start)
            scratch.withUnsafeBytes { body.write(contentsOf: $0) }
        }
        head.write(isSmaller)
        head.writeUnsignedVarint(UInt32(body.count - start))
    }

    /// Codes below a bound, which are packed, or bytes and compressed where that is smaller.
    mutating func encodeCodes(_ codes: [UInt16], below bound: Int) throws(BytesError) {
        let start = body.count
        let width = BitPacking.width(UInt64(bound - 1))
        let packed = BitPacking.byteCount(codes.count, width: width)
        if bound <= 256, packed >= 64 {
            scratch.removeAll(keepingAtMost: 8 << 20)
            for code in codes { scratch.write(UInt8(truncatingIfNeeded: code)) }
            try scratch.withUnsafeBytes { bytes throws(BytesError) in try zstd.compress(bytes, level: 1, into: &body) }
        }
        let isCompressed = body.count > start && (body.count - start) * 10 < packed * 9
        if !isCompressed {
            body.truncate(to: start)
            let words = codes.map { UInt64($0) }
            words.withUnsafeBufferPointer { BitPacking.pack($0, width: width, into: &body) }
        }
        head.write(isCompressed)
        head.writeUnsignedVarint(UInt32(body.count - start))
    }

    /// Adds the tokens of texts that none reaches beyond.
    mutating func collect(_ texts: some Sequence<TextRange>, _ edges: TextEdges) {
        guard edges.areTokensWanted else { return }
        let all = UnsafeRawBufferPointer(start: base, count: count)
        for text in texts { tokens.insert(tokensOf: text, in: all) }
    }
}

/// What stands around the texts of a column.
struct TextEdges {
    /// No token reaches over the texts' start.
    var left: Bool
    /// No token reaches over the texts' end.
    var right: Bool
    var areTokensWanted: Bool
}

/// What a first look at texts tells.
struct TextShape {
    private(set) var shortest = Int.max
    private(set) var longest = 0
    private(set) var bytes = 0
    private(set) var isConstant = true
    /// Whether the first and the last text are digits, at most 18.
    private(set) var mayBeNumbers = false

    init(_ base: UnsafeRawPointer, _ ranges: [TextRange]) {
        let first = ranges[0].bytes(of: base)
        for range in ranges {
            shortest = min(shortest, range.count)
            longest = max(longest, range.count)
            bytes += range.count
            if isConstant { isConstant = ByteSearch.areEqual(first, range.bytes(of: base)) }
        }
        guard shortest > 0, longest <= 19 else { return }
        mayBeNumbers = [first, ranges[ranges.count - 1].bytes(of: base)].allSatisfy {
            $0.enumerated().allSatisfy { $1 &- 0x30 < 10 || $0 == 0 && $1 == UInt8(ascii: "-") }
        }
    }

    func writeLengths(to writer: inout ByteWriter) {
        writer.writeUnsignedVarint(UInt32(shortest))
        writer.writeUnsignedVarint(UInt32(longest - shortest))
    }
}
