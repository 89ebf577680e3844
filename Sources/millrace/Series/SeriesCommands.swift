import ArgumentParser
import Machine
import Series

/// `millrace series …`: what stands in blocks of points, without a server.
struct SeriesCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "series", abstract: "Look into the files of time series, without a server.",
        discussion: """
            PATH is a block, or a directory in which blocks are looked for: a data directory, or DATA/views. Blocks never \
            change, so a server may run on them; one that compacts may take a file away meanwhile.
            """,
        subcommands: [SeriesCheckCommand.self, SeriesInspectCommand.self, SeriesExportCommand.self])
}

/// The files that a person names.
struct BlockFiles: ParsableArguments {
    @Argument(help: "Blocks, or directories that hold some.", completion: .file())
    var paths: [String]

    /// The ending of their names.
    private static let ending = ".block"
    /// How far down directories are looked into: DATA/views/TOPIC/PARTITION/blocks, and one above.
    private static let depth = 6

    /// Where manifests and blocks of a partition's view are.
    private static let blocks = "blocks"

    /// What there is.
    struct Found {
        /// Blocks, sorted by path.
        var paths: [String] = []
        /// Directories that hold the blocks of a view, or did.
        var directories: Set<String> = []
    }

    /// All files, sorted by path.
    func find(_ files: any FileSystem) throws -> [String] {
        let found = try survey(files).paths
        guard !found.isEmpty else {
            throw CommandFailure(
                message: "no blocks in \(paths.joined(separator: ", "))",
                advice: "points go into blocks every 15 minutes, or every 64 MB")
        }
        return found
    }

    /// All files, and the directories of views, those without files included.
    func survey(_ files: any FileSystem) throws -> Found {
        var found = Found()
        for path in paths {
            guard let information = try Self.attempt({ try files.information(at: path) }) else {
                throw CommandFailure(message: "there is no \(path)")
            }
            if information.isDirectory {
                try Self.search(path, files, Self.depth, &found)
            } else {
                found.paths.append(path)
            }
        }
        found.paths.sort()
        return found
    }

    /// The directory and the name of a file.
    static func parts(of path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    private static func search(
        _ directory: String, _ files: any FileSystem, _ depth: Int, _ found: inout Found
    ) throws {
        if parts(of: directory).name == blocks { found.directories.insert(directory) }
        for name in try attempt({ try files.contents(ofDirectory: directory) }) {
            let path = directory + "/" + name
            guard let information = try attempt({ try files.information(at: path) }) else { continue }
            if !information.isDirectory, name.hasSuffix(ending) { found.paths.append(path) }
            if information.isDirectory, depth > 0 { try search(path, files, depth - 1, &found) }
        }
    }

    private static func attempt<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch { throw CommandFailure(message: "\(error)") }
    }

    /// A file's bytes.
    static func map(_ path: String, _ files: any FileSystem) throws -> any MemoryMap {
        try attempt {
            let file = try files.open(path, .read)
            defer { file.close() }
            return try file.map(Int(try file.size()))
        }
    }

    /// Opens a block, or says why it is none.
    static func open(_ path: String, _ files: any FileSystem) throws -> (bytes: Int, Result<Block, SeriesError>) {
        let map = try map(path, files)
        return (map.bytes.count, Result { () throws(SeriesError) in try Block(map, name: path) })
    }
}
