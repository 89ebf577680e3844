/// A place in a configuration file.
struct FilePlace: Sendable, Equatable, CustomStringConvertible {
    let file: String
    /// From 1, as the column; 0: the file as a whole.
    var line = 0
    var column = 0

    /// `FILE:LINE:COLUMN`, or `FILE`.
    var description: String { line == 0 ? file : "\(file):\(line):\(column)" }
}

/// Something wrong with the configuration, for a person: one line.
struct Mistake: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nil for flags and variables, which the message names.
    let place: FilePlace?
    let message: String

    var description: String { place.map { "\($0): \(message)" } ?? message }

    init(_ place: FilePlace?, _ message: String) {
        self.place = place
        self.message = message
    }

    /// In the order of the file; what has no place comes last.
    static func sorted(_ mistakes: [Mistake]) -> [Mistake] {
        mistakes.enumerated().sorted { one, other in
            let (first, second) = (one.element.place, other.element.place)
            return (first?.line ?? .max, first?.column ?? 0, one.offset)
                < (second?.line ?? .max, second?.column ?? 0, other.offset)
        }.map(\.element)
    }

    /// A text from outside as a message shows it: quoted, on one line, at most 80 letters.
    static func quoted(_ text: some StringProtocol) -> String {
        var result = "\""
        for scalar in text.unicodeScalars.prefix(80) {
            let isControl = scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
            result += isControl ? "?" : String(scalar)
        }
        return result + (text.unicodeScalars.count > 80 ? "…\"" : "\"")
    }
}

/// Why nothing was started: every mistake that was found.
struct ConfigurationFailure: Error, CustomStringConvertible {
    let mistakes: [Mistake]

    init(mistakes: [Mistake]) {
        self.mistakes = Mistake.sorted(mistakes)
    }

    /// As many are told; more would scroll the first away.
    static let maximumTold = 20

    /// A line each.
    var description: String {
        var lines = mistakes.prefix(Self.maximumTold).map(\.description)
        let rest = mistakes.count - lines.count
        if rest > 0 { lines.append("and \(rest) more") }
        return lines.joined(separator: "\n")
    }

    /// Writes a line each to STDERR, and where to look.
    func report() {
        for line in description.split(separator: "\n") { StandardError.write("error: \(line)\n") }
        StandardError.write("hint: `millrace config` shows every setting, `millrace help serve` every option\n")
    }
}
