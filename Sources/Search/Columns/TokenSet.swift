/// What words are to the filters: a token is a longest run of ASCII letters, digits, underscores and bytes from 0x80 on.
enum Token {
    /// Shorter ones are not kept: they occur nearly everywhere.
    static let minimumBytes = 3
    /// Lower case: the filter serves searches that ignore case, too.
    static let folding: UInt64 = 0x2020_2020_2020_2020

    /// What a byte is: 0 no part of a token, 1 a letter, an underscore or a byte from 0x80 on, 2 a digit.
    static let classes: [UInt8] = (0..<256).map { value in
        switch UInt8(value) {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): 2
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): 1
        case 0x80...: 1
        default: 0
        }
    }

    static func hash(_ base: UnsafeRawPointer, count: Int) -> UInt64 {
        TextHash.hash(base, count: count, folding: folding)
    }
}

/// The hashes of the distinct tokens of a chunk.
struct TokenSet {
    private var table: [UInt64] = [UInt64](repeating: 0, count: 1 << 12)
    private(set) var count = 0
    /// The longest token with a digit in it.
    private(set) var longestWithDigit = 0
    /// The longest token without.
    private(set) var longestWord = 0
    private let classes = Token.classes

    mutating func removeAll() {
        if table.count > 1 << 17 {
            table = [UInt64](repeating: 0, count: 1 << 12)
        } else {
            table.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        }
        (count, longestWithDigit, longestWord) = (0, 0, 0)
    }

    /// The hashes, in no order.
    func forEach(_ body: (UInt64) -> Void) {
        for hash in table where hash != 0 { body(hash) }
    }

    mutating func insert(_ token: UInt64) {
        let hash = token == 0 ? 1 : token
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while table[slot] != 0 {
            if table[slot] == hash { return }
            slot = (slot + 1) & mask
        }
        table[slot] = hash
        count += 1
        if count * 2 > table.count { grow() }
    }

    private mutating func grow() {
        let old = table
        table = [UInt64](repeating: 0, count: old.count * 2)
        let mask = table.count - 1
        for hash in old where hash != 0 {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while table[slot] != 0 { slot = (slot + 1) & mask }
            table[slot] = hash
        }
    }

    /// Adds the tokens within a text; those at its edges end there.
    mutating func insert(tokensOf text: TextRange, in bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        var place = Int(text.start)
        let end = Int(text.end)
        // Safe because places stay in front of the range's end, which lies within the bytes, and a class has an entry
        // for each byte.
        let classes = classes
        classes.withUnsafeBufferPointer { classes in
            while place < end {
                while place < end, classes[Int(base.load(fromByteOffset: place, as: UInt8.self))] == 0 { place &+= 1 }
                let start = place
                var kinds: UInt8 = 0
                while place < end {
                    let kind = classes[Int(base.load(fromByteOffset: place, as: UInt8.self))]
                    if kind == 0 { break }
                    kinds |= kind
                    place &+= 1
                }
                let length = place &- start
                if length >= Token.minimumBytes {
                    if kinds & 2 != 0 {
                        longestWithDigit = max(longestWithDigit, length)
                    } else {
                        longestWord = max(longestWord, length)
                    }
                    insert(Token.hash(base + start, count: length))
                }
            }
        }
    }

    /// Adds the tokens of a text and those that reach over its edges, whole.
    mutating func insert(tokensAround text: TextRange, in bytes: UnsafeRawBufferPointer) {
        var wide = text
        while wide.start > 0, classes[Int(bytes[Int(wide.start) - 1])] != 0 { wide.start -= 1 }
        while Int(wide.end) < bytes.count, classes[Int(bytes[Int(wide.end)])] != 0 { wide.end += 1 }
        insert(tokensOf: wide, in: bytes)
    }
}
