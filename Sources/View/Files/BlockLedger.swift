import Bytes
public import Machine

/// What the newest manifest beside a directory of blocks says of its files, for whoever looks at them from outside: with
/// or without a server. Reads only.
///
/// A server that runs may replace blocks meanwhile: what is missing is looked up in the manifest of that moment.
public struct BlockLedger: Sendable {
    private let directory: String
    private let manifests: String
    private let entries: [String: BlockEntry]
    /// Manifests that do not verify.
    public private(set) var findings: [String] = []

    /// Reads the manifests beside `directory`, which holds blocks.
    ///
    /// - Returns: nil if there are none. If none verifies, `findings` tells.
    /// - Throws: `.storage`; `.formatTooNew`.
    public init?(blocksIn directory: String, files: any FileSystem) throws(ViewError) {
        self.directory = directory
        manifests = Self.parent(of: directory) + "/manifests"
        var newest: Manifest?
        for name in try Self.names(manifests, files) {
            do throws(ViewError) {
                newest = try Self.read(manifests + "/" + name, files)
                break
            } catch {
                guard error.code == .damaged else { throw error }
                findings.append("\(error)")
            }
        }
        guard newest != nil || !findings.isEmpty else { return nil }
        let named = (newest?.blocks ?? []).map { (NumberedFile.name($0.id, NumberedFile.block), $0) }
        entries = Dictionary(named) { first, _ in first }
    }

    private static func parent(of directory: String) -> String {
        let name = directory.split(separator: "/").last ?? ""
        // What is above a path that ends so is no part of its text.
        guard directory.contains("/"), !directory.hasSuffix("/"), name != ".", name != ".." else {
            return directory + "/.."
        }
        return String(directory.dropLast(name.utf8.count + 1))
    }

    /// The names of manifests, the newest first.
    private static func names(_ path: String, _ files: any FileSystem) throws(ViewError) -> [String] {
        do {
            guard try files.information(at: path)?.isDirectory == true else { return [] }
            return try files.contents(ofDirectory: path)
                .filter { NumberedFile.number(of: $0, NumberedFile.manifest) != nil }.sorted(by: >)
        } catch {
            throw ViewError("cannot list \(path)", error)
        }
    }

    private static func read(_ path: String, _ files: any FileSystem) throws(ViewError) -> Manifest {
        do {
            let file = try files.open(path, .read)
            defer { file.close() }
            let map = try file.map(Int(min(try file.size(), StoredManifest.maximumBytes)))
            return try StoredManifest.decode(withExtendedLifetime(map) { Array(map.bytes) }, path).manifest
        } catch let error as ViewError {
            throw error
        } catch let error as MachineError where error.code == .notFound {
            throw ViewError(.damaged, "\(path) is gone", cause: error)
        } catch {
            throw ViewError(.storage, "cannot read \(path)", cause: error)
        }
    }

    /// Compares size and checksum of a file with what the manifest says.
    ///
    /// - Parameter name: the file's name in the directory.
    /// - Returns: how it differs; nil if it does not, or if the manifest does not name it (one that is being written).
    /// - Throws: `.storage`.
    public func difference(of name: String, files: any FileSystem) throws(ViewError) -> String? {
        guard let entry = entries[name] else { return nil }
        let path = directory + "/" + name
        do {
            let file = try files.open(path, .read)
            defer { file.close() }
            let size = try file.size()
            guard size == entry.sizeBytes else {
                return "\(path) has \(size) bytes, its manifest says \(entry.sizeBytes)"
            }
            let map = try file.map(Int(size))
            let checksum = withExtendedLifetime(map) { CRC32C.checksum(map.bytes) }
            return checksum == entry.checksum ? nil : "\(path) does not have the checksum that its manifest says"
        } catch {
            throw ViewError("cannot read \(path)", error)
        }
    }

    /// The files that the manifest names and that are not there.
    ///
    /// - Throws: `.storage`; `.formatTooNew`.
    public func missing(files: any FileSystem) throws(ViewError) -> [String] {
        // An earlier manifest may name what a compaction has removed since.
        guard findings.isEmpty else { return [] }
        let absent = try absent(entries.keys, files)
        guard !absent.isEmpty, let now = try BlockLedger(blocksIn: directory, files: files) else { return [] }
        return absent.filter { now.entries[$0] != nil }.sorted()
    }

    private func absent(
        _ names: some Sequence<String>, _ files: any FileSystem
    ) throws(ViewError) -> [String] {
        var absent: [String] = []
        for name in names where try !isThere(name, files) { absent.append(name) }
        return absent
    }

    private func isThere(_ name: String, _ files: any FileSystem) throws(ViewError) -> Bool {
        do {
            return try files.information(at: directory + "/" + name) != nil
        } catch {
            throw ViewError("cannot look for \(directory)/\(name)", error)
        }
    }
}
