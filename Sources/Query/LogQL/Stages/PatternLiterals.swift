/// What a regular expression says in plain letters: it may be nothing but a text, and it may need texts.
struct PatternLiterals: Sendable {
    /// What the whole of it is.
    enum Whole: Sendable, Equatable {
        case text([UInt8])
        /// In lower case.
        case textIgnoringCase([UInt8])
        case other
    }

    let whole: Whole
    /// Every match holds one of these; empty if none are known.
    let needs: [[UInt8]]

    /// The shortest text that is worth looking for.
    private static let minimumBytes = 3

    init(_ text: String) {
        let bytes = Array(text.utf8)
        if let plain = Self.unescaped(bytes[...]) {
            whole = .text(plain)
            needs = [plain]
        } else if bytes.starts(with: "(?i)".utf8), let plain = Self.unescaped(bytes[4...]),
            plain.allSatisfy({ $0 < 0x80 })
        {
            whole = .textIgnoringCase(plain.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 })
            needs = []
        } else {
            whole = .other
            needs = Self.needs(bytes)
        }
    }

    /// The text that a pattern without any operator means.
    private static func unescaped(_ pattern: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var position = pattern.startIndex
        while position < pattern.endIndex {
            let byte = pattern[position]
            if byte == UInt8(ascii: "\\") {
                position += 1
                guard position < pattern.endIndex, isOperator(pattern[position]) else { return nil }
                result.append(pattern[position])
            } else if isOperator(byte) {
                return nil
            } else {
                result.append(byte)
            }
            position += 1
        }
        return result
    }

    private static func isOperator(_ byte: UInt8) -> Bool { #"\.+*?()|[]{}^$"#.utf8.contains(byte) }

    /// For each alternative its longest text outside parentheses; none if one has too short a text, or flags stand in it.
    private static func needs(_ pattern: [UInt8]) -> [[UInt8]] {
        guard !text(pattern, contains: "(?"), !text(pattern, contains: "\\Q") else { return [] }
        var result: [[UInt8]] = []
        var best: [UInt8] = []
        var run: [UInt8] = []
        var depth = 0
        var position = 0
        func endRun() {
            if run.count > best.count { best = run }
            run = []
        }
        while position < pattern.count {
            let byte = pattern[position]
            var literal: UInt8?
            switch byte {
            case UInt8(ascii: "\\"):
                position += 1
                guard position < pattern.count else { return [] }
                if isOperator(pattern[position]) {
                    literal = pattern[position]
                } else if !"dDwWsSbBAznrtfva".utf8.contains(pattern[position]) {
                    // The rest of a longer escape would be taken for text.
                    return []
                }
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "["): position = classEnd(pattern, position)
            case UInt8(ascii: "|") where depth == 0:
                endRun()
                guard best.count >= minimumBytes else { return [] }
                result.append(best)
                best = []
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "{"):
                // What stands in front may be missing.
                while let last = run.popLast(), last & 0xC0 == 0x80 {}
                endRun()
                if byte == UInt8(ascii: "{") {
                    while position < pattern.count, pattern[position] != UInt8(ascii: "}") { position += 1 }
                }
            default: literal = isOperator(byte) ? nil : byte
            }
            if depth == 0, let literal { run.append(literal) } else { endRun() }
            position += 1
        }
        endRun()
        guard best.count >= minimumBytes else { return [] }
        return result + [best]
    }

    private static func text(_ pattern: [UInt8], contains text: String) -> Bool {
        let needle = Array(text.utf8)
        return pattern.withUnsafeBytes { ByteFinder.first(needle, in: $0, from: 0) != nil }
    }

    /// Where a class of characters ends.
    private static func classEnd(_ pattern: [UInt8], _ start: Int) -> Int {
        var position = start + 1
        if position < pattern.count, pattern[position] == UInt8(ascii: "^") { position += 1 }
        if position < pattern.count, pattern[position] == UInt8(ascii: "]") { position += 1 }
        while position < pattern.count, pattern[position] != UInt8(ascii: "]") {
            if pattern[position] == UInt8(ascii: "\\") { position += 1 }
            position += 1
        }
        return position
    }
}
