import Telemetry

/// Where a value is in JSON: `a.b[0]["c d"]`.
struct FieldPath: Sendable, Equatable {
    let steps: [JSONStep]

    /// Reads a path.
    init(_ text: String) throws(QueryError) {
        let invalid = QueryError(.syntax, "cannot parse expression [\(text)]: syntax error")
        var steps: [JSONStep] = []
        var rest = Array(text.utf8)[...]
        guard !rest.isEmpty else { throw invalid }
        var needsName = true
        while let byte = rest.first {
            if byte == UInt8(ascii: "["), !steps.isEmpty || needsName {
                guard let close = Self.bracketEnd(rest) else { throw invalid }
                let inside = rest[(rest.startIndex + 1)..<close]
                guard let step = Self.bracketed(inside) else { throw invalid }
                steps.append(step)
                rest = rest[(close + 1)...]
                needsName = false
            } else if byte == UInt8(ascii: "."), !needsName {
                rest = rest.dropFirst()
                needsName = true
            } else {
                let name = rest.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "[") }
                guard needsName, Self.isName(name) else { throw invalid }
                steps.append(.name(Array(name)))
                rest = rest.dropFirst(name.count)
                needsName = false
            }
        }
        guard !needsName else { throw invalid }
        self.steps = steps
    }

    /// Where the bracket that begins a text closes, quotes passed over.
    private static func bracketEnd(_ text: ArraySlice<UInt8>) -> Int? {
        var isQuoted = false
        var position = text.startIndex + 1
        while position < text.endIndex {
            switch text[position] {
            case UInt8(ascii: "\\") where isQuoted: position += 1
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "]") where !isQuoted: return position
            default: break
            }
            position += 1
        }
        return nil
    }

    private static func bracketed(_ text: ArraySlice<UInt8>) -> JSONStep? {
        guard text.count >= 2, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") else {
            guard let index = Int(String(decoding: text, as: UTF8.self)), index >= 0 else { return nil }
            return .index(index)
        }
        let inside = Array(text.dropFirst().dropLast())
        return inside.withUnsafeBytes { QuotedText.unquote($0) }.map { .name(Array($0.utf8)) }
    }

    private static func isName(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, first < UInt8(ascii: "0") || first > UInt8(ascii: "9") else { return false }
        return text.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
