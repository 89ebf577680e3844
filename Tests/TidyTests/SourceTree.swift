import FoundationEssentials

/// One Swift file of this repository, as the tidy rules see it.
struct SourceFile: Sendable {
    /// The path from the repository's root: `Sources/Log/CommitLog.swift`.
    let path: String
    /// The lines as they stand.
    let lines: [String]
    /// The same lines with comments and string contents blanked out, so that rules see code only.
    let code: [String]

    /// The target the file belongs to: `Log`.
    var target: String { String(path.split(separator: "/")[1]) }
    /// Whether a generator wrote it; such files are exempt from the length rules.
    var isGenerated: Bool { path.contains("/Generated/") }
    /// Whether it ships, as opposed to a test.
    var isSource: Bool { path.hasPrefix("Sources/") }
}

/// The Swift files of this repository.
enum SourceTree {
    /// The repository's root, found from this file's own path.
    static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Every Swift file below Sources and Tests.
    static let files: [SourceFile] = ["Sources", "Tests"].flatMap(files(under:))

    private static func files(under folder: String) -> [SourceFile] {
        let manager = FileManager.default
        guard let paths = try? manager.subpathsOfDirectory(atPath: root + "/" + folder) else { return [] }
        return paths.filter { $0.hasSuffix(".swift") }.sorted().compactMap { path in
            let full = folder + "/" + path
            guard let text = read(full) else { return nil }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            return SourceFile(path: full, lines: lines, code: CodeOnly.blanking(lines))
        }
    }

    /// The text of a file below the root, or nil.
    static func read(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: root + "/" + path) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}

/// Blanks comments and the contents of string literals, keeping line numbers.
///
/// Good enough for rules, not a parser: nested interpolations end the blanking early, which no rule depends on.
enum CodeOnly {
    static func blanking(_ lines: [String]) -> [String] {
        var insideBlockString = false
        return lines.map { line in
            let delimiters = line.components(separatedBy: "\"\"\"").count - 1
            if insideBlockString {
                if delimiters % 2 == 1 { insideBlockString = false }
                return ""
            }
            if delimiters % 2 == 1 {
                insideBlockString = true
                return line.components(separatedBy: "\"\"\"")[0]
            }
            return blankingOneLine(line)
        }
    }

    private static func blankingOneLine(_ line: String) -> String {
        var result = ""
        var insideString = false
        var previous: Character = " "
        var characters = line.makeIterator()
        while let character = characters.next() {
            if insideString {
                if character == "\\" {
                    _ = characters.next()
                } else if character == "\"" {
                    insideString = false
                    result.append(character)
                }
                continue
            }
            if character == "/" && previous == "/" {
                result.removeLast()
                break
            }
            if character == "\"" { insideString = true }
            result.append(character)
            previous = character
        }
        return result
    }
}
