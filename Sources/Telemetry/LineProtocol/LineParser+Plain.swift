/// The short way for lines as most programs write them: no backslash outside of strings, one space between the parts,
/// nothing wrong. Whatever else there is makes it give up, and the line is read byte by byte.
extension LineParser {
    /// Reads the line that begins at `start`, where `marks` must stand.
    ///
    /// - Returns: whether it could.
    mutating func readPlainLine(from start: Int) -> Bool {
        let first = bytes[start]
        guard first > LineGrammar.space, first != UInt8(ascii: "#"), first != LineGrammar.comma,
            let keyEnd = plainKeyEnd(from: start), keyEnd - start <= LineFailure.maximumKeyBytes / 2
        else { return false }
        key = start..<keyEnd
        guard keyEnd + 1 < bytes.count, bytes[keyEnd + 1] > LineGrammar.space,
            let fieldsEnd = readPlainFields(from: keyEnd + 1)
        else { return false }
        return readPlainTime(from: start, fieldsEnd)
    }

    // MARK: - The key

    /// The position of the space behind a plain key.
    private mutating func plainKeyEnd(from start: Int) -> Int? {
        var position: Int
        repeat {
            position = marks.next()
            guard position < bytes.count else { return nil }
        } while isOrdinaryInMeasurement(bytes[position])
        if bytes[position] == LineGrammar.space { return position }
        guard bytes[position] == LineGrammar.comma else { return nil }
        return plainTagsEnd(from: position + 1)
    }

    @inline(__always)
    private func isOrdinaryInMeasurement(_ byte: UInt8) -> Bool {
        byte == LineGrammar.equals || byte == LineGrammar.quote
    }

    /// The position of the space behind plain tags that begin at `start`.
    private mutating func plainTagsEnd(from start: Int) -> Int? {
        var (keyStart, tagCount, seen) = (start, 0, UInt64(0))
        while true {
            let equals = nextMark(ignoringQuotes: ())
            guard equals > keyStart, equals < bytes.count, bytes[equals] == LineGrammar.equals,
                tagCount < Self.mostPlainTags
            else { return nil }
            let tagKey = keyStart..<equals
            if tagKey.count == 4, Self.isTime(bytes, at: keyStart) { return nil }
            // Keys that differ here differ; the others are compared.
            let bit = UInt64(1) << fingerprint(tagKey)
            if seen & bit != 0, isDuplicate(tagKey, among: tagCount) { return nil }
            seen |= bit
            tagRoom[tagCount] = tagKey
            tagCount += 1
            let end = nextMark(ignoringQuotes: ())
            guard end > equals + 1, end < bytes.count else { return nil }
            if bytes[end] == LineGrammar.space { return end }
            guard bytes[end] == LineGrammar.comma else { return nil }
            keyStart = end + 1
        }
    }

    /// 0 to 63, the same for equal keys.
    @inline(__always)
    private func fingerprint(_ key: Range<Int>) -> UInt64 {
        let mixed = bytes[key.lowerBound] &* 7 &+ bytes[key.upperBound - 1] &* 3 &+ UInt8(truncatingIfNeeded: key.count)
        return UInt64(mixed & 63)
    }

    private func isDuplicate(_ key: Range<Int>, among count: Int) -> Bool {
        tagRoom[..<count].contains { ByteOrder.equal(bytes[slice: $0], bytes[slice: key]) }
    }

    /// The next mark that is no double quote.
    @inline(__always)
    private mutating func nextMark(ignoringQuotes: Void) -> Int {
        var position = marks.next()
        while position < bytes.count, bytes[position] == LineGrammar.quote { position = marks.next() }
        return position
    }

    // MARK: - The fields

    /// Reads plain fields that begin at `start`.
    ///
    /// - Returns: the position of the space or newline behind them, or the end of the bytes.
    private mutating func readPlainFields(from start: Int) -> Int? {
        var keyStart = start
        while true {
            let equals = nextMark(ignoringQuotes: ())
            let keyCount = equals - keyStart
            guard keyCount > 0, keyCount < LineFailure.maximumKeyBytes / 4, equals + 1 < bytes.count,
                bytes[equals] == LineGrammar.equals
            else { return nil }
            let first = bytes[equals + 1]
            let end: Int
            if first == LineGrammar.quote {
                guard let behind = readPlainString(keyStart..<equals) else { return nil }
                end = behind
            } else {
                end = marks.next()
                guard addPlainValue(keyStart..<equals, first, upTo: end) else { return nil }
            }
            // No field is named `time`, which InfluxDB would ignore.
            if keyCount == 4, Self.isTime(bytes, at: keyStart) { return nil }
            guard end < bytes.count, bytes[end] == LineGrammar.comma else { return end }
            keyStart = end + 1
        }
    }

    /// Reads a string behind `key` and its equals sign.
    ///
    /// - Returns: the position behind the closing quote, where a mark is, or the end.
    private mutating func readPlainString(_ key: Range<Int>) -> Int? {
        let start = key.upperBound + 2
        _ = marks.next()
        var escapes = LineField.Escapes()
        var position = marks.next()
        while position < bytes.count, bytes[position] != LineGrammar.quote {
            if bytes[position] == LineGrammar.backslash {
                escapes.insert(.string)
                // A backslash takes the meaning of the byte behind it. Near the end of the bytes InfluxDB is not of
                // one mind.
                guard position + 3 < bytes.count else { return nil }
                marks.seek(position + 2)
            }
            position = marks.next()
        }
        guard position < bytes.count, position - start <= LineFailure.maximumStringBytes else { return nil }
        let range = start..<position
        add(LineField(key: key, type: .string, escapes: escapes, bits: LineField.bits(ofString: range)))
        let end = marks.next()
        guard end < bytes.count else { return end == position + 1 ? end : nil }
        let isNewline = bytes[end] == LineGrammar.newline
        guard isNewline || bytes[end] == LineGrammar.comma || bytes[end] == LineGrammar.space else { return nil }
        if end == position + 1 { return end }
        return isNewline && end == position + 2 && bytes[position + 1] == LineGrammar.carriageReturn ? end : nil
    }

    /// Adds a number or a boolean that stands behind `key` and its equals sign.
    @inline(__always)
    private mutating func addPlainValue(_ key: Range<Int>, _ first: UInt8, upTo end: Int) -> Bool {
        var end = end
        let mark = end < bytes.count ? bytes[end] : LineGrammar.newline
        if mark == LineGrammar.newline {
            if bytes[end - 1] == LineGrammar.carriageReturn { end -= 1 }
        } else {
            guard mark == LineGrammar.comma || mark == LineGrammar.space else { return false }
        }
        let value = key.upperBound + 1..<Swift.max(end, key.upperBound + 1)
        guard let (type, bits) = plainNumber(value) ?? plainBoolean(value) else { return false }
        add(LineField(key: key, type: type, escapes: [], bits: bits))
        return true
    }

    /// A number of at most 18 digits, without an exponent.
    @inline(__always)
    private func plainNumber(_ range: Range<Int>) -> (FieldType, UInt64)? {
        guard range.count <= 20, let last = range.last.map({ bytes[$0] }) else { return nil }
        guard last == UInt8(ascii: "i") || last == UInt8(ascii: "u") else {
            return LineNumber.shortFloat(bytes[slice: range]).map { (.float, $0.bitPattern) }
        }
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        var (position, value) = (range.lowerBound + (isNegative ? 1 : 0), UInt64(0))
        let end = range.upperBound - 1
        guard position < end, end - position <= 18 else { return nil }
        while position < end {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
            position += 1
        }
        if last == UInt8(ascii: "i") { return (.integer, isNegative ? 0 &- value : value) }
        return isNegative ? nil : (.unsigned, value)
    }

    private func plainBoolean(_ range: Range<Int>) -> (FieldType, UInt64)? {
        LineNumber.boolean(bytes[slice: range]).map { (.boolean, $0 ? 1 : 0) }
    }

    // MARK: - The time

    /// Reads the time behind fields that end at `fieldsEnd`, and sets everything that the line tells.
    private mutating func readPlainTime(from start: Int, _ fieldsEnd: Int) -> Bool {
        var (end, timestamp) = (fieldsEnd, Int64?.none)
        if end < bytes.count, bytes[end] == LineGrammar.space {
            end = marks.next()
            guard end == bytes.count || bytes[end] == LineGrammar.newline else { return false }
            var digitsEnd = end
            if bytes[end - 1] == LineGrammar.carriageReturn { digitsEnd -= 1 }
            guard let count = plainTimestamp(fieldsEnd + 1..<Swift.max(digitsEnd, fieldsEnd + 1)),
                let time = precision.time(count)
            else { return false }
            timestamp = time
        }
        var lineEnd = end
        if bytes[end - 1] == LineGrammar.carriageReturn { lineEnd -= 1 }
        time = timestamp
        line = start..<lineEnd
        nextLine = Swift.min(end + 1, bytes.count)
        return true
    }

    /// 1 to 19 digits with an optional minus sign.
    @inline(__always)
    private func plainTimestamp(_ range: Range<Int>) -> Int64? {
        guard let first = range.first, range.count <= 20 else { return nil }
        let isNegative = bytes[first] == UInt8(ascii: "-")
        var (position, value) = (range.lowerBound + (isNegative ? 1 : 0), UInt64(0))
        let count = range.upperBound - position
        guard count > 0, count <= 19 else { return nil }
        while position + 8 <= range.upperBound {
            guard let eight = Self.eightDigits(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)) else {
                return nil
            }
            value = value &* 100_000_000 &+ eight
            position += 8
        }
        while position < range.upperBound {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
            position += 1
        }
        guard value < 1 << 63 else { return nil }
        return isNegative ? -Int64(value) : Int64(value)
    }

    /// The number that eight digits make, the first in the lowest byte; nil if there is another byte among them.
    @inline(__always)
    static func eightDigits(_ text: UInt64) -> UInt64? {
        let high: UInt64 = 0xF0F0_F0F0_F0F0_F0F0
        let areDigits = (text & high) | (((text &+ 0x0606_0606_0606_0606) & high) >> 4) == 0x3333_3333_3333_3333
        guard areDigits else { return nil }
        // Each step makes one number of two neighbours: of 1, of 2, of 4 digits.
        let pairs = ((text & 0x0F0F_0F0F_0F0F_0F0F) &* 2_561) >> 8
        let fours = ((pairs & 0x00FF_00FF_00FF_00FF) &* 6_553_601) >> 16
        return ((fours & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) >> 32
    }
}
