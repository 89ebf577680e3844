/// Finds texts of which every match of a regular expression holds one: lines without them need no matching. What it does
/// not know it takes for "no text", which is never wrong.
struct PatternTexts {
    /// The most alternatives of texts; more would cost more than they spare.
    private static let maximumAlternatives = 16

    /// What is known of a part: the texts that it is, if these are few; else texts of which every match holds one.
    private struct Part {
        /// All texts that the part matches, if they are known.
        var exact: [[UInt8]]?
        /// Texts of which every match holds one; empty if none is known.
        var needs: [[UInt8]] = []

        static let unknown = Part(exact: nil)
        static let nothing = Part(exact: [[]])

        /// The shorter the text, the more lines have it.
        var strength: Int { needs.map(\.count).min() ?? 0 }

        /// What must occur: the needs, or the texts themselves.
        var required: Part {
            guard let exact, !exact.contains([]) else { return self }
            let candidate = Part(exact: nil, needs: exact)
            return candidate.strength >= strength ? candidate : self
        }
    }

    private let source: [UInt8]
    private var index = 0
    private var isFolded = false
    private var failed = false
    /// Whether something asks for a place (`^`, `\b`): then a text in it is not all that a match needs.
    private var hasAssertions = false

    private init(_ text: String) { source = Array(text.utf8) }

    /// The texts; empty if every line may match.
    static func required(by pattern: String) -> [[UInt8]] {
        var reader = PatternTexts(pattern)
        let part = reader.alternation()
        guard !reader.failed, reader.index == reader.source.count else { return [] }
        return part.required.needs
    }

    /// The texts of which a line must hold one to match; empty if it takes more than that.
    static func equivalent(to pattern: String) -> [[UInt8]] {
        var reader = PatternTexts(pattern)
        let part = reader.alternation()
        guard !reader.failed, !reader.hasAssertions, reader.index == reader.source.count else { return [] }
        return part.exact ?? []
    }

    private mutating func alternation() -> Part {
        var parts = [sequence()]
        while index < source.count, source[index] == UInt8(ascii: "|") {
            index += 1
            parts.append(sequence())
        }
        guard parts.count > 1 else { return parts[0] }
        let exact = parts.compactMap(\.exact)
        if exact.count == parts.count, exact.joined().count <= Self.maximumAlternatives {
            return Part(exact: Array(exact.joined()))
        }
        let required = parts.map(\.required.needs)
        guard !required.contains(where: \.isEmpty), required.joined().count <= Self.maximumAlternatives else {
            return .unknown
        }
        return Part(exact: nil, needs: Array(required.joined()))
    }

    private mutating func sequence() -> Part {
        var best = Part.unknown
        // The texts that stand directly in front, while they are known.
        var run: [[UInt8]] = [[]]
        func close(_ run: [[UInt8]]) {
            let part = Part(exact: run).required
            if part.strength > best.strength { best = part }
        }
        var isExact = true
        while index < source.count, source[index] != UInt8(ascii: "|"), source[index] != UInt8(ascii: ")") {
            let part = repeated()
            if failed { return .unknown }
            if let texts = part.exact, texts.count * run.count <= Self.maximumAlternatives {
                run = run.flatMap { front in texts.map { front + $0 } }
                continue
            }
            close(run)
            isExact = false
            run = part.exact ?? [[]]
            if part.strength > best.strength { best = part }
        }
        if isExact { return Part(exact: run) }
        close(run)
        return best
    }

    /// A part with what repeats it.
    private mutating func repeated() -> Part {
        let part = atom()
        guard !failed, index < source.count else { return part }
        switch source[index] {
        case UInt8(ascii: "*"), UInt8(ascii: "?"):
            skipRepetition()
            return .unknown
        case UInt8(ascii: "+"):
            skipRepetition()
            return Part(exact: nil, needs: part.required.needs)
        case UInt8(ascii: "{"):
            guard let least = count() else { return part }
            if index < source.count, source[index] == UInt8(ascii: "?") { index += 1 }
            return least == 0 ? .unknown : Part(exact: nil, needs: part.required.needs)
        default: return part
        }
    }

    private mutating func skipRepetition() {
        index += 1
        if index < source.count, source[index] == UInt8(ascii: "?") { index += 1 }
    }

    /// The least number of `{2,5}`; nil if the brace is a character of the text.
    private mutating func count() -> Int? {
        guard let end = source[index...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let inside = source[(index + 1)..<end]
        guard inside.first.map({ $0 >= 48 && $0 <= 57 }) ?? false,
            inside.allSatisfy({ $0 == UInt8(ascii: ",") || ($0 >= 48 && $0 <= 57) })
        else { return nil }
        index = end + 1
        return Int(String(decoding: inside.prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self))
    }

    private mutating func atom() -> Part {
        let byte = source[index]
        switch byte {
        case UInt8(ascii: "("): return group()
        case UInt8(ascii: "["):
            skipClass()
            return .unknown
        case UInt8(ascii: "."):
            index += 1
            return .unknown
        case UInt8(ascii: "^"), UInt8(ascii: "$"):
            index += 1
            hasAssertions = true
            return .nothing
        case UInt8(ascii: "\\"): return escape()
        default:
            // A whole character, so that a repetition behind it repeats all of it.
            var end = index + 1
            while end < source.count, source[end] & 0xC0 == 0x80 { end += 1 }
            defer { index = end }
            return literal(Array(source[index..<end]))
        }
    }

    private func literal(_ text: [UInt8]) -> Part {
        // Letters of either case: the text is not known. Beyond ASCII there are letters that fold into ASCII ones.
        let isLetter = text.contains { $0 >= 0x80 || ($0 | 0x20 >= 97 && $0 | 0x20 <= 122) }
        return isFolded && isLetter ? .unknown : Part(exact: [text])
    }

    private mutating func group() -> Part {
        index += 1
        let outer = isFolded
        if index < source.count, source[index] == UInt8(ascii: "?") {
            guard readFlags() else { return .nothing }
        }
        let part = alternation()
        guard index < source.count, source[index] == UInt8(ascii: ")") else {
            failed = true
            return .unknown
        }
        index += 1
        isFolded = outer
        return part
    }

    /// Reads `?P<name>`, `?:`, `?i:`; false if it was `?i)`, flags for what follows.
    private mutating func readFlags() -> Bool {
        index += 1
        if index < source.count, source[index] == UInt8(ascii: "P") || source[index] == UInt8(ascii: "<") {
            index = source[index...].firstIndex(of: UInt8(ascii: ">")).map { $0 + 1 } ?? source.count
            return true
        }
        var enables = true
        while index < source.count {
            let byte = source[index]
            index += 1
            switch byte {
            case UInt8(ascii: "-"): enables = false
            case UInt8(ascii: "i"): isFolded = enables
            case UInt8(ascii: ":"): return true
            case UInt8(ascii: ")"): return false
            default: break
            }
        }
        failed = true
        return false
    }

    private mutating func skipClass() {
        index += 1
        if index < source.count, source[index] == UInt8(ascii: "^") { index += 1 }
        if index < source.count, source[index] == UInt8(ascii: "]") { index += 1 }
        while index < source.count, source[index] != UInt8(ascii: "]") {
            if source[index] == UInt8(ascii: "\\") { index += 1 }
            if index + 1 < source.count, source[index] == UInt8(ascii: "["), source[index + 1] == UInt8(ascii: ":") {
                // `[:alpha:]` ends with a bracket that is not the class's.
                while index < source.count, source[index] != UInt8(ascii: "]") { index += 1 }
            }
            index += 1
        }
        index += 1
        if index > source.count { failed = true }
    }

    private mutating func escape() -> Part {
        guard index + 1 < source.count else {
            failed = true
            return .unknown
        }
        let letter = source[index + 1]
        index += 2
        switch letter {
        case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "A"), UInt8(ascii: "z"):
            hasAssertions = true
            return .nothing
        case UInt8(ascii: "n"): return literal([0x0A])
        case UInt8(ascii: "t"): return literal([0x09])
        case UInt8(ascii: "r"): return literal([0x0D])
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
            // Classes of characters; what has a body (`\x41`, `\p{Greek}`, `\Q`) is not looked into.
            if [UInt8](("xpPQ0").utf8).contains(letter) || letter >= 0x80 || (letter >= 48 && letter <= 57) {
                failed = true
            }
            return .unknown
        default: return literal([letter])
        }
    }
}
