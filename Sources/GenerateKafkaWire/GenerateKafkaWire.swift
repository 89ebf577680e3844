import FoundationEssentials
import Glibc

/// Writes the Swift code of Kafka's messages from the declarations in `Sources/KafkaWire/Declarations`.
///
///     swift run GenerateKafkaWire            write what changed
///     swift run GenerateKafkaWire --check    write nothing; fail if something is out of date
///
/// Run it in the package's root, or name that with `--root DIR`.
@main
struct GenerateKafkaWire {
    private var root = "."
    private var isCheck = false

    static func main() {
        do {
            let generator = try GenerateKafkaWire(CommandLine.arguments.dropFirst())
            let stale = try generator.run()
            if generator.isCheck, !stale.isEmpty {
                throw UsageError("out of date: \(stale.joined(separator: ", ")); run `swift run GenerateKafkaWire`")
            }
            for path in stale { print("wrote \(path)") }
        } catch {
            let message = "GenerateKafkaWire: \(error)\n"
            _ = message.withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
            exit(1)
        }
    }

    private init(_ arguments: ArraySlice<String>) throws {
        var rest = arguments
        while let argument = rest.popFirst() {
            switch argument {
            case "--check": isCheck = true
            case "--root":
                guard let directory = rest.popFirst() else { throw UsageError("--root needs a directory") }
                root = directory
            default: throw UsageError("unknown argument \(argument); usage: GenerateKafkaWire [--check] [--root DIR]")
            }
        }
    }

    /// Writes (or with `--check` only finds) the files whose content differs; returns their paths.
    private func run() throws -> [String] {
        let apis = try declarations()
        var files: [String: String] = [
            "Sources/KafkaWire/Generated/ApiKey.swift": IndexEmitter.emitKeys(apis),
            "Tests/KafkaWireTests/Generated/RandomMessages.swift": IndexEmitter.emitRandomMessages(apis),
        ]
        for api in apis { files["Sources/KafkaWire/Generated/\(api.fileName).swift"] = MessageEmitter.emit(api) }
        var stale: [String] = []
        for (path, text) in files.sorted(by: { $0.key < $1.key }) where try write(text, to: path) { stale.append(path) }
        for directory in ["Sources/KafkaWire/Generated", "Tests/KafkaWireTests/Generated"] {
            for name in try entries(of: directory) where files["\(directory)/\(name)"] == nil {
                if !isCheck { try FileManager.default.removeItem(atPath: "\(root)/\(directory)/\(name)") }
                stale.append("\(directory)/\(name)")
            }
        }
        return stale
    }

    /// The declarations, by API key.
    private func declarations() throws -> [API] {
        let directory = "Sources/KafkaWire/Declarations"
        var apis: [API] = []
        for name in try entries(of: directory) {
            let text = try String(contentsOfFile: "\(root)/\(directory)/\(name)", encoding: .utf8)
            let api = try DeclarationParser.parse(text, file: "\(directory)/\(name)")
            guard name == "\(api.fileName).kafka" else {
                throw UsageError("\(directory)/\(name) must be called \(api.fileName).kafka")
            }
            apis.append(api)
        }
        return apis.sorted { $0.key < $1.key }
    }

    private func entries(of directory: String) throws -> [String] {
        let path = "\(root)/\(directory)"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    /// Whether the file differs; then, unless checking, it is written.
    private func write(_ text: String, to path: String) throws -> Bool {
        let file = "\(root)/\(path)"
        if let present = try? String(contentsOfFile: file, encoding: .utf8), present == text { return false }
        guard !isCheck else { return true }
        let directory = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
        return true
    }
}

/// A wrong command line, or an answer that it asked for.
struct UsageError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
