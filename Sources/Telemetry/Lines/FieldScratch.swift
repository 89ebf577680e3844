/// Memory that grows and is used again and again: names and values that do not stand in the line as such.
struct FieldScratch: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 8)
    private(set) var count = 0

    deinit { memory.deallocate() }

    /// All that was appended, valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]) }

    mutating func truncate(to newCount: Int) { count = min(count, newCount) }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        if count == memory.count { grow(1) }
        memory[count] = byte
        count += 1
    }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        guard let base = more.baseAddress, !more.isEmpty else { return }
        if count + more.count > memory.count { grow(more.count) }
        (memory.baseAddress! + count).copyMemory(from: base, byteCount: more.count)
        count += more.count
    }

    mutating func append(_ scalar: Unicode.Scalar) {
        for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(unit) }
    }

    private mutating func grow(_ more: Int) {
        let size = max(memory.count * 2, count + more)
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }

    /// Appends a name as label names are: white space around it goes, `_` stands for every character that is no ASCII
    /// letter, digit or underscore, and in front of a digit that begins the whole.
    mutating func appendName(_ key: UnsafeRawBufferPointer) {
        let trimmed = FieldText.trimmingSpace(key)
        guard let first = trimmed.first else { return }
        if count == 0, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9") { append(UInt8(ascii: "_")) }
        var position = 0
        while position < trimmed.count {
            let byte = trimmed[position]
            if byte < 0x80 {
                append(FieldText.isNameByte(byte) ? byte : UInt8(ascii: "_"))
                position += 1
            } else {
                append(UInt8(ascii: "_"))
                position += max(1, FieldText.scalarLength(trimmed, position))
            }
        }
    }

    /// Appends text; a space stands for every byte that is no UTF-8 and for U+FFFD.
    mutating func appendValid(_ text: UnsafeRawBufferPointer) {
        var position = 0
        while position < text.count {
            let length = FieldText.scalarLength(text, position)
            if length == 0 {
                append(UInt8(ascii: " "))
                position += 1
            } else {
                if FieldText.isReplacement(text, position) {
                    append(UInt8(ascii: " "))
                } else {
                    append(UnsafeRawBufferPointer(rebasing: text[position..<position + length]))
                }
                position += length
            }
        }
    }
}

/// What bytes mean in names and values of fields.
enum FieldText {
    /// Whether a byte may stand in a label's name.
    @inline(__always)
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Whether bytes are a label's name as they stand.
    @inline(__always)
    static func isName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first, first < UInt8(ascii: "0") || first > UInt8(ascii: "9") else { return false }
        return bytes.allSatisfy(isNameByte)
    }

    /// The length of the UTF-8 character at a position, or 0 if there is none.
    static func scalarLength(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Int {
        let first = bytes[position]
        if first < 0x80 { return 1 }
        func follows(_ distance: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            position + distance < bytes.count && range.contains(bytes[position + distance])
        }
        switch first {
        case 0xC2...0xDF: return follows(1) ? 2 : 0
        case 0xE0: return follows(1, 0xA0...0xBF) && follows(2) ? 3 : 0
        case 0xED: return follows(1, 0x80...0x9F) && follows(2) ? 3 : 0
        case 0xE1...0xEF: return follows(1) && follows(2) ? 3 : 0
        case 0xF0: return follows(1, 0x90...0xBF) && follows(2) && follows(3) ? 4 : 0
        case 0xF1...0xF3: return follows(1) && follows(2) && follows(3) ? 4 : 0
        case 0xF4: return follows(1, 0x80...0x8F) && follows(2) && follows(3) ? 4 : 0
        default: return 0
        }
    }

    /// Whether U+FFFD stands at a position.
    static func isReplacement(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        position + 2 < bytes.count && bytes[position] == 0xEF && bytes[position + 1] == 0xBF
            && bytes[position + 2] == 0xBD
    }

    /// Whether all is UTF-8 without U+FFFD.
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard ByteSearch.hasHighBit(bytes) else { return true }
        var position = 0
        while position < bytes.count {
            let length = scalarLength(bytes, position)
            if length == 0 || (length == 3 && isReplacement(bytes, position)) { return false }
            position += length
        }
        return true
    }

    /// Bytes without white space at either end; of characters beyond ASCII only U+0085 and U+00A0 count.
    static func trimmingSpace(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var (start, end) = (0, bytes.count)
        while start < end {
            if isSpace(bytes[start]) {
                start += 1
            } else if start + 1 < end, isWideSpace(bytes[start], bytes[start + 1]) {
                start += 2
            } else {
                break
            }
        }
        while end > start {
            if isSpace(bytes[end - 1]) {
                end -= 1
            } else if end - 2 >= start, isWideSpace(bytes[end - 2], bytes[end - 1]) {
                end -= 2
            } else {
                break
            }
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

    private static func isWideSpace(_ first: UInt8, _ second: UInt8) -> Bool {
        first == 0xC2 && (second == 0x85 || second == 0xA0)
    }
}
