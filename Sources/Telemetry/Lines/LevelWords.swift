/// Words of a line that tell a level.
///
/// Of each word only its first occurrence counts, and only if it stands alone there; `trace` goes before `debug` and so
/// on, wherever they stand: that is Loki's way.
enum LevelWords {
    private static let order: [LineLevel] = [.trace, .debug, .fatal, .critical, .error, .error, .warn, .warn, .info]

    static func level(in line: UnsafeRawBufferPointer) -> LineLevel {
        // A bit per word in the order above: seen at all, and seen alone at its first occurrence.
        var seen: UInt16 = 0
        var alone: UInt16 = 0
        let last = line.count - 3
        var position = 0
        while position < last {
            let word = UInt32(littleEndian: line.loadUnaligned(fromByteOffset: position, as: UInt32.self)) | 0x2020_2020
            if isStart[Int(word & 0x1F)], UInt8(truncatingIfNeeded: word) >= 0x61 {
                note(word, line, position, &seen, &alone)
            }
            position &+= 1
        }
        // `err` fits where four letters do not.
        if seen & 0x20 == 0, line.count >= 3 {
            let start = line.count - 3
            if folded(line[start]) == UInt8(ascii: "e"), folded(line[start + 1]) == UInt8(ascii: "r"),
                folded(line[start + 2]) == UInt8(ascii: "r")
            {
                mark(5, 3, line, start, &seen, &alone)
            }
        }
        return alone == 0 ? .unknown : order[alone.trailingZeroBitCount]
    }

    /// Whether a letter (its low five bits) begins one of the words.
    private static let isStart: [Bool] = (0..<32).map { letter in
        [3, 4, 5, 6, 9, 20, 23].contains(letter)
    }

    /// Four letters as the word of memory that they are.
    @inline(__always)
    private static func four(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> UInt32 {
        UInt32(a) | UInt32(b) << 8 | UInt32(c) << 16 | UInt32(d) << 24
    }

    @inline(__always)
    private static func note(
        _ word: UInt32, _ line: UnsafeRawBufferPointer, _ position: Int, _ seen: inout UInt16, _ alone: inout UInt16
    ) {
        switch word {
        case four(0x74, 0x72, 0x61, 0x63): match("trace", 0, line, position, &seen, &alone)
        case four(0x64, 0x65, 0x62, 0x75): match("debug", 1, line, position, &seen, &alone)
        case four(0x66, 0x61, 0x74, 0x61): match("fatal", 2, line, position, &seen, &alone)
        case four(0x63, 0x72, 0x69, 0x74): match("critical", 3, line, position, &seen, &alone)
        case four(0x77, 0x61, 0x72, 0x6E):
            match("warning", 6, line, position, &seen, &alone)
            match("warn", 7, line, position, &seen, &alone)
        case four(0x69, 0x6E, 0x66, 0x6F): match("info", 8, line, position, &seen, &alone)
        default:
            guard word & 0xFF_FFFF == four(0x65, 0x72, 0x72, 0) else { return }
            match("error", 4, line, position, &seen, &alone)
            match("err", 5, line, position, &seen, &alone)
        }
    }

    private static func match(
        _ text: StaticString, _ index: UInt16, _ line: UnsafeRawBufferPointer, _ position: Int, _ seen: inout UInt16,
        _ alone: inout UInt16
    ) {
        let count = text.utf8CodeUnitCount
        guard seen & (1 << index) == 0, position + count <= line.count else { return }
        for offset in 0..<count where folded(line[position + offset]) != text.utf8Start[offset] { return }
        mark(index, count, line, position, &seen, &alone)
    }

    private static func mark(
        _ index: UInt16, _ count: Int, _ line: UnsafeRawBufferPointer, _ position: Int, _ seen: inout UInt16,
        _ alone: inout UInt16
    ) {
        seen |= 1 << index
        let before = position == 0 || !isWord(line[position - 1])
        let after = position + count == line.count || !isWord(line[position + count])
        if before, after { alone |= 1 << index }
    }

    @inline(__always)
    private static func folded(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    /// Letters, digits and underscores; bytes beyond ASCII count as the characters of Latin-1, as in Loki.
    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xAA, 0xB5, 0xBA, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0xFF: true
        default: FieldText.isNameByte(byte)
        }
    }
}
