/// Internet addresses in texts: `1.2.3.4`, `1.2.3.0/24`, `1.2.3.4-1.2.3.9`, and the same of version 6.
struct AddressFilter: Sendable {
    private let first: Address
    private let last: Address

    /// An address; those of version 4 are apart from those of version 6.
    struct Address: Sendable, Equatable, Comparable {
        var isLong: Bool
        var high: UInt64
        var low: UInt64

        static func < (left: Address, right: Address) -> Bool {
            (left.high, left.low) < (right.high, right.low)
        }
    }

    /// Reads an address, a prefix or a range.
    init(_ text: String) throws(QueryError) {
        let invalid = QueryError(.syntax, "ip: invalid pattern: \(goQuoted(text))")
        let bytes = Array(text.utf8)
        if let address = Self.parse(bytes[...]) {
            (first, last) = (address, address)
        } else if let slash = bytes.firstIndex(of: UInt8(ascii: "/")) {
            let digits = String(decoding: bytes[(slash + 1)...], as: UTF8.self)
            guard let address = Self.parse(bytes[..<slash]), let length = Int(digits), length >= 0,
                length <= (address.isLong ? 128 : 32), !digits.hasPrefix("+")
            else { throw invalid }
            (first, last) = Self.prefix(address, length)
        } else if let dash = bytes.firstIndex(of: UInt8(ascii: "-")) {
            guard let start = Self.parse(bytes[..<dash]), let end = Self.parse(bytes[(dash + 1)...]),
                start.isLong == end.isLong, start <= end
            else { throw invalid }
            (first, last) = (start, end)
        } else {
            throw invalid
        }
    }

    private static func prefix(_ address: Address, _ length: Int) -> (Address, Address) {
        let free = (address.isLong ? 128 : 32) - length
        let lowMask: UInt64 = free >= 64 ? .max : (1 << UInt64(free)) &- 1
        let highMask: UInt64 = free <= 64 ? 0 : free >= 128 ? .max : (1 << UInt64(free - 64)) &- 1
        var (start, end) = (address, address)
        start.high &= ~highMask
        start.low &= ~lowMask
        end.high |= highMask
        end.low |= lowMask
        if !address.isLong { end.low &= 0xFFFF_FFFF }
        return (start, end)
    }

    /// Whether an address is among those meant.
    func contains(_ address: Address) -> Bool {
        address.isLong == first.isLong && address >= first && address <= last
    }

    /// Whether an address that is meant stands anywhere in a text.
    func occurs(in line: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position < line.count {
            if Self.mayBeShort(line, position) {
                let end = Self.span(line, position) { Self.isDigit($0) || $0 == UInt8(ascii: ".") }
                if let address = Self.parse(Array(line[position..<end])[...]), contains(address) { return true }
                position = end
            } else if Self.mayBeLong(line, position) {
                let end = Self.span(line, position) {
                    Self.hex($0) != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
                }
                if let address = Self.parse(Array(line[position..<end])[...]), contains(address) { return true }
                position = end
            }
            position += 1
        }
        return false
    }

    private static func mayBeShort(_ line: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        guard position + 3 < line.count, isDigit(line[position]) else { return false }
        return (1...3).contains { line[position + $0] == UInt8(ascii: ".") }
    }

    private static func mayBeLong(_ line: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        guard position + 4 < line.count else { return false }
        let colon = UInt8(ascii: ":")
        if line[position] == colon { return line[position + 1] == colon && hex(line[position + 2]) != nil }
        for distance in 0..<5 {
            if line[position + distance] == colon { return distance > 0 }
            if hex(line[position + distance]) == nil { return false }
        }
        return false
    }

    private static func span(_ line: UnsafeRawBufferPointer, _ start: Int, _ holds: (UInt8) -> Bool) -> Int {
        var end = start
        while end < line.count, holds(line[end]) { end += 1 }
        return end
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private static func hex(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

/// Reading addresses.
extension AddressFilter {
    static func parse(_ text: ArraySlice<UInt8>) -> Address? {
        text.contains(UInt8(ascii: ":")) ? parseLong(text) : parseShort(text)
    }

    private static func parseShort(_ text: ArraySlice<UInt8>) -> Address? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt64 = 0
        for part in parts {
            guard !part.isEmpty, part.count <= 3, part.allSatisfy(isDigit) else { return nil }
            // Leading zeros might be octal: Go refuses them.
            guard part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            let number = part.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        return Address(isLong: false, high: 0, low: value)
    }

    private static func parseLong(_ text: ArraySlice<UInt8>) -> Address? {
        var groups: [UInt64] = []
        var gap: Int?
        var rest = text
        if rest.starts(with: "::".utf8) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let word = rest.prefix { hex($0) != nil }
            let behind = rest.dropFirst(word.count)
            if behind.first == UInt8(ascii: ".") {
                guard let short = parseShort(rest) else { return nil }
                groups += [short.low >> 16, short.low & 0xFFFF]
                break
            }
            guard !word.isEmpty, word.count <= 4 else { return nil }
            groups.append(word.reduce(0) { $0 << 4 | (hex($1) ?? 0) })
            rest = behind
            if rest.isEmpty { break }
            guard rest.first == UInt8(ascii: ":") else { return nil }
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        return Address(
            isLong: true, high: groups[..<4].reduce(0) { $0 << 16 | $1 }, low: groups[4...].reduce(0) { $0 << 16 | $1 })
    }
}
