import Foundation

/// The scripts of LogQL: blocks of a command's line, its input up to `----`, and its output up to an empty line.
///
/// With MILLRACE_REWRITE_SCRIPTS=1 a run writes what it saw into the scripts; then look at the difference.
struct LogQLScript {
    struct Block {
        var command: String
        var input: [String]
        var output: [String]
        var line: Int
    }

    /// What stands between blocks: comments, kept when a script is rewritten.
    enum Piece {
        case comment(String)
        case block(Block)
    }

    var name: String
    var pieces: [Piece]

    private let folder: URL

    /// The scripts of a folder in `Scripts`.
    static func all(in name: String = "LogQL") throws -> [LogQLScript] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Scripts/\(name)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".txt") }.sorted()
            .map {
                let text = try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8)
                return LogQLScript(name: $0, folder: folder, text: text)
            }
    }

    private init(name: String, folder: URL, text: String) {
        self.name = name
        self.folder = folder
        pieces = []
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
        while let first = lines.first {
            let number = lines.startIndex + 1
            lines = lines.dropFirst()
            if first.isEmpty { continue }
            if first.hasPrefix("#") {
                pieces.append(.comment(first))
                continue
            }
            let input = Array(lines.prefix { $0 != "----" })
            lines = lines.dropFirst(input.count + 1)
            let output = Array(lines.prefix { !$0.isEmpty })
            lines = lines.dropFirst(output.count)
            pieces.append(.block(Block(command: first, input: input, output: output, line: number)))
        }
    }

    /// Runs every block. Gives what differs, unless it is to be written down.
    mutating func run(_ body: (Block) async -> [String]) async throws -> (count: Int, failures: [String]) {
        var count = 0
        var failures: [String] = []
        let rewrites = ProcessInfo.processInfo.environment["MILLRACE_REWRITE_SCRIPTS"] != nil
        for index in pieces.indices {
            guard case .block(var block) = pieces[index] else { continue }
            count += block.input.count
            let seen = await body(block)
            guard seen != block.output else { continue }
            if !rewrites {
                failures.append(
                    "\(name):\(block.line): \(block.command) \(block.input.joined(separator: "\n"))\n  is   "
                        + seen.joined(separator: "\n       ") + "\n  want "
                        + block.output.joined(separator: "\n       "))
            }
            block.output = seen
            pieces[index] = .block(block)
        }
        if rewrites { try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8) }
        return (count, failures)
    }

    private var text: String {
        pieces.map { piece in
            switch piece {
            case .comment(let text): text + "\n"
            case .block(let block):
                ([block.command] + block.input + ["----"] + block.output + [""]).joined(separator: "\n")
            }
        }.joined(separator: "\n")
    }
}
