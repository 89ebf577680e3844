/// A field of a line: where its key stands, and its value. 24 bytes; the positions are those of the parser's bytes.
public struct LineField: Sendable, Equatable {
    /// Where the key begins.
    public let keyStart: UInt32
    /// The key's length as written; whole keys have at most 65,535 bytes.
    public let keyCount: UInt16
    /// The type of the value.
    public let type: FieldType
    /// Whether the key or a string contains a backslash, and may have to be unescaped.
    public let escapes: Escapes
    /// A float's bit pattern; an integer's two's complement; an unsigned integer; 0 or 1; for a string, its first
    /// position in the lower and its length in the upper half, without the quotes.
    public let bits: UInt64

    /// What of a field is escaped.
    public struct Escapes: OptionSet, Sendable {
        /// The bits.
        public let rawValue: UInt8

        /// From bits.
        @inlinable
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The key contains a backslash.
        public static let key = Escapes(rawValue: 1)
        /// The string contains a backslash.
        public static let string = Escapes(rawValue: 2)
    }

    @inlinable
    init(key: Range<Int>, type: FieldType, escapes: Escapes, bits: UInt64) {
        keyStart = UInt32(truncatingIfNeeded: key.lowerBound)
        keyCount = UInt16(truncatingIfNeeded: key.count)
        self.type = type
        self.escapes = escapes
        self.bits = bits
    }

    /// Where the key stands, as written.
    @inlinable public var key: Range<Int> { Int(keyStart)..<Int(keyStart) + Int(keyCount) }
    /// Where the string stands, as written, without the quotes.
    @inlinable public var string: Range<Int> {
        let start = Int(UInt32(truncatingIfNeeded: bits))
        return start..<start + Int(bits >> 32)
    }
    /// The value of a float.
    @inlinable public var double: Double { Double(bitPattern: bits) }
    /// The value of a signed integer.
    @inlinable public var integer: Int64 { Int64(bitPattern: bits) }
    /// The value of a boolean.
    @inlinable public var boolean: Bool { bits != 0 }

    @inlinable
    static func bits(ofString range: Range<Int>) -> UInt64 {
        UInt64(range.lowerBound) | UInt64(range.count) << 32
    }
}
