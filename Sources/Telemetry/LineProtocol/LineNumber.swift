/// Numbers and booleans of line protocol.
enum LineNumber {
    typealias Bytes = UnsafeRawBufferPointer

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    // MARK: - InfluxDB's checks

    /// The end of a number that begins at `start`, if it is one: the comma or space behind it, or the line's end.
    static func end(_ line: Bytes, from start: Int) throws(LineFailure) -> Int {
        var position = start
        if line[position] == UInt8(ascii: "-") {
            position += 1
            if position == line.count { throw .invalidNumber }
        }
        var (suffix, hasPoint, hasExponent) = (UInt8?.none, false, false)
        while position < line.count, line[position] != LineGrammar.comma, line[position] != LineGrammar.space {
            let byte = line[position]
            if byte == UInt8(ascii: "i") || byte == UInt8(ascii: "u"), position > start, suffix == nil {
                suffix = byte
            } else if byte == UInt8(ascii: ".") {
                if hasPoint { throw .invalidNumber }
                hasPoint = true
            } else if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E"), position > start {
                hasExponent = true
            } else if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") {
                guard line[position - 1] | 0x20 == UInt8(ascii: "e") else { throw .invalidNumber }
            } else if !isDigit(byte) {
                throw .invalidNumber
            }
            position += 1
        }
        try check(line, start..<position, suffix, hasPoint: hasPoint, hasExponent: hasExponent)
        return position
    }

    private static func check(
        _ line: Bytes, _ range: Range<Int>, _ suffix: UInt8?, hasPoint: Bool, hasExponent: Bool
    ) throws(LineFailure) {
        let isNegative = line[range.lowerBound] == UInt8(ascii: "-")
        if suffix != nil, hasPoint || hasExponent { throw .invalidNumber }
        let others = (suffix == UInt8(ascii: "i") ? 1 : 0) + (hasPoint ? 1 : 0) + (isNegative ? 1 : 0)
        if range.count == others { throw .invalidNumber }
        guard let suffix else {
            // Fewer characters than the largest float has are always one, unless there is an exponent.
            let isDoubtful = hasExponent || range.count >= 311
            if isDoubtful, float(line[slice: range]) == nil { throw .invalidFloat }
            return
        }
        guard line[range.upperBound - 1] == suffix else { throw .invalidNumber }
        let digits = range.lowerBound..<range.upperBound - 1
        if suffix == UInt8(ascii: "i") {
            guard signed(line[slice: digits]) != nil else { throw .integerOutOfRange(digits) }
        } else {
            if isNegative { throw .invalidNumber }
            guard unsigned(line[slice: digits]) != nil else { throw .unsignedOutOfRange(digits) }
        }
    }

    // MARK: - Values

    /// `t`, `T`, `true`, `True`, `TRUE` and the like; nil for anything else.
    static func boolean(_ text: Bytes) -> Bool? {
        guard let first = text.first else { return nil }
        let isTrue = first | 0x20 == UInt8(ascii: "t")
        guard isTrue || first | 0x20 == UInt8(ascii: "f") else { return nil }
        if text.count == 1 { return isTrue }
        let spellings: [StaticString] = isTrue ? ["true", "True", "TRUE"] : ["false", "False", "FALSE"]
        let isKnown = spellings.contains { spelling in
            ByteOrder.equal(text, Bytes(start: spelling.utf8Start, count: spelling.utf8CodeUnitCount))
        }
        return isKnown ? isTrue : nil
    }

    /// A decimal number with an optional minus sign; nil if it is none or beyond 64 bits.
    static func signed(_ text: Bytes) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        guard let magnitude = unsigned(isNegative ? text[slice: 1..<text.count] : text) else { return nil }
        if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int64(exactly: magnitude)
    }

    /// A decimal number; nil if it is none or beyond 64 bits.
    static func unsigned(_ text: Bytes) -> UInt64? {
        guard !text.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in text {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// A float; nil if it is none or beyond what 64 bits hold.
    static func float(_ text: Bytes) -> Double? {
        if let value = shortFloat(text) { return value }
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    /// The powers of ten that a float holds exactly.
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    ]

    /// A float without an exponent whose digits fit into 53 bits: the quotient of two exact numbers is rounded once,
    /// so it is the nearest float. Nil for any other text, numbers among them.
    @inline(__always)
    static func shortFloat(_ text: Bytes) -> Double? {
        let isNegative = text.first == UInt8(ascii: "-")
        var (position, digits, decimals, pointAt) = (isNegative ? 1 : 0, UInt64(0), 0, -1)
        guard text.count - position <= 17, text.count > position else { return nil }
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            if digit < 10 {
                digits = digits &* 10 &+ UInt64(digit)
            } else if text[position] == UInt8(ascii: "."), pointAt < 0 {
                pointAt = position
            } else {
                return nil
            }
            position += 1
        }
        if pointAt >= 0 {
            decimals = text.count - 1 - pointAt
            if text.count == (isNegative ? 2 : 1) { return nil }
        }
        guard digits < 1 << 53 else { return nil }
        let value = Double(digits) / powersOfTen[decimals]
        return isNegative ? -value : value
    }
}
