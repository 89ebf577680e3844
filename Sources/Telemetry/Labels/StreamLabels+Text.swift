/// Why a text is no set of labels.
public struct LabelsTextError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The line of the text, from 1.
    public let line: Int
    /// The column in bytes, from 1.
    public let column: Int
    /// What is wrong, in the words of Prometheus's parser.
    public let message: String

    /// "1:5: parse error: MESSAGE".
    public var description: String { "\(line):\(column): parse error: \(message)" }
}

/// The canonical text: names in order, values quoted as Go does, no spaces.
extension StreamLabels {
    /// `{app="x",host="y"}`; without labels `{}`.
    public var text: String {
        "{" + labels.map { $0.name + "=" + QuotedText.quote($0.value) }.joined(separator: ",") + "}"
    }

    /// Reads a text: any order, white space, single, double or back quotes, a comma behind the last label. A label
    /// without a value is left out.
    ///
    /// - Throws: where the text is wrong; a name that stands there twice is wrong too.
    public init(text: String) throws(LabelsTextError) {
        var text = text
        let outcome = text.withUTF8 { bytes -> Result<StreamLabels, LabelsTextError> in
            do throws(LabelsTextError) {
                return .success(try StreamLabels(bytes: UnsafeRawBufferPointer(bytes)))
            } catch {
                return .failure(error)
            }
        }
        self = try outcome.get()
    }

    /// Reads a text from its bytes.
    public init(bytes: UnsafeRawBufferPointer) throws(LabelsTextError) {
        var reader = LabelsTextReader(bytes)
        let read = try reader.labels()
        // Canonical text is in order already; anything else goes the long way.
        if Self.isOrdered(read) { self.init(ordered: read) } else { self.init(read) }
    }

    private static func isOrdered(_ labels: [Label]) -> Bool {
        for index in labels.indices {
            if labels[index].value.isEmpty { return false }
            if index > 0, !labels[index - 1].name.utf8.lexicographicallyPrecedes(labels[index].name.utf8) {
                return false
            }
        }
        return true
    }
}

/// Reads `{name="value", …}`.
private struct LabelsTextReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func labels() throws(LabelsTextError) -> [StreamLabels.Label] {
        skipSpace()
        guard take(UInt8(ascii: "{")) else { throw unexpected("") }
        var labels: [StreamLabels.Label] = []
        skipSpace()
        while !take(UInt8(ascii: "}")) {
            let start = position
            guard let name = name() else { throw unexpected(" in label set, expected identifier or \"}\"") }
            skipSpace()
            guard take(UInt8(ascii: "=")) else { throw unexpected(" in label set, expected \"=\"") }
            skipSpace()
            let value = try value()
            if labels.contains(where: { $0.name == name }) { throw fail("duplicate label name: '\(name)'", at: start) }
            labels.append(StreamLabels.Label(name, value))
            skipSpace()
            if take(UInt8(ascii: ",")) {
                skipSpace()
            } else if peek != UInt8(ascii: "}") {
                throw unexpected(" in label set, expected \",\" or \"}\"")
            }
        }
        skipSpace()
        guard position == bytes.count else { throw unexpected("") }
        return labels
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) { position += 1 }
    }

    private mutating func name() -> String? {
        guard let first = peek, first < UInt8(ascii: "0") || first > UInt8(ascii: "9") else { return nil }
        let start = position
        while let byte = peek, FieldText.isNameByte(byte) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    private mutating func value() throws(LabelsTextError) -> String {
        guard let quote = peek, [UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`")].contains(quote) else {
            throw unexpected(" in label set, expected string")
        }
        let start = position
        var end = start + 1
        while end < bytes.count, bytes[end] != quote {
            if bytes[end] == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") { end += 1 }
            end += 1
        }
        guard end < bytes.count else { throw fail("unterminated quoted string", at: start) }
        let inside = UnsafeRawBufferPointer(rebasing: bytes[start + 1..<end])
        position = end + 1
        if quote == UInt8(ascii: "`") { return String(decoding: inside, as: UTF8.self) }
        guard let value = QuotedText.unquote(inside, quote: quote) else { throw fail("invalid escape", at: start) }
        return value
    }

    private func unexpected(_ context: String) -> LabelsTextError {
        guard let byte = peek else { return fail("unexpected end of input\(context)", at: position) }
        if FieldText.isNameByte(byte) {
            var end = position
            while end < bytes.count, end < position + 64, FieldText.isNameByte(bytes[end]) { end += 1 }
            let word = String(decoding: bytes[position..<end], as: UTF8.self)
            return fail("unexpected identifier \"\(word)\"\(context)", at: position)
        }
        let character = String(decoding: bytes[position...].prefix(4), as: UTF8.self).prefix(1)
        return fail("unexpected character: '\(character)'\(context)", at: position)
    }

    private func fail(_ message: String, at place: Int) -> LabelsTextError {
        let before = bytes[..<place]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let line = before.count { $0 == 0x0A } + 1
        return LabelsTextError(line: line, column: place - lineStart + 1, message: message)
    }
}
