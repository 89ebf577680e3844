/// The codes by which programs colour what they print on terminals.
enum ColorCodes {
    /// The pattern that Loki's `decolorize` removes, as everybody does: an escape, its parameters, a letter.
    static let pattern =
        "[\\x{1B}\\x{9B}][\\[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\\x07)|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))"

    /// Whether anything in a line can be such a code.
    static func mayOccur(in line: UnsafeRawBufferPointer) -> Bool { line.contains(0x1B) || line.contains(0x9B) }
}
