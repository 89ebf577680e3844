import Bytes

/// A set of byte values: which characters a column's texts are made of.
struct ByteSet: Equatable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init() {}

    init(_ bytes: UnsafeRawBufferPointer) { insert(bytes) }

    init(_ text: StaticString) {
        self.init(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    static let digits = ByteSet("0123456789")
    static let hexadecimal = ByteSet("0123456789abcdef")

    @inline(__always)
    mutating func insert(_ byte: UInt8) {
        let bit = 1 as UInt64 &<< UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    mutating func insert(_ bytes: UnsafeRawBufferPointer) {
        // Flags in memory, one per value, are faster than bits in registers.
        withUnsafeTemporaryAllocation(of: Bool.self, capacity: 256) { flags in
            flags.update(repeating: false)
            for byte in bytes { flags[Int(byte)] = true }
            for value in 0..<256 where flags[value] { insert(UInt8(value)) }
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        let word =
            switch byte >> 6 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return word &>> UInt64(byte & 63) & 1 != 0
    }

    func isSuperset(of other: ByteSet) -> Bool {
        other.words.0 & ~words.0 | other.words.1 & ~words.1 | other.words.2 & ~words.2 | other.words.3 & ~words.3 == 0
    }

    func union(_ other: ByteSet) -> ByteSet {
        var result = self
        result.words = (
            words.0 | other.words.0, words.1 | other.words.1, words.2 | other.words.2, words.3 | other.words.3
        )
        return result
    }

    /// The same with the letters of both cases where one of them is in.
    var ignoringCase: ByteSet {
        var result = self
        let letters: UInt64 = 0x07FF_FFFE
        let upper = words.1 & letters
        let lower = words.1 &>> 32 & letters
        result.words.1 |= upper &<< 32 | lower
        return result
    }

    /// A byte that says which of the eight parts have values, then these parts.
    func write(to writer: inout ByteWriter) {
        let parts = [words.0, words.1, words.2, words.3].flatMap {
            [UInt32(truncatingIfNeeded: $0), UInt32(truncatingIfNeeded: $0 >> 32)]
        }
        var present: UInt8 = 0
        for (index, part) in parts.enumerated() where part != 0 { present |= 1 << UInt8(index) }
        writer.write(present)
        for part in parts where part != 0 { writer.write(part) }
    }

    init(_ reader: inout ByteReader) throws(BytesError) {
        let present = try reader.uint8()
        for index in 0..<8 where present >> UInt8(index) & 1 != 0 {
            let part = UInt64(try reader.uint32()) << UInt64((index & 1) * 32)
            switch index >> 1 {
            case 0: words.0 |= part
            case 1: words.1 |= part
            case 2: words.2 |= part
            default: words.3 |= part
            }
        }
    }

    static func == (left: ByteSet, right: ByteSet) -> Bool {
        left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
            && left.words.3 == right.words.3
    }
}

extension ByteSet {
    /// The bytes of a short text.
    init(small text: UnsafeRawBufferPointer) {
        self.init()
        for byte in text { insert(byte) }
    }
}
