/// The JSON of the request parameter `params`.
extension BoundParameter {
    /// Parses an object of values.
    ///
    /// - Throws: `syntax` with InfluxDB's words.
    public static func parse(_ text: String) throws(QueryError) -> [String: BoundParameter] {
        var reader = ParameterReader(Array(text.utf8))
        return try reader.object()
    }
}

/// Reads the little JSON that parameters are.
private struct ParameterReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func failure(_ reason: String) -> QueryError {
        QueryError(.syntax, "error parsing query parameters: \(reason)")
    }

    private var end: QueryError { failure("unexpected EOF") }

    private mutating func next() throws(QueryError) -> UInt8 {
        while index < bytes.count, [32, 9, 10, 13].contains(bytes[index]) { index += 1 }
        guard index < bytes.count else { throw end }
        return bytes[index]
    }

    private mutating func expect(_ letter: Unicode.Scalar) throws(QueryError) {
        let found = try next()
        guard found == UInt8(ascii: letter) else {
            throw failure("invalid character '\(String(decoding: [found], as: UTF8.self))'")
        }
        index += 1
    }

    mutating func object() throws(QueryError) -> [String: BoundParameter] {
        var result: [String: BoundParameter] = [:]
        try expect("{")
        if try next() == UInt8(ascii: "}") { return result }
        while true {
            let name = try string()
            try expect(":")
            result[name] = try value()
            if try next() == UInt8(ascii: "}") { return result }
            try expect(",")
        }
    }

    private mutating func value() throws(QueryError) -> BoundParameter {
        switch try next() {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try typed()
        case UInt8(ascii: "["):
            try skipArray()
            return .invalid("missing parameter: unable to bind parameter with type []interface {}")
        default:
            switch word() {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            case "null": return .invalid("missing parameter: unable to bind parameter with type <nil>")
            case let word:
                if let integer = Int64(word) { return .integer(integer) }
                guard let number = Double(word), number.isFinite else {
                    throw failure("invalid character '\(word.prefix(1))' looking for beginning of value")
                }
                return .number(number)
            }
        }
    }

    /// `{"regex": "…"}` and the like.
    private mutating func typed() throws(QueryError) -> BoundParameter {
        index += 1
        let kind = try string()
        try expect(":")
        let inner = try value()
        try expect("}")
        switch (kind, inner) {
        case ("regex", .string(let text)): return .regex(text)
        case ("identifier", .string(let text)): return .identifier(text)
        case ("duration", .string(let text)): return .duration(text)
        case ("string", .string), ("integer", .integer), ("float", .number), ("boolean", .boolean): return inner
        case ("float", .integer(let number)): return .number(Double(number))
        default: return .invalid("unable to bind parameter: unknown type \(kind)")
        }
    }

    private mutating func skipArray() throws(QueryError) {
        var depth = 0
        repeat {
            switch try next() {
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                _ = try string()
                continue
            default: break
            }
            index += 1
        } while depth > 0
    }

    private mutating func word() -> String {
        let start = index
        while index < bytes.count, ![44, 125, 93, 32, 10, 13, 9].contains(bytes[index]) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func string() throws(QueryError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: text.append(byte)
            }
        }
        throw end
    }

    private mutating func escape(into text: inout [UInt8]) throws(QueryError) {
        guard index < bytes.count else { throw end }
        let letter = bytes[index]
        index += 1
        switch letter {
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "u"):
            var unit = try hexadecimal()
            if unit & 0xFC00 == 0xD800, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
                bytes[index + 1] == UInt8(ascii: "u")
            {
                index += 2
                let low = try hexadecimal()
                unit = 0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF
            }
            text.append(contentsOf: String(Unicode.Scalar(unit) ?? "\u{FFFD}").utf8)
        default: text.append(letter)
        }
    }

    private mutating func hexadecimal() throws(QueryError) -> UInt32 {
        guard index + 4 <= bytes.count else { throw end }
        defer { index += 4 }
        guard let unit = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16) else {
            throw failure("invalid character in \\u hexadecimal character escape")
        }
        return unit
    }
}
