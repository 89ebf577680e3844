/// Escaping as line protocol has it: which characters a backslash in front of them makes ordinary depends on the place.
public enum LineEscaping {
    /// The places.
    public enum Place: Sendable {
        /// A measurement's name: comma and space; read also equals sign.
        case measurement
        /// A tag's key or value: comma, space and equals sign.
        case tag
        /// A field's key: comma, space, equals sign; read also double quotes.
        case fieldKey
        /// A string: double quote and backslash.
        case string
    }

    /// Appends bytes as they are meant.
    public static func unescape(_ text: UnsafeRawBufferPointer, _ place: Place, into result: inout [UInt8]) {
        var position = 0
        while position < text.count {
            if text[position] == LineGrammar.backslash, position + 1 < text.count,
                isUnescaped(text[position + 1], place)
            {
                position += 1
            }
            result.append(text[position])
            position += 1
        }
    }

    /// Appends bytes as they are written.
    public static func escape(_ bytes: UnsafeRawBufferPointer, _ place: Place, into result: inout [UInt8]) {
        for byte in bytes {
            if isEscaped(byte, place) { result.append(LineGrammar.backslash) }
            result.append(byte)
        }
    }

    @inline(__always)
    static func isEscaped(_ byte: UInt8, _ place: Place) -> Bool {
        switch byte {
        case LineGrammar.comma, LineGrammar.space: place != .string
        case LineGrammar.equals: place == .tag || place == .fieldKey
        case LineGrammar.quote, LineGrammar.backslash: place == .string
        default: false
        }
    }

    @inline(__always)
    private static func isUnescaped(_ byte: UInt8, _ place: Place) -> Bool {
        switch place {
        case .fieldKey: isEscaped(byte, place) || byte == LineGrammar.quote
        case .measurement: isEscaped(byte, .tag)
        case .tag, .string: isEscaped(byte, place)
        }
    }
}
