/// Pairs `name=value`.
extension FieldReader {
    func visitPairs(
        _ line: UnsafeRawBufferPointer, keepsEmpty: Bool, isStrict: Bool,
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) -> FieldFailure? {
        var cursor = PairCursor(line)
        while !cursor.isAtEnd {
            guard let pair = cursor.next() else {
                if isStrict { return cursor.failure }
                continue
            }
            guard let text = text(of: pair, in: line, &cursor) else {
                if isStrict { return cursor.failure }
                continue
            }
            if text.isEmpty, !keepsEmpty { continue }
            var name = UnsafeRawBufferPointer(rebasing: line[pair.key])
            if !FieldText.isName(name) {
                self.name.truncate(to: 0)
                self.name.appendName(name)
                name = self.name.bytes
            }
            if name.isEmpty { continue }
            guard body(name, text) else { return nil }
        }
        return nil
    }

    /// The first value of a name that is not empty.
    func findInPairs(_ field: UnsafeRawBufferPointer, _ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var cursor = PairCursor(line)
        while !cursor.isAtEnd {
            guard let pair = cursor.next(), !pair.value.isEmpty || pair.isEscaped else { continue }
            let raw = UnsafeRawBufferPointer(rebasing: line[pair.key])
            if FieldText.isName(raw) {
                guard ByteOrder.equal(raw, field) else { continue }
            } else {
                name.truncate(to: 0)
                name.appendName(raw)
                guard name.count > 0, ByteOrder.equal(name.bytes, field) else { continue }
            }
            if pair.isEscaped {
                // One whose escapes are wrong is passed over, and an empty one is none.
                guard let text = text(of: pair, in: line, &cursor), !text.isEmpty else { continue }
            }
            return text(of: pair, in: line, &cursor)
        }
        return nil
    }

    /// A pair's value; nil if its escapes are wrong.
    func text(
        of pair: PairCursor.Pair, in line: UnsafeRawBufferPointer, _ cursor: inout PairCursor
    ) -> UnsafeRawBufferPointer? {
        let raw = UnsafeRawBufferPointer(rebasing: line[pair.value])
        guard pair.isEscaped else { return valid(raw) }
        key.truncate(to: 0)
        guard LogfmtEscapes.unescape(raw, into: &key) else {
            cursor.failure = .invalidQuote(position: pair.value.upperBound + 2)
            return nil
        }
        return valid(key.bytes)
    }
}

/// Goes through the pairs of a line.
struct PairCursor {
    /// Where a name and its value stand, the value without its quotes.
    struct Pair {
        var key: Range<Int>
        var value: Range<Int>
        var isEscaped = false
    }

    private let line: UnsafeRawBufferPointer
    private var position = 0
    /// The last fault.
    var failure: FieldFailure?

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    var isAtEnd: Bool { position >= line.count }

    /// The next pair; nil at the end and at a fault, behind which one may go on.
    mutating func next() -> Pair? {
        while position < line.count, line[position] <= 0x20 { position += 1 }
        guard position < line.count else { return nil }
        let start = position
        var isPlain = true
        scan: while position < line.count {
            switch line[position] {
            case UInt8(ascii: "="), 0...0x20: break scan
            case UInt8(ascii: "\""): return skip(.unexpectedByte(line[position], position: position + 1))
            case 0x80...: isPlain = false
            default: break
            }
            position += 1
        }
        let key = start..<position
        let hasValue = position < line.count && line[position] == UInt8(ascii: "=")
        if hasValue, key.isEmpty { return skip(.unexpectedByte(line[position], position: position + 1)) }
        if !isPlain, !FieldText.isValid(UnsafeRawBufferPointer(rebasing: line[key])) {
            let fault = FieldFailure.invalidKey(position: position + 1)
            if hasValue { return skip(fault) }
            failure = fault
            return nil
        }
        guard hasValue else { return Pair(key: key, value: position..<position) }
        position += 1
        guard position < line.count, line[position] > 0x20 else { return Pair(key: key, value: position..<position) }
        return line[position] == UInt8(ascii: "\"") ? quoted(key) : plain(key)
    }

    private mutating func plain(_ key: Range<Int>) -> Pair? {
        let start = position
        while position < line.count, line[position] > 0x20 {
            if line[position] == UInt8(ascii: "=") || line[position] == UInt8(ascii: "\"") {
                return skip(.unexpectedByte(line[position], position: position + 1))
            }
            position += 1
        }
        return Pair(key: key, value: start..<position)
    }

    private mutating func quoted(_ key: Range<Int>) -> Pair? {
        let start = position + 1
        guard let string = JSONScan.stringEnd(line, start) else {
            position = line.count
            failure = .unterminatedQuote(position: position + 1)
            return nil
        }
        position = string.end + 1
        return Pair(key: key, value: start..<string.end, isEscaped: string.isEscaped)
    }

    /// Passes over the rest of the word.
    private mutating func skip(_ fault: FieldFailure) -> Pair? {
        failure = fault
        while position < line.count, line[position] > 0x20 { position += 1 }
        return nil
    }
}

/// The escapes of quoted values: JSON's, and `\'`.
enum LogfmtEscapes {
    /// Appends what a value means. False at an escape that there is not, and at a control character.
    static func unescape(_ text: UnsafeRawBufferPointer, into result: inout FieldScratch) -> Bool {
        var position = 0
        while position < text.count {
            let byte = text[position]
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                position += 1
                continue
            }
            guard position + 1 < text.count else { return false }
            let letter = text[position + 1]
            if letter == UInt8(ascii: "u") {
                guard let unit = JSONEscapes.hex(text, position) else { return false }
                position += 6
                result.append(scalar(unit, text, &position))
            } else {
                guard let meant = letter == UInt8(ascii: "'") ? letter : JSONEscapes.simple(letter) else {
                    return false
                }
                result.append(meant)
                position += 2
            }
        }
        return true
    }

    /// A character from one escape or two; U+FFFD for half a pair.
    private static func scalar(
        _ unit: UInt32, _ text: UnsafeRawBufferPointer, _ position: inout Int
    ) -> Unicode.Scalar {
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, let low = JSONEscapes.hex(text, position), (0xDC00...0xDFFF).contains(low) else {
            return "\u{FFFD}"
        }
        position += 6
        return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}"
    }
}
