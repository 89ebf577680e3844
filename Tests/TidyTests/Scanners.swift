/// The module named by an import line, or nil.
func importedModule(_ line: String) -> String? {
    let parts = line.split(separator: " ")
    guard let position = parts.firstIndex(of: "import"), position + 1 < parts.count else { return nil }
    let isModifier = parts[..<position].allSatisfy {
        $0.hasPrefix("@") || ["public", "package", "internal", "private", "fileprivate"].contains($0)
    }
    guard isModifier else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
    let named = parts[(position + 1)...].first { !kinds.contains($0) }
    return named.map { String($0.split(separator: ".")[0]) }
}

/// Every identifier in some code.
func words(in code: [String]) -> [Substring] {
    code.flatMap { $0.split { !($0.isLetter || $0.isNumber || $0 == "_") } }
}

/// The names that code declares, at any depth: types, functions, properties.
func declaredNames(in code: [String]) -> Set<Substring> {
    let introducers: Set<Substring> = [
        "struct", "class", "enum", "protocol", "actor", "typealias", "func", "let", "var", "case", "extension",
    ]
    var names: Set<Substring> = []
    for line in code {
        let tokens = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
        for (index, token) in tokens.enumerated() where introducers.contains(token) && index + 1 < tokens.count {
            names.insert(tokens[index + 1])
        }
    }
    return names
}

/// Finds functions by their braces.
enum FunctionScanner {
    /// A function's first line (from 1) and its length in lines.
    struct Function {
        let start: Int
        let lines: Int
    }

    static func functions(in code: [String]) -> [Function] {
        var result: [Function] = []
        for (index, line) in code.enumerated() where startsFunction(line) {
            if let end = endOfBody(in: code, from: index) {
                result.append(Function(start: index + 1, lines: end - index + 1))
            }
        }
        return result
    }

    private static func startsFunction(_ line: String) -> Bool {
        let tokens = line.split { " (<?".contains($0) }
        let modifiers: Set<Substring> = [
            "public", "package", "internal", "private", "fileprivate", "static", "class", "final", "override",
            "mutating", "nonmutating", "convenience", "required", "consuming", "borrowing", "nonisolated",
        ]
        for token in tokens {
            if ["func", "init", "deinit", "subscript"].contains(token) { return true }
            if !modifiers.contains(token) && !token.hasPrefix("@") { return false }
        }
        return false
    }

    /// The line on which the braces that open at or after `start` close again; nil if there is no body.
    private static func endOfBody(in code: [String], from start: Int) -> Int? {
        var depth = 0
        for index in start..<code.count {
            for character in code[index] {
                if character == "{" { depth += 1 }
                if character == "}" {
                    depth -= 1
                    if depth == 0 { return index }
                    if depth < 0 { return nil }
                }
            }
        }
        return nil
    }
}

/// The dependencies that Package.swift declares per target, by name.
struct DeclaredDependencies {
    private(set) var targets: [String: Set<String>] = [:]

    init(manifest: String) {
        for piece in manifest.split(separator: "arget(").dropFirst() {
            let quoted = piece.split(separator: "\"", omittingEmptySubsequences: false)
            guard quoted.count > 1 else { continue }
            let names = stride(from: 3, to: quoted.count, by: 2).map { String(quoted[$0]) }
            targets[String(quoted[1])] = Set(names)
        }
    }
}

extension Substring {
    /// Splits around a separator of several characters.
    func split(separator: String) -> [Substring] {
        var result: [Substring] = []
        var rest = self
        while let range = rest.firstRange(of: separator) {
            result.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return result + [rest]
    }
}

extension String {
    /// Splits around a separator of several characters.
    func split(separator: String) -> [Substring] { self[...].split(separator: separator) }
}
