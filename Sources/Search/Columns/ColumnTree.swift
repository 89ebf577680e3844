import Bytes

/// A column as its head tells it: nothing of the body is read before it is needed. For one thread at a time; the bytes
/// must stay valid while it lives.
final class ColumnTree {
    /// A column of texts: the root, or that of a slot.
    struct Node {
        var kind: ColumnKind
        var rows: Int
        var shortest = 0
        var longest = 0
        /// The characters of the texts, where they are known without reading the body.
        var characters: ByteSet?
        /// Where the constant, the dictionary in the head or the pattern stands in the head; the texts of a dictionary
        /// are apart from each other.
        var text = TextRange(start: 0, end: 0)
        var entries: Range<Int> = 0..<0
        var skeletons: Range<Int> = 0..<0
        /// The smallest and the largest number.
        var numbers: ClosedRange<Int64> = 0...0
        /// Of decimals: the digits behind the point.
        var scale = 0
        var textParts = TextParts()
        var lengths = Part()
        var values = Part()
        var isCompressed = false
    }

    /// Bytes of the body.
    struct Part {
        var start = 0
        var count = 0
    }

    /// Texts one behind the other in the body.
    struct TextParts {
        var lengths = Part()
        var bytes = Part()
        var isCompressed = false
        var byteCount = 0
    }

    /// A text of a dictionary in the head.
    struct Entry {
        var text: TextRange
        var rows: Int
    }

    /// Literal pieces, and columns between them.
    struct Skeleton {
        var rows: Int
        /// The first of its pieces; there is one more than there are slots.
        var firstPiece: Int
        /// The first of its children in `children`.
        var firstChild: Int
        var slots: Int
    }

    private struct Region {
        var range: Range<Int>
        var checksum: UInt32
        var isVerified = false
    }

    let head: UnsafeRawBufferPointer
    let body: UnsafeRawBufferPointer
    private(set) var nodes: [Node] = []
    private(set) var entries: [Entry] = []
    private(set) var skeletons: [Skeleton] = []
    private(set) var pieces: [TextRange] = []
    private(set) var children: [Int] = []
    private var regions: [Region] = []
    private var position = 0
    /// The most bytes that texts may have: those of the lines.
    let byteLimit: Int
    let zstd: ZstandardContext
    var cache = ColumnCache()

    /// Reads the head of a column of so many rows.
    ///
    /// - Throws: `.malformed`, `.truncated`, `.limitExceeded`.
    init(
        head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer, rows: Int, byteLimit: Int, zstd: ZstandardContext
    ) throws(BytesError) {
        self.head = head
        self.body = body
        self.byteLimit = min(byteLimit, ColumnLimits.bytes)
        self.zstd = zstd
        var reader = ByteReader(head)
        try readRegions(&reader)
        _ = try readNode(&reader, rows: rows, depth: 0)
        guard reader.isAtEnd, position == body.count else { throw Self.malformed("bytes behind a column") }
    }

    static func malformed(_ message: String) -> BytesError { BytesError(code: .malformed, message: message) }

    private func readRegions(_ reader: inout ByteReader) throws(BytesError) {
        let count = Int(try reader.unsignedVarint())
        guard count <= reader.remaining / 5 else { throw Self.malformed("\(count) regions") }
        var start = 0
        for _ in 0..<count {
            let length = Int(try reader.unsignedVarint())
            guard length <= body.count - start else { throw Self.malformed("a region behind the body") }
            regions.append(Region(range: start..<start + length, checksum: try reader.uint32()))
            start += length
        }
        guard start == body.count else { throw Self.malformed("regions shorter than the body") }
    }

    private func part(_ reader: inout ByteReader) throws(BytesError) -> Part {
        let count = Int(try reader.unsignedVarint())
        guard count <= body.count - position else { throw Self.malformed("a part behind the body") }
        defer { position += count }
        return Part(start: position, count: count)
    }

    private func readNode(_ reader: inout ByteReader, rows: Int, depth: Int) throws(BytesError) -> Int {
        guard nodes.count < ColumnLimits.nodes, depth <= ColumnLimits.depth + 1 else {
            throw BytesError(code: .limitExceeded, message: "columns nest too deep, or are too many")
        }
        guard let kind = ColumnKind(rawValue: try reader.uint8()) else { throw Self.malformed("an unknown column") }
        var node = Node(kind: kind, rows: rows)
        let index = nodes.count
        nodes.append(node)
        switch kind {
        case .constant:
            node.text = try text(&reader, Int(try reader.unsignedVarint()))
            (node.shortest, node.longest) = (node.text.count, node.text.count)
        case .dictionary:
            try readLengths(&reader, &node)
            try readDictionary(&reader, &node)
        case .integers, .digits, .decimals:
            try readLengths(&reader, &node)
            try readNumbers(&reader, &node)
        case .hexadecimal:
            let count = Int(try reader.unsignedVarint())
            guard count <= 128 else { throw Self.malformed("a pattern of \(count) bytes") }
            node.text = try text(&reader, count)
            (node.shortest, node.longest) = (count, count)
            let pattern = node.text.bytes(of: head)
            node.values = try part(&reader)
            let digits = pattern.count { $0 == 0 }
            guard node.values.count == (digits + 1) / 2 * rows else { throw Self.malformed("digits of another number") }
            node.characters = ByteSet(pattern).union(.hexadecimal)
        case .skeletons:
            try readLengths(&reader, &node)
            try readSkeletons(&reader, &node, depth: depth)
        case .plain:
            try readLengths(&reader, &node)
            node.textParts = try textParts(&reader, &node)
        }
        nodes[index] = node
        return index
    }

    private func text(_ reader: inout ByteReader, _ count: Int) throws(BytesError) -> TextRange {
        let start = reader.position
        try reader.skip(count)
        return TextRange(start: UInt32(start), end: UInt32(start + count))
    }

    private func readLengths(_ reader: inout ByteReader, _ node: inout Node) throws(BytesError) {
        node.shortest = Int(try reader.unsignedVarint())
        node.longest = node.shortest + Int(try reader.unsignedVarint())
        guard node.longest <= byteLimit else { throw Self.malformed("a text of \(node.longest) bytes") }
    }

    private func textParts(_ reader: inout ByteReader, _ node: inout Node) throws(BytesError) -> TextParts {
        var parts = TextParts()
        node.characters = try ByteSet(&reader)
        parts.lengths = try part(&reader)
        parts.byteCount = Int(try reader.unsignedVarint())
        guard parts.byteCount <= byteLimit else { throw Self.malformed("texts of \(parts.byteCount) bytes") }
        parts.isCompressed = try reader.bool()
        parts.bytes = try part(&reader)
        guard parts.isCompressed || parts.bytes.count == parts.byteCount else {
            throw Self.malformed("texts of another size")
        }
        return parts
    }

    private func readCodes(_ reader: inout ByteReader, _ node: inout Node) throws(BytesError) {
        node.isCompressed = try reader.bool()
        node.values = try part(&reader)
    }

    private func readDictionary(_ reader: inout ByteReader, _ node: inout Node) throws(BytesError) {
        let count = Int(try reader.unsignedVarint())
        guard count >= 1, count <= ColumnLimits.entries, count <= max(1, node.rows) else {
            throw Self.malformed("a dictionary of \(count) texts")
        }
        node.entries = entries.count..<entries.count + count
        if try reader.bool() {
            guard count <= ColumnLimits.inlineEntries else { throw Self.malformed("a head of \(count) texts") }
            var characters = ByteSet()
            for _ in 0..<count {
                let length = Int(try reader.unsignedVarint())
                let rows = Int(try reader.unsignedVarint())
                let text = try text(&reader, length)
                guard length >= node.shortest, length <= node.longest else { throw Self.malformed("a text's length") }
                for byte in text.bytes(of: head) { characters.insert(byte) }
                entries.append(Entry(text: text, rows: rows))
            }
            node.characters = characters
            try readCodes(&reader, &node)
        } else {
            node.textParts = try textParts(&reader, &node)
            node.entries = 0..<count
            node.lengths = node.textParts.lengths
            try readCodes(&reader, &node)
        }
    }

    private func readNumbers(_ reader: inout ByteReader, _ node: inout Node) throws(BytesError) {
        let (smallest, largest) = (try reader.varlong(), try reader.varlong())
        guard smallest <= largest else { throw Self.malformed("numbers out of order") }
        node.numbers = smallest...largest
        guard node.longest <= DecimalText.maximumDigits + 2 else { throw Self.malformed("numbers too long") }
        if node.kind == .decimals {
            node.scale = Int(try reader.uint8())
            guard node.scale >= 1, node.scale < DecimalText.maximumDigits else { throw Self.malformed("a fraction") }
        }
        if node.kind == .digits { node.lengths = try part(&reader) }
        node.values = try part(&reader)
        var characters = ByteSet.digits
        if smallest < 0 { characters.insert(UInt8(ascii: "-")) }
        if node.kind == .decimals { characters.insert(UInt8(ascii: ".")) }
        node.characters = characters
    }

    private func readSkeletons(_ reader: inout ByteReader, _ node: inout Node, depth: Int) throws(BytesError) {
        let count = Int(try reader.unsignedVarint())
        guard count >= 1, count <= ColumnLimits.skeletons else { throw Self.malformed("\(count) skeletons") }
        try readCodes(&reader, &node)
        node.skeletons = skeletons.count..<skeletons.count + count
        var rows = 0
        for _ in 0..<count {
            let own = Int(try reader.unsignedVarint())
            let slots = Int(try reader.unsignedVarint())
            guard own <= node.rows - rows, slots <= ColumnLimits.slots else { throw Self.malformed("a skeleton") }
            rows += own
            skeletons.append(
                Skeleton(rows: own, firstPiece: pieces.count, firstChild: children.count, slots: slots))
            for _ in 0...slots { pieces.append(try text(&reader, Int(try reader.unsignedVarint()))) }
            children.append(contentsOf: repeatElement(0, count: slots))
        }
        guard rows == node.rows else { throw Self.malformed("skeletons of \(rows) rows") }
        for index in node.skeletons {
            for slot in 0..<skeletons[index].slots {
                let place = skeletons[index].firstChild + slot
                children[place] = try readNode(&reader, rows: skeletons[index].rows, depth: depth + 1)
            }
        }
    }

    /// The bytes of a part; their region is verified when it is first read.
    func bytes(_ part: Part) throws(BytesError) -> UnsafeRawBufferPointer {
        guard part.count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        var (low, high) = (0, regions.count)
        while low + 1 < high {
            let middle = (low + high) / 2
            if regions[middle].range.lowerBound <= part.start { low = middle } else { high = middle }
        }
        while !regions[low].range.contains(part.start), low > 0 { low -= 1 }
        guard part.start + part.count <= regions[low].range.upperBound else {
            throw Self.malformed("a part in two regions")
        }
        if !regions[low].isVerified {
            let found = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: body[regions[low].range]))
            guard found == regions[low].checksum else { throw Self.malformed("the checksum of a region is another") }
            regions[low].isVerified = true
        }
        return UnsafeRawBufferPointer(rebasing: body[part.start..<part.start + part.count])
    }

    /// The bytes of each region.
    var regionSizes: [Int] { regions.map(\.range.count) }

    /// Whether all regions have their checksums.
    func verify() throws(BytesError) {
        for region in regions {
            let found = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: body[region.range]))
            guard found == region.checksum else { throw Self.malformed("the checksum of a region is another") }
        }
    }
}
