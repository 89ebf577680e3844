/// InfluxDB's grammar, byte by byte: `LineParser` comes here with every line that is not written in the plain way, and
/// for every refusal. It goes the way of InfluxDB's own reader (models/points.go), because what is accepted follows
/// from that way: a backslash in front of a delimiter takes its meaning even if another stands in front of it, quotes
/// count in values only, and what follows a closing quote belongs to the string.
enum LineGrammar {
    typealias Bytes = UnsafeRawBufferPointer

    static let comma = UInt8(ascii: ","), equals = UInt8(ascii: "="), space = UInt8(ascii: " ")
    static let quote = UInt8(ascii: "\""), backslash = UInt8(ascii: "\\"), newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    /// The end of the line that begins at `start`: the position of its newline, or the end of the bytes. A newline in
    /// quotes belongs to the line.
    static func endOfLine(_ bytes: Bytes, from start: Int) -> Int {
        var (position, isQuoted, isBehindKey, equalsSigns, commas) = (start, false, false, 0, 0)
        while position < bytes.count {
            let byte = bytes[position]
            if byte == backslash, position + 2 < bytes.count {
                position += 2
                continue
            }
            if byte == space { isBehindKey = true }
            if isBehindKey {
                if !isQuoted, byte == equals {
                    equalsSigns += 1
                } else if !isQuoted, byte == comma {
                    commas += 1
                } else if byte == quote, equalsSigns > commas {
                    isQuoted.toggle()
                }
            }
            if byte == newline, !isQuoted { break }
            position += 1
        }
        return position
    }

    /// The first position at or behind `start` without a blank: a space, a tab or a zero.
    static func skipBlanks(_ bytes: Bytes, from start: Int, to end: Int) -> Int {
        var position = start
        while position < end, bytes[position] == space || bytes[position] == 9 || bytes[position] == 0 {
            position += 1
        }
        return position
    }

    /// The first `stop` at or behind `start` that no backslash precedes, or the end.
    static func find(_ stop: UInt8, _ bytes: Bytes, from start: Int) -> Int {
        var position = start
        while position < bytes.count {
            if bytes[position] == stop, position == start || bytes[position - 1] != backslash { break }
            position += 1
        }
        return position
    }

    // MARK: - The key

    /// The end of a measurement that begins at `start`.
    ///
    /// - Returns: the position of the comma or the space that ends it.
    static func measurementEnd(_ line: Bytes, from start: Int) throws(LineFailure) -> Int {
        guard start < line.count, line[start] != comma else { throw .missingMeasurement }
        var position = start
        while true {
            position += 1
            guard position < line.count else { throw .missingFields }
            guard line[position - 1] != backslash else { continue }
            if line[position] == comma || line[position] == space { return position }
        }
    }

    /// The position of the equals sign behind a tag's key.
    static func tagKeyEnd(_ line: Bytes, from start: Int) throws(LineFailure) -> Int {
        guard start < line.count, line[start] != space, line[start] != comma, line[start] != equals else {
            throw .missingTagKey
        }
        var position = start
        while true {
            position += 1
            guard position < line.count else { throw .missingTagValue }
            guard line[position - 1] != backslash else { continue }
            if line[position] == space || line[position] == comma { throw .missingTagValue }
            if line[position] == equals { return position }
        }
    }

    /// The position of the comma or the space behind a tag's value.
    static func tagValueEnd(_ line: Bytes, from start: Int) throws(LineFailure) -> Int {
        guard start < line.count, line[start] != comma, line[start] != space else { throw .missingTagValue }
        var position = start
        while true {
            position += 1
            guard position < line.count else { throw .missingFields }
            guard line[position - 1] != backslash else { continue }
            if line[position] == equals { throw .invalidTagFormat }
            if line[position] == comma || line[position] == space { return position }
        }
    }

    /// Reads a key, and the places of its tags' keys into `tagKeys`.
    ///
    /// - Returns: the position behind the key.
    static func scanKey(_ line: Bytes, _ tagKeys: inout [Range<Int>]) throws(LineFailure) -> Int {
        tagKeys.removeAll(keepingCapacity: true)
        var position = try measurementEnd(line, from: 0)
        while line[position] == comma {
            let keyEnd = try tagKeyEnd(line, from: position + 1)
            tagKeys.append(position + 1..<keyEnd)
            position = try tagValueEnd(line, from: keyEnd + 1)
        }
        if hasDuplicates(line, &tagKeys) { throw .duplicateTags }
        return position
    }

    private static func hasDuplicates(_ line: Bytes, _ keys: inout [Range<Int>]) -> Bool {
        keys.sort { ByteOrder.precedes(line[slice: $0], line[slice: $1]) }
        return keys.indices.dropFirst().contains { index in
            ByteOrder.equal(line[slice: keys[index - 1]], line[slice: keys[index]])
        }
    }

    // MARK: - The fields

    /// The end of the fields that begin at `start`, if they can be read.
    static func fieldsEnd(_ line: Bytes, from start: Int) throws(LineFailure) -> Int {
        var (position, isQuoted, equalsSigns, commas) = (start, false, 0, 0)
        while position < line.count {
            let byte = line[position]
            if byte == backslash, position + 1 < line.count {
                position += 2
                continue
            }
            if byte == quote, equalsSigns > commas {
                isQuoted.toggle()
                position += 1
                continue
            }
            if byte == equals, !isQuoted {
                equalsSigns += 1
                if let end = try unquotedValueEnd(line, equalsAt: position) {
                    position = end
                    continue
                }
            }
            if byte == comma, !isQuoted { commas += 1 }
            if byte == space, !isQuoted { break }
            position += 1
        }
        if isQuoted { throw .unbalancedQuotes }
        guard equalsSigns > 0, commas == equalsSigns - 1 else { throw .invalidFieldFormat }
        return position
    }

    /// The end of the value behind an equals sign, or nil if it is in quotes.
    private static func unquotedValueEnd(_ line: Bytes, equalsAt position: Int) throws(LineFailure) -> Int? {
        let before = line[position - 1]
        if before == space || before == comma, line[position - 2] != backslash { throw .missingFieldKey }
        guard position + 1 < line.count, line[position + 1] != comma, line[position + 1] != space else {
            throw .missingFieldValue
        }
        switch line[position + 1] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "N"),
            UInt8(ascii: "n"):
            return try LineNumber.end(line, from: position + 1)
        case quote: return nil
        default: return try booleanEnd(line, from: position + 1)
        }
    }

    private static func booleanEnd(_ line: Bytes, from start: Int) throws(LineFailure) -> Int {
        var end = start
        while end < line.count, line[end] != comma, line[end] != space { end += 1 }
        guard LineNumber.boolean(line[slice: start..<end]) != nil else { throw .invalidBoolean }
        return end
    }

    /// The end of a field's value that begins at `start`: what the key ends in one way, the value may in another.
    static func fieldValueEnd(_ fields: Bytes, from start: Int) -> Int {
        var (position, isQuoted) = (start, false)
        while position < fields.count {
            let byte = fields[position]
            if byte == backslash, position + 1 < fields.count,
                fields[position + 1] == quote || fields[position + 1] == backslash
            {
                position += 2
                continue
            }
            if byte == quote { isQuoted.toggle() }
            if byte == comma, !isQuoted { break }
            position += 1
        }
        return position
    }

    // MARK: - The time

    /// The end of a timestamp that begins at `start`.
    static func timeEnd(_ line: Bytes, from start: Int) throws(LineFailure) -> Int {
        var position = start
        while position < line.count, line[position] != newline, line[position] != space {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(line[position])
            guard isDigit || (position == start && line[position] == UInt8(ascii: "-")) else { throw .badTimestamp }
            position += 1
        }
        return position
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes of a range, counted from 0.
    @inline(__always)
    subscript(slice range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }
}
