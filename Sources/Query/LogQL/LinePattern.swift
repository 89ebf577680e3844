/// `<method> <path> (<status>)`: a line as literal texts with captures between them. `<_>` captures nothing.
///
/// A capture ends where the literal behind it first occurs; the last one takes the rest.
public struct LinePattern: Sendable, Equatable {
    /// A piece of it.
    enum Piece: Sendable, Equatable {
        case literal([UInt8])
        /// A capture; nil without a name.
        case capture(String?)
    }

    let pieces: [Piece]

    /// The names of the captures, in order.
    public var names: [String] {
        pieces.compactMap { piece in
            if case .capture(let name) = piece { return name }
            return nil
        }
    }

    /// Reads a pattern of the parser `pattern`: it has a named capture, no two captures touch, no name comes twice.
    init(parser text: String) throws(QueryError) {
        pieces = Self.pieces(text)
        guard !pieces.isEmpty else {
            throw QueryError(.syntax, "syntax error: unexpected $end, expecting IDENTIFIER or LITERAL")
        }
        let names = names
        guard !names.isEmpty else { throw QueryError(.syntax, "at least one capture is required") }
        try refuseTouching()
        for (place, name) in names.enumerated() where names[..<place].contains(name) {
            throw QueryError(.syntax, "duplicate capture name (\(name)): invalid expression")
        }
    }

    /// Reads a pattern of the line filters `|>` and `!>`: its captures have no names.
    init(filter text: String) throws(QueryError) {
        pieces = Self.pieces(text)
        guard names.isEmpty else { throw QueryError(.syntax, "named captures are not allowed") }
        try refuseTouching()
    }

    private func refuseTouching() throws(QueryError) {
        for (first, second) in zip(pieces, pieces.dropFirst()) {
            if case .capture = first, case .capture = second {
                throw QueryError(.syntax, "found consecutive capture: invalid expression")
            }
        }
    }

    private static func pieces(_ text: String) -> [Piece] {
        let bytes = Array(text.utf8)
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if let end = captureEnd(bytes, position) {
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = []
                let name = String(decoding: bytes[position + 1..<end], as: UTF8.self)
                pieces.append(.capture(name == "_" ? nil : name))
                position = end + 1
            } else {
                literal.append(bytes[position])
                position += 1
            }
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        return pieces
    }

    /// Where the `>` of a capture stands.
    private static func captureEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard bytes[start] == UInt8(ascii: "<") else { return nil }
        var end = start + 1
        while end < bytes.count, isName(bytes[end], isFirst: end == start + 1) { end += 1 }
        return end > start + 1 && end < bytes.count && bytes[end] == UInt8(ascii: ">") ? end : nil
    }

    private static func isName(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
        default: false
        }
    }
}

extension LinePattern {
    /// Gives the text of each named capture by its index; those behind a literal that is missing are not given.
    func captures(_ line: UnsafeRawBufferPointer, _ body: (Int, UnsafeRawBufferPointer) -> Void) {
        guard !line.isEmpty else { return }
        var position = 0
        var index = 0
        var rest = pieces[...]
        if case .literal(let text) = rest.first {
            guard ByteFinder.first(text, in: line, from: 0) == 0 else { return }
            position = text.count
            rest = rest.dropFirst()
        }
        while case .capture(let name) = rest.first {
            rest = rest.dropFirst()
            var end: Int?
            var length = 0
            if case .literal(let text) = rest.first {
                rest = rest.dropFirst()
                end = ByteFinder.first(text, in: line, from: position)
                length = text.count
            }
            if name != nil {
                body(index, UnsafeRawBufferPointer(rebasing: line[position..<(end ?? line.count)]))
                index += 1
            }
            guard let end else { return }
            position = end + length
        }
    }

    /// Whether the whole line is of this form; a capture takes at least a byte.
    func matches(_ line: UnsafeRawBufferPointer) -> Bool {
        guard !line.isEmpty, !pieces.isEmpty else { return line.isEmpty && pieces.isEmpty }
        var position = 0
        for (place, piece) in pieces.enumerated() {
            guard case .literal(let text) = piece else { continue }
            guard let found = ByteFinder.first(text, in: line, from: position) else { return false }
            if place != 0, found == position { return false }
            position = found + text.count
        }
        if case .capture = pieces.last { return position < line.count }
        return position == line.count
    }
}
