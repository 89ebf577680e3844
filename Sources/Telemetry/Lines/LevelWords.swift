internal import CMillrace

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
        guard let base = line.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .unknown }
        var start = 0
        while start < line.count {
            var marks = millrace_level_marks(base + start, UInt64(line.count - start))
            while marks != 0 {
                note(line, start + marks.trailingZeroBitCount, &seen, &alone)
                marks &= marks &- 1
            }
            start += 64
        }
        return alone == 0 ? .unknown : order[alone.trailingZeroBitCount]
    }

    @inline(__always)
    private static func note(
        _ line: UnsafeRawBufferPointer, _ position: Int, _ seen: inout UInt16, _ alone: inout UInt16
    ) {
        guard position + 2 < line.count else { return }
        // The first letter and the third tell the words apart.
        switch (line[position] | 0x20, line[position + 2] | 0x20) {
        case (UInt8(ascii: "t"), UInt8(ascii: "a")): match("trace", 0, line, position, &seen, &alone)
        case (UInt8(ascii: "d"), UInt8(ascii: "b")): match("debug", 1, line, position, &seen, &alone)
        case (UInt8(ascii: "f"), UInt8(ascii: "t")): match("fatal", 2, line, position, &seen, &alone)
        case (UInt8(ascii: "c"), UInt8(ascii: "i")): match("critical", 3, line, position, &seen, &alone)
        case (UInt8(ascii: "e"), UInt8(ascii: "r")):
            match("error", 4, line, position, &seen, &alone)
            match("err", 5, line, position, &seen, &alone)
        case (UInt8(ascii: "w"), UInt8(ascii: "r")):
            match("warning", 6, line, position, &seen, &alone)
            match("warn", 7, line, position, &seen, &alone)
        case (UInt8(ascii: "i"), UInt8(ascii: "f")): match("info", 8, line, position, &seen, &alone)
        default: return
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
