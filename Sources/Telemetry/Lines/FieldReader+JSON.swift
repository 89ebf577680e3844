/// JSON objects.
extension FieldReader {
    /// Gives the scalars of an object and of the objects in it. False once `body` has said false.
    func visitObject(
        _ bytes: UnsafeRawBufferPointer, depth: Int,
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(FieldFailure) -> Bool {
        var cursor = try ObjectCursor(bytes)
        let prefix = name.count
        while let member = try cursor.next() {
            switch member.value.kind {
            case .array, .null: continue
            case .object:
                guard depth < Self.maximumDepth else { continue }
                try appendKey(member, in: bytes)
                let inner = UnsafeRawBufferPointer(rebasing: bytes[member.value.range])
                let goesOn = try visitObject(inner, depth: depth + 1, body)
                name.truncate(to: prefix)
                guard goesOn else { return false }
            case .string, .number, .boolean:
                let key = UnsafeRawBufferPointer(rebasing: bytes[member.key])
                let goesOn: Bool
                if prefix == 0, !member.keyIsEscaped, FieldText.isName(key) {
                    goesOn = body(key, text(of: member.value, in: bytes))
                } else {
                    try appendKey(member, in: bytes)
                    goesOn = name.count == 0 || body(name.bytes, text(of: member.value, in: bytes))
                    name.truncate(to: prefix)
                }
                guard goesOn else { return false }
            }
        }
        return true
    }

    /// Appends a member's name to the name of what holds it.
    private func appendKey(_ member: ObjectCursor.Member, in bytes: UnsafeRawBufferPointer) throws(FieldFailure) {
        let outer = name.count
        if outer > 0 { name.append(UInt8(ascii: "_")) }
        let inner = name.count
        let raw = UnsafeRawBufferPointer(rebasing: bytes[member.key])
        if member.keyIsEscaped {
            key.truncate(to: 0)
            guard JSONEscapes.unescape(raw, into: &key) else { throw .malformedEscape }
            name.appendName(key.bytes)
        } else {
            name.appendName(raw)
        }
        // A name without anything in it is as good as none.
        if name.count == inner { name.truncate(to: outer) }
    }

    /// A scalar's text: nothing if a string has an escape that JSON lacks.
    func text(of scalar: JSONScan.Value, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[scalar.range])
        guard case .string(let isEscaped) = scalar.kind else { return raw }
        guard isEscaped else { return valid(raw) }
        value.truncate(to: 0)
        guard JSONEscapes.unescape(raw, into: &value) else { return UnsafeRawBufferPointer(rebasing: raw[..<0]) }
        guard !FieldText.isValid(value.bytes) else { return value.bytes }
        let unescaped = value.count
        key.truncate(to: 0)
        key.appendValid(UnsafeRawBufferPointer(rebasing: value.bytes[..<unescaped]))
        return key.bytes
    }

    /// Text with a space for what is no UTF-8.
    func valid(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard !FieldText.isValid(text) else { return text }
        value.truncate(to: 0)
        value.appendValid(text)
        return value.bytes
    }

    /// The first scalar of a name; all are read, for a fault may follow.
    func findInObject(
        _ field: UnsafeRawBufferPointer, _ line: UnsafeRawBufferPointer, _ failure: inout FieldFailure?
    ) -> UnsafeRawBufferPointer? {
        name.truncate(to: 0)
        var found: (bytes: UnsafeRawBufferPointer, value: JSONScan.Value)?
        do throws(FieldFailure) {
            try search(field, line, depth: 1, &found)
        } catch {
            failure = error
        }
        return found.map { text(of: $0.value, in: $0.bytes) }
    }

    private func search(
        _ field: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer, depth: Int,
        _ found: inout (bytes: UnsafeRawBufferPointer, value: JSONScan.Value)?
    ) throws(FieldFailure) {
        var cursor = try ObjectCursor(bytes)
        let prefix = name.count
        while let member = try cursor.next() {
            switch member.value.kind {
            case .array, .null: continue
            case .object:
                guard depth < Self.maximumDepth else { continue }
                try appendKey(member, in: bytes)
                let inner = UnsafeRawBufferPointer(rebasing: bytes[member.value.range])
                // Loki reads every object, and tells its faults.
                try search(field, inner, depth: depth + 1, &found)
                name.truncate(to: prefix)
            case .string, .number, .boolean:
                let key = UnsafeRawBufferPointer(rebasing: bytes[member.key])
                if prefix == 0, !member.keyIsEscaped, FieldText.isName(key) {
                    if found == nil, ByteOrder.equal(key, field) { found = (bytes, member.value) }
                } else {
                    try appendKey(member, in: bytes)
                    if found == nil, name.count > 0, ByteOrder.equal(name.bytes, field) {
                        found = (bytes, member.value)
                    }
                    name.truncate(to: prefix)
                }
            }
        }
    }
}

/// Goes through an object's members.
struct ObjectCursor {
    /// A member: where its name stands, without the quotes, and its value.
    struct Member {
        var key: Range<Int>
        var keyIsEscaped: Bool
        var value: JSONScan.Value
    }

    private let bytes: UnsafeRawBufferPointer
    private var position: Int
    private var isFirst = true

    /// Begins at the opening brace, behind white space.
    init(_ bytes: UnsafeRawBufferPointer) throws(FieldFailure) {
        self.bytes = bytes
        guard let start = JSONScan.skipSpace(bytes, 0), bytes[start] == UInt8(ascii: "{"),
            let first = JSONScan.skipSpace(bytes, start + 1)
        else { throw .malformedObject }
        position = first
    }

    /// The next member, or nil at the closing brace.
    mutating func next() throws(FieldFailure) -> Member? {
        if !isFirst {
            guard let separator = JSONScan.skipSpace(bytes, position) else { throw .malformedArray }
            if bytes[separator] == UInt8(ascii: "}") { return nil }
            guard bytes[separator] == UInt8(ascii: ","), let start = JSONScan.skipSpace(bytes, separator + 1) else {
                throw .malformedObject
            }
            position = start
        }
        isFirst = false
        // A comma in front of the closing brace is forgiven.
        if bytes[position] == UInt8(ascii: "}") { return nil }
        guard bytes[position] == UInt8(ascii: "\"") else { throw .malformedObject }
        guard let key = JSONScan.stringEnd(bytes, position + 1) else { throw .malformedString }
        guard let colon = JSONScan.skipSpace(bytes, key.end + 1), bytes[colon] == UInt8(ascii: ":") else {
            throw .malformedJSON
        }
        guard let start = JSONScan.skipSpace(bytes, colon + 1) else { throw .malformedJSON }
        let value = try JSONScan.value(bytes, start)
        let keyStart = position + 1
        position = value.end
        return Member(key: keyStart..<key.end, keyIsEscaped: key.isEscaped, value: value)
    }
}

/// The escapes of JSON strings.
enum JSONEscapes {
    /// Appends what a string means. False at an escape that JSON lacks or half a surrogate pair.
    static func unescape(_ text: UnsafeRawBufferPointer, into result: inout FieldScratch) -> Bool {
        var position = 0
        while position < text.count {
            guard text[position] == UInt8(ascii: "\\") else {
                result.append(text[position])
                position += 1
                continue
            }
            guard position + 1 < text.count else { return false }
            if text[position + 1] == UInt8(ascii: "u") {
                guard let length = unicode(text, position, &result) else { return false }
                position += length
                continue
            }
            guard let byte = simple(text[position + 1]) else { return false }
            result.append(byte)
            position += 2
        }
        return true
    }

    /// What the letter behind a backslash means.
    static func simple(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        default: nil
        }
    }

    private static func unicode(
        _ text: UnsafeRawBufferPointer, _ position: Int, _ result: inout FieldScratch
    ) -> Int? {
        guard let unit = hex(text, position) else { return nil }
        guard (0xD800...0xDFFF).contains(unit) else {
            if let scalar = Unicode.Scalar(unit) { result.append(scalar) }
            return 6
        }
        guard let low = hex(text, position + 6), low >= 0xDC00 else { return nil }
        let scalar = Unicode.Scalar(0x10000 &+ (unit &- 0xD800) << 10 &+ (low &- 0xDC00))
        result.append(scalar ?? "\u{FFFD}")
        return 12
    }

    /// The number of an escape such as `\u00e4` at a position.
    static func hex(_ text: UnsafeRawBufferPointer, _ position: Int) -> UInt32? {
        guard position + 6 <= text.count, text[position] == UInt8(ascii: "\\"),
            text[position + 1] == UInt8(ascii: "u")
        else { return nil }
        var number: UInt32 = 0
        for index in position + 2..<position + 6 {
            guard let digit = hexDigit(text[index]) else { return nil }
            number = number << 4 | digit
        }
        return number
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
