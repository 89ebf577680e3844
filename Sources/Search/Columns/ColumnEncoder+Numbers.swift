import Bytes
import Columns

/// Decimal numbers as texts.
enum DecimalText {
    /// The most digits that a number may have.
    static let maximumDigits = 18

    /// The number, if its text is the only one for it: no leading zeros, no plus sign, no "-0".
    @inline(__always)
    static func canonical(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard let first = text.first else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        let digits = isNegative ? UnsafeRawBufferPointer(rebasing: text.dropFirst()) : text
        guard let value = value(digits), digits[0] != UInt8(ascii: "0") || (digits.count == 1 && !isNegative) else {
            return nil
        }
        return isNegative ? -value : value
    }

    /// The number that digits are; they may begin with zeros.
    @inline(__always)
    static func value(_ digits: UnsafeRawBufferPointer) -> Int64? {
        guard !digits.isEmpty, digits.count <= maximumDigits else { return nil }
        var value: Int64 = 0
        for byte in digits {
            let digit = byte &- 0x30
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }

    /// The number that a text is, as Go's ParseFloat reads it.
    static func number(_ text: UnsafeRawBufferPointer) -> Double? {
        guard text.count <= 16 else { return Double(String(decoding: text, as: UTF8.self)) }
        var (value, digits, fraction): (Int64, Int, Int) = (0, 0, -1)
        for (place, byte) in text.enumerated() {
            let digit = byte &- 0x30
            if digit < 10 {
                value = value &* 10 &+ Int64(digit)
                digits += 1
                if fraction >= 0 { fraction += 1 }
            } else if byte == UInt8(ascii: "."), fraction < 0 {
                fraction = 0
            } else if byte != UInt8(ascii: "-") || place > 0 {
                return Double(String(decoding: text, as: UTF8.self))
            }
        }
        guard digits > 0 else { return nil }
        // At most 15 digits and a power of ten that is exact: one division rounds once, as it has to.
        let magnitude = fraction > 0 ? Double(value) / powers[fraction] : Double(value)
        return text[0] == UInt8(ascii: "-") ? -magnitude : magnitude
    }

    /// Powers of ten, which are exact.
    static let powers: [Double] = (0..<19).reduce(into: []) { powers, _ in
        powers.append(powers.last.map { $0 * 10 } ?? 1)
    }

    /// The number that a text with a point is, without the point; nil unless its digits behind the point are so many,
    /// and it is the only way to write that.
    static func decimal(_ text: UnsafeRawBufferPointer, scale: Int) -> Int64? {
        let point = text.count - scale - 1
        guard point > 0, text.count <= maximumDigits + 1, text[point] == UInt8(ascii: "."),
            let fraction = value(UnsafeRawBufferPointer(rebasing: text[(point + 1)...]))
        else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        let digits = UnsafeRawBufferPointer(rebasing: text[(isNegative ? 1 : 0)..<point])
        guard let whole = value(digits), digits.count == 1 || digits[0] != UInt8(ascii: "0") else { return nil }
        let sum = whole * integerPowers[scale] + fraction
        return isNegative ? (sum == 0 ? nil : -sum) : sum
    }

    private static let integerPowers: [Int64] = (0..<19).reduce(into: []) { powers, _ in
        powers.append(powers.last.map { $0 * 10 } ?? 1)
    }

    /// Appends the canonical text, or as many digits as asked for.
    ///
    /// - Parameter scale: the digits behind a point; 0 for none.
    static func append(_ value: Int64, digits: Int = 0, scale: Int = 0, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { scratch in
            var (place, rest) = (48, value.magnitude)
            var count = 0
            repeat {
                place -= 1
                scratch[place] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
                rest /= 10
                count += 1
                if count == scale {
                    place -= 1
                    scratch[place] = UInt8(ascii: ".")
                }
            } while rest > 0 || count <= scale && scale > 0
            while 48 - place < digits {
                place -= 1
                scratch[place] = 0x30
            }
            if value < 0 {
                place -= 1
                scratch[place] = UInt8(ascii: "-")
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: scratch[place...]))
        }
    }
}

extension ColumnEncoder {
    /// Writes texts that are all numbers.
    ///
    /// - Returns: false if one is none, or a dictionary is better; nothing is written then.
    mutating func encodeNumbers(
        _ ranges: [TextRange], _ shape: TextShape, isDictionary: Bool, _ edges: TextEdges
    ) throws(BytesError) -> Bool {
        var values: [Int64] = []
        values.reserveCapacity(ranges.count)
        var isCanonical = true
        for range in ranges {
            let text = range.bytes(of: base)
            if isCanonical, let value = DecimalText.canonical(text) {
                values.append(value)
            } else {
                if isCanonical, values.contains(where: { $0 < 0 }) { return false }
                isCanonical = false
                guard let value = DecimalText.value(text) else { return false }
                values.append(value)
            }
        }
        let smallest = values.min() ?? 0
        let largest = values.max() ?? 0
        if isDictionary {
            let width = BitPacking.width(UInt64(bitPattern: largest &- smallest))
            let ownWidth = BitPacking.width(UInt64(dictionary.count - 1))
            guard width * ranges.count / 8 < ownWidth * ranges.count / 8 + dictionary.bytes else { return false }
        }
        head.write((isCanonical ? ColumnKind.integers : .digits).rawValue)
        shape.writeLengths(to: &head)
        head.writeVarlong(smallest)
        head.writeVarlong(largest)
        var start = body.count
        if !isCanonical {
            IntegerCodec.encode(ranges.map { Int64($0.count) }, into: &body)
            head.writeUnsignedVarint(UInt32(body.count - start))
            start = body.count
        }
        IntegerCodec.encode(values, into: &body)
        head.writeUnsignedVarint(UInt32(body.count - start))
        if shape.longest >= Token.minimumBytes {
            if isDictionary { collect(dictionary.entries, edges) } else { collect(ranges, edges) }
        }
        return true
    }

    /// Writes texts that all have a point and so many digits behind it as the first.
    ///
    /// - Returns: false if they have not; nothing is written then.
    mutating func encodeDecimals(
        _ ranges: [TextRange], _ shape: TextShape, _ edges: TextEdges
    ) throws(BytesError) -> Bool {
        let first = ranges[0].bytes(of: base)
        guard shape.shortest >= 3, shape.longest <= DecimalText.maximumDigits + 1,
            let point = first.lastIndex(of: UInt8(ascii: ".")), point < first.count - 1
        else { return false }
        let scale = first.count - 1 - point
        var values: [Int64] = []
        values.reserveCapacity(ranges.count)
        for range in ranges {
            guard let value = DecimalText.decimal(range.bytes(of: base), scale: scale) else { return false }
            values.append(value)
        }
        head.write(ColumnKind.decimals.rawValue)
        shape.writeLengths(to: &head)
        head.writeVarlong(values.min() ?? 0)
        head.writeVarlong(values.max() ?? 0)
        head.write(UInt8(scale))
        let start = body.count
        IntegerCodec.encode(values, into: &body)
        head.writeUnsignedVarint(UInt32(body.count - start))
        collect(ranges, edges)
        return true
    }

    /// Writes texts of one length with hexadecimal digits at the same places.
    ///
    /// - Returns: false if they are no such texts; nothing is written then.
    mutating func encodeHexadecimal(
        _ ranges: [TextRange], _ shape: TextShape, _ edges: TextEdges
    ) throws(BytesError) -> Bool {
        guard shape.shortest == shape.longest, shape.longest >= 6, shape.longest <= 128 else { return false }
        let first = ranges[0].bytes(of: base)
        var pattern = first.map { HexText.value($0) < 16 ? 0 : $0 }
        // A byte that is the same in all of the first texts is literal if it is no digit in one of them.
        let digits = pattern.count { $0 == 0 }
        guard digits * 2 >= pattern.count, !pattern.contains(0) || digits >= 4 else { return false }
        for place in pattern.indices where first[place] == 0 { pattern[place] = 0xFF }
        for range in ranges {
            let text = range.bytes(of: base)
            for place in pattern.indices {
                let isFitting = pattern[place] == 0 ? HexText.value(text[place]) < 16 : pattern[place] == text[place]
                guard isFitting else { return false }
            }
        }
        head.write(ColumnKind.hexadecimal.rawValue)
        head.writeUnsignedVarint(UInt32(pattern.count))
        head.write(contentsOf: pattern)
        let start = body.count
        for range in ranges {
            let text = range.bytes(of: base)
            var (high, isHalf): (UInt8, Bool) = (0, false)
            for place in pattern.indices where pattern[place] == 0 {
                let value = HexText.value(text[place])
                if isHalf { body.write(high &<< 4 | value) } else { high = value }
                isHalf.toggle()
            }
            if isHalf { body.write(high &<< 4) }
        }
        head.writeUnsignedVarint(UInt32(body.count - start))
        collect(ranges, edges)
        return true
    }
}

/// Lower-case hexadecimal digits.
enum HexText {
    static let digits: [UInt8] = Array("0123456789abcdef".utf8)

    /// Writes two digits for each byte.
    @inline(__always)
    static func write(_ bytes: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<UInt8>) {
        for index in 0..<count {
            let byte = bytes.load(fromByteOffset: index, as: UInt8.self)
            let (high, low) = (byte &>> 4, byte & 15)
            target[2 &* index] = high &+ (high < 10 ? 0x30 : 0x57)
            target[2 &* index &+ 1] = low &+ (low < 10 ? 0x30 : 0x57)
        }
    }

    /// The value of a digit; 16 and more for any other byte.
    @inline(__always)
    static func value(_ byte: UInt8) -> UInt8 {
        let digit = byte &- 0x30
        if digit < 10 { return digit }
        let letter = byte &- 0x61
        return letter < 6 ? letter &+ 10 : 0xFF
    }
}
