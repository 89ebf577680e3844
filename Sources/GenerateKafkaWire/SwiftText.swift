/// Swift source text, built line by line.
struct SwiftText {
    private(set) var text: String
    private var depth = 0

    init(header: String) { text = header }

    /// Appends a line; an empty one separates.
    mutating func line(_ line: String = "") {
        if !line.isEmpty { text += String(repeating: "    ", count: depth) + line }
        text += "\n"
    }

    /// Appends a documentation comment, wrapped to 120 columns.
    mutating func documentation(_ documentation: String) {
        let width = 120 - 4 * depth - 4
        var current = ""
        for word in documentation.split(separator: " ") {
            if !current.isEmpty, current.count + 1 + word.count > width {
                line("/// " + current)
                current = ""
            }
            current += current.isEmpty ? String(word) : " " + word
        }
        if !current.isEmpty { line("/// " + current) }
    }

    /// Appends `head {`, what `body` appends, and `}`.
    mutating func block(_ head: String, _ body: (inout SwiftText) -> Void) {
        line(head + " {")
        depth += 1
        body(&self)
        depth -= 1
        line("}")
    }

    /// Appends what `body` appends, inside `if condition { … }` unless the condition is nil.
    mutating func conditional(_ condition: String?, _ body: (inout SwiftText) -> Void) {
        if let condition { block("if \(condition)", body) } else { body(&self) }
    }
}

/// The words that a property cannot be called without backticks.
private let reservedWords: Set<String> = [
    "protocol", "default", "operator", "public", "internal", "in", "is", "as", "self", "extension", "where",
]

/// A property name, in backticks where Swift needs them.
func swiftIdentifier(_ name: String) -> String {
    reservedWords.contains(name) ? "`\(name)`" : name
}

/// The test whether a version is in `range`, for code that runs for `enclosing` only; nil if it always is.
func versionCondition(_ range: ClosedRange<Int16>, within enclosing: ClosedRange<Int16>) -> String? {
    let lower = range.lowerBound > enclosing.lowerBound ? "version >= \(range.lowerBound)" : nil
    let upper = range.upperBound < enclosing.upperBound ? "version <= \(range.upperBound)" : nil
    let conditions = [lower, upper].compactMap { $0 }
    return conditions.isEmpty ? nil : conditions.joined(separator: ", ")
}
