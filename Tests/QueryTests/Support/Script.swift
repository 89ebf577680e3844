import FoundationEssentials

/// A conversation with a server, as a text: `Scripts/README.md` describes the form.
struct Script {
    struct Exchange {
        var line: Int
        /// `database`, `policy`, `write`, `query`, `post` or `form`.
        var verb: String
        var words: [String]
        var body: [String] = []
        var parameters: [String: String] = [:]
        var headers: [String: String] = [:]
        var status: Int?
        var answer = ""
    }

    let name: String
    private(set) var exchanges: [Exchange] = []

    init(_ name: String, _ text: String) {
        self.name = name
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let first = line.first, first != "#" else { continue }
            let rest = line.dropFirst(2)
            switch first {
            case ">": exchanges[exchanges.count - 1].body.append(String(rest))
            case "&":
                let parts = rest.split(separator: " ", maxSplits: 1).map(String.init)
                exchanges[exchanges.count - 1].parameters[parts[0]] = parts.count > 1 ? parts[1] : ""
            case "^":
                let parts = rest.split(separator: ":", maxSplits: 1)
                exchanges[exchanges.count - 1].headers[String(parts[0])] = String(parts[1].dropFirst())
            case "=": exchanges[exchanges.count - 1].status = Int(rest.prefix(3))
            case "|": exchanges[exchanges.count - 1].answer += rest + "\n"
            case "!": exchanges[exchanges.count - 1].answer += rest
            default:
                let words = line.split(separator: " ").map(String.init)
                var exchange = Exchange(line: number + 1, verb: words[0], words: Array(words.dropFirst()))
                if ["write", "query", "post", "form"].contains(words[0]) {
                    for word in words.dropFirst() {
                        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                        exchange.parameters[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
                    }
                }
                exchanges.append(exchange)
            }
        }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Scripts").path

    /// A file beside the scripts.
    static func text(_ name: String) -> String {
        FileManager.default.contents(atPath: folder + "/" + name).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The scripts about queries.
    static var all: [Script] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".txt") && !$0.hasPrefix("write_") }.sorted().map { Script($0, text($0)) }
    }
}
