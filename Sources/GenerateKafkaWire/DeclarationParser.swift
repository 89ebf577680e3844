/// What is wrong in a declaration, and where.
struct DeclarationError: Error, CustomStringConvertible {
    var file: String
    var line: Int
    var message: String
    var description: String { "\(file):\(line): \(message)" }
}

/// Reads one declaration file. The language is described in `Sources/KafkaWire/README.md`.
struct DeclarationParser {
    private let file: String
    private let lines: [Line]
    private var next = 0
    private var api = API(key: 0, name: "", versions: 0...0)
    private var nested: [Structure] = []

    /// A line that is not empty: its indentation in steps of two, and its text without the comment.
    private struct Line {
        var number: Int
        var depth: Int
        var words: [String]
        var documentation: String
    }

    static func parse(_ text: String, file: String) throws -> API {
        var parser = try DeclarationParser(text, file: file)
        return try parser.parseAPI()
    }

    private init(_ text: String, file: String) throws {
        self.file = file
        var lines: [Line] = []
        for (index, text) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let indentation = text.prefix { $0 == " " }.count
            let (code, documentation) = DeclarationParser.divide(text.dropFirst(indentation))
            let words = code.split(separator: " ").map(String.init)
            guard !words.isEmpty else { continue }
            guard indentation % 2 == 0 else {
                throw DeclarationError(file: file, line: index + 1, message: "indent in steps of two spaces")
            }
            lines.append(
                Line(number: index + 1, depth: indentation / 2, words: words, documentation: documentation))
        }
        self.lines = lines
    }

    /// Divides a line at `--` into its code and its documentation.
    private static func divide(_ text: Substring) -> (code: Substring, documentation: String) {
        var rest = text
        while let dash = rest.firstIndex(of: "-") {
            let after = text[dash...]
            if after.hasPrefix("-- ") { return (text[..<dash], String(after.dropFirst(3))) }
            rest = after.dropFirst()
        }
        return (text, "")
    }

    private func failure(_ line: Line, _ message: String) -> DeclarationError {
        DeclarationError(file: file, line: line.number, message: message)
    }
}

extension DeclarationParser {
    private mutating func parseAPI() throws -> API {
        guard let head = lines.first else { throw DeclarationError(file: file, line: 1, message: "the file is empty") }
        next = 1
        try parseHead(head)
        api.request = try parseMessage("request", suffix: "Request")
        api.response = try parseMessage("response", suffix: "Response")
        guard next == lines.count else { throw failure(lines[next], "expected the end of the file") }
        return api
    }

    /// `api 0 Produce, versions 3-13, flexible 9+[, response header 0]`
    private mutating func parseHead(_ line: Line) throws {
        let words = line.words.map { $0.last == "," ? String($0.dropLast()) : $0 }
        guard words.count >= 7, words[0] == "api", words[3] == "versions", words[5] == "flexible",
            let key = Int16(words[1])
        else { throw failure(line, "expected: api KEY NAME, versions A-B, flexible C+ (or flexible none)") }
        let bounds = words[4].split(separator: "-").compactMap { Int16($0) }
        guard bounds.count == 2, bounds[0] <= bounds[1] else { throw failure(line, "versions are A-B, with A ≤ B") }
        api = API(key: key, name: words[2], versions: bounds[0]...bounds[1])
        if words[6] != "none" {
            guard words[6].last == "+", let from = Int16(words[6].dropLast()) else {
                throw failure(line, "flexible is C+ or none")
            }
            api.flexibleFrom = from
        }
        api.hasPlainResponseHeader = Array(words[7...]) == ["response", "header", "0"]
        guard words.count == 7 || api.hasPlainResponseHeader else { throw failure(line, "unknown words at the end") }
    }

    private mutating func parseMessage(_ keyword: String, suffix: String) throws -> Structure {
        guard next < lines.count, lines[next].words == [keyword], lines[next].depth == 0 else {
            throw DeclarationError(
                file: file, line: next < lines.count ? lines[next].number : (lines.last?.number ?? 1),
                message: "expected: \(keyword)")
        }
        next += 1
        nested = []
        let message = Structure(name: api.name + suffix, versions: api.versions)
        try parseFields(of: message, depth: 1)
        message.nested = nested
        return message
    }

    private mutating func parseFields(of structure: Structure, depth: Int) throws {
        while next < lines.count, lines[next].depth >= depth {
            let line = lines[next]
            guard line.depth == depth else { throw failure(line, "indented too far") }
            next += 1
            structure.fields.append(try parseField(line, in: structure))
        }
    }

    /// `name type[?[N]] [A..B] [tag N] [= default]`
    private mutating func parseField(_ line: Line, in structure: Structure) throws -> Field {
        guard line.words.count >= 2 else { throw failure(line, "a field has a name and a type") }
        guard !line.documentation.isEmpty else { throw failure(line, "a field has a description behind --") }
        var words = line.words[2...]
        var field = Field(
            name: line.words[0], type: .bool, versions: structure.versions, documentation: line.documentation)
        var typeName = Substring(line.words[1])
        if let mark = typeName.lastIndex(of: "?") {
            let from = typeName[typeName.index(after: mark)...]
            guard from.isEmpty || Int16(from) != nil else { throw failure(line, "nullable is ? or ?VERSION") }
            field.nullableFrom = Int16(from) ?? api.versions.lowerBound
            typeName = typeName[..<mark]
        }
        if let word = words.first, let range = word.range(of: "..", in: structure.versions) {
            guard !range.isEmpty else { throw failure(line, "versions outside those of \(structure.name)") }
            field.versions = range.first.unsafelyUnwrapped...range.last.unsafelyUnwrapped
            words.removeFirst()
        }
        if words.first == "tag" {
            guard words.count >= 2, let tag = Int(words[words.startIndex + 1]) else {
                throw failure(line, "a tag is a number")
            }
            field.tag = tag
            words.removeFirst(2)
        }
        if words.first == "=" {
            guard words.count == 2 else { throw failure(line, "a default is one word") }
            field.defaultText = words.removeLast()
            words.removeFirst()
        }
        guard words.isEmpty else { throw failure(line, "unknown words: \(words.joined(separator: " "))") }
        field.type = try parseType(typeName, of: field, line)
        return field
    }

    private mutating func parseType(_ name: Substring, of field: Field, _ line: Line) throws -> FieldType {
        if name.first == "[", name.last == "]" {
            return .array(try parseType(name.dropFirst().dropLast(), of: field, line))
        }
        if let primitive = FieldType(primitive: String(name)) { return primitive }
        guard name.first?.isUppercase == true else { throw failure(line, "unknown type \(name)") }
        if let known = nested.first(where: { $0.name == name }) { return .structure(known) }
        let structure = Structure(name: String(name), versions: field.versions)
        structure.documentation = "`\(field.name)`: \(field.documentation.lowercasedFirst)"
        nested.append(structure)
        try parseFields(of: structure, depth: line.depth + 1)
        guard !structure.fields.isEmpty else { throw failure(line, "\(name) has no fields") }
        return .structure(structure)
    }
}

extension String {
    /// Reads `A..B`, `A..` or `..B`, clamped to `bounds`; nil if it is something else, empty if nothing is left.
    fileprivate func range(of separator: String, in bounds: ClosedRange<Int16>) -> [Int16]? {
        let parts = split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty else { return nil }
        guard let lower = parts[0].isEmpty ? bounds.lowerBound : Int16(parts[0]),
            let upper = parts[2].isEmpty ? bounds.upperBound : Int16(parts[2])
        else { return nil }
        return bounds.filter { $0 >= lower && $0 <= upper }
    }
}
