/// A cursor over JSON text (RFC 8259) that decodes only what it is asked for. Texts are not checked to be UTF-8, and
/// may hold control characters as they are: Loki takes both.
///
/// Every call either succeeds and advances or throws; hostile bytes never trap, and cost no more than their size.
struct JSONCursor {
    /// How deep arrays and objects may lie in each other.
    static let maximumDepth = 64

    private let base: UnsafePointer<UInt8>
    private let end: Int
    private(set) var position: Int

    /// A cursor over a part of `bytes`, which must outlive it.
    init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
        // A pointer that is never read, where there are no bytes.
        base = bytes.bindMemory(to: UInt8.self).baseAddress ?? UnsafePointer(bitPattern: 8).unsafelyUnwrapped
        position = range.lowerBound
        end = range.upperBound
    }

    init(_ bytes: UnsafeRawBufferPointer) { self.init(bytes, in: 0..<bytes.count) }

    /// Goes back to where this was before.
    mutating func rewind(to earlier: Int) { position = min(position, max(0, earlier)) }

    /// The next byte that is no white space, which stays; nil at the end.
    @inline(__always)
    mutating func peek() -> UInt8? {
        while position < end {
            let byte = base[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position &+= 1
        }
        return nil
    }

    /// Takes a byte behind white space, if it is the next.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position &+= 1
        return true
    }

    /// Takes a byte behind white space.
    @inline(__always)
    mutating func expect(_ byte: UInt8) throws(DecodeError) {
        guard take(byte) else { throw wrong("'\(Character(UnicodeScalar(byte)))' was expected") }
    }

    /// What is wrong, and where.
    func wrong(_ reason: String) -> DecodeError { DecodeError(.malformed, "byte \(position): \(reason)") }

    /// Calls `body` in front of each member's value of an object; `body` takes the value.
    @inline(__always)
    mutating func object(
        _ arena: inout ByteArena,
        _ body: (inout JSONCursor, inout ByteArena, Range<Int>) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        try expect(UInt8(ascii: "{"))
        if take(UInt8(ascii: "}")) { return }
        while true {
            let name = try string(&arena)
            try expect(UInt8(ascii: ":"))
            try body(&self, &arena, name)
            if take(UInt8(ascii: ",")) { continue }
            return try expect(UInt8(ascii: "}"))
        }
    }

    /// Calls `body` in front of each element of an array; `body` takes the element.
    @inline(__always)
    mutating func array(
        _ arena: inout ByteArena, _ body: (inout JSONCursor, inout ByteArena) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        try expect(UInt8(ascii: "["))
        if take(UInt8(ascii: "]")) { return }
        while true {
            try body(&self, &arena)
            if take(UInt8(ascii: ",")) { continue }
            return try expect(UInt8(ascii: "]"))
        }
    }

    /// Takes a number, `true`, `false` or `null`, and tells where it is.
    mutating func scalar() throws(DecodeError) -> Range<Int> {
        _ = peek()
        let start = position
        while position < end, Self.isScalar(base[position]) { position &+= 1 }
        guard position > start else { throw wrong("a value was expected") }
        return start..<position
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"): true
        default: false
        }
    }

    /// Takes any value, and tells where it is.
    mutating func value() throws(DecodeError) -> Range<Int> {
        _ = peek()
        let start = position
        var depth = 0
        repeat {
            switch peek() {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= Self.maximumDepth else {
                    throw DecodeError(.limitReached, "byte \(position): more than \(Self.maximumDepth) levels")
                }
                position &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position &+= 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw wrong("a value was expected") }
                position &+= 1
            case nil: throw wrong("the text ends within a value")
            default: _ = try scalar()
            }
        } while depth > 0
        guard depth == 0 else { throw wrong("a value was expected") }
        return start..<position
    }

    private mutating func skipString() throws(DecodeError) {
        position &+= 1
        while position < end {
            let byte = base[position]
            position &+= 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") { position &+= 1 }
        }
        position = end
        throw wrong("the text ends within a string")
    }
}

extension JSONCursor {
    private static let quotes: UInt64 = 0x2222_2222_2222_2222
    private static let backslashes: UInt64 = 0x5C5C_5C5C_5C5C_5C5C
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Takes a string, and appends what it means to the arena.
    @inline(__always)
    mutating func string(_ arena: inout ByteArena) throws(DecodeError) -> Range<Int> {
        guard take(UInt8(ascii: "\"")) else { throw wrong("a string was expected") }
        let first = arena.count
        // No text is longer than what it is decoded from, and each byte is decoded once: but an arena is given out for
        // one run over the bytes, and after going back there is not enough room.
        guard end - position <= arena.capacity - first else { throw wrong("the text was read more than once") }
        let target = arena.next
        let length = try copyString(to: target)
        arena.count = first + length
        return first..<(first + length)
    }

    /// Copies eight bytes at a time, and looks in them for a quote or a backslash.
    private mutating func copyString(to target: UnsafeMutableRawPointer) throws(DecodeError) -> Int {
        let source = UnsafeRawPointer(base)
        var (read, written) = (position, 0)
        while true {
            if read &+ 8 <= end {
                let word = source.loadUnaligned(fromByteOffset: read, as: UInt64.self)
                // Safe because of the arena's room behind its capacity, and because `written` never overtakes `read`.
                target.storeBytes(of: word, toByteOffset: written, as: UInt64.self)
                let (quote, escape) = (word ^ Self.quotes, word ^ Self.backslashes)
                let found =
                    ((quote &- Self.ones) & ~quote | (escape &- Self.ones) & ~escape) & Self.tops
                if found == 0 {
                    read &+= 8
                    written &+= 8
                    continue
                }
                // The lowest bit found is exact; what lies above it may be a borrow.
                let skipped = found.trailingZeroBitCount &>> 3
                read &+= skipped
                written &+= skipped
            } else {
                guard read < end else {
                    position = end
                    throw wrong("the text ends within a string")
                }
                let byte = base[read]
                if byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                    target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
                    read &+= 1
                    written &+= 1
                    continue
                }
            }
            guard base[read] == UInt8(ascii: "\\") else {
                position = read &+ 1
                return written
            }
            position = read
            written &+= try copyEscape(to: target + written)
            read = position
        }
    }

    /// Takes an escape, which `position` is at. A lone surrogate is U+FFFD.
    ///
    /// - Returns: how many bytes it means; never more than it has.
    @inline(__always)
    private mutating func copyEscape(to target: UnsafeMutableRawPointer) throws(DecodeError) -> Int {
        guard position &+ 1 < end else { throw wrong("the text ends within an escape") }
        let byte: UInt8
        switch base[position &+ 1] {
        case UInt8(ascii: "\""): byte = UInt8(ascii: "\"")
        case UInt8(ascii: "\\"): byte = UInt8(ascii: "\\")
        case UInt8(ascii: "/"): byte = UInt8(ascii: "/")
        case UInt8(ascii: "n"): byte = 0x0A
        case UInt8(ascii: "t"): byte = 0x09
        case UInt8(ascii: "r"): byte = 0x0D
        case UInt8(ascii: "b"): byte = 0x08
        case UInt8(ascii: "f"): byte = 0x0C
        case UInt8(ascii: "u"): return try copyUnicode(to: target)
        default: throw wrong("no such escape")
        }
        position &+= 2
        target.storeBytes(of: byte, as: UInt8.self)
        return 1
    }

    private mutating func copyUnicode(to target: UnsafeMutableRawPointer) throws(DecodeError) -> Int {
        var code = UInt32(try hexadecimal(at: position &+ 2))
        position &+= 6
        if code & 0xFC00 == 0xD800, position &+ 6 <= end, base[position] == UInt8(ascii: "\\"),
            base[position &+ 1] == UInt8(ascii: "u")
        {
            let low = UInt32(try hexadecimal(at: position &+ 2))
            if low & 0xFC00 == 0xDC00 {
                code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
                position &+= 6
            }
        }
        let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
        var count = 0
        for byte in UTF8.encode(scalar).unsafelyUnwrapped {
            target.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count &+= 1
        }
        return count
    }

    private func hexadecimal(at place: Int) throws(DecodeError) -> UInt16 {
        guard place &+ 4 <= end else { throw wrong("the text ends within an escape") }
        var value: UInt16 = 0
        for offset in 0..<4 {
            let byte = base[place &+ offset]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- UInt8(ascii: "A") &+ 10
            default: throw wrong("an escape without four hexadecimal digits")
            }
            value = value &<< 4 | UInt16(digit)
        }
        return value
    }
}
