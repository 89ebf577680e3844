import KafkaWire
import Machine

/// Where a backup is written: files by link or copy, each summed up and synced.
struct BackupTarget: Sendable {
    let directory: String
    let files: any FileSystem
    let pace: @Sendable (Int) -> Void
    /// Sealed segments of an earlier backup, by their path within it.
    let previous: PreviousBackup?
    /// Whether links are to be tried; false once they were found not to work.
    var isLinking: Bool

    /// A file of the backup, and what its batches tell.
    struct Taken: Sendable {
        let file: BackupManifest.File
        /// Where the sound batches end; nil for what was not read.
        var end: LogPosition?
        /// What is wrong behind them.
        var fault: String?
    }

    func path(_ name: String) -> String { directory + "/" + name }

    /// Another name for a file that nothing changes any more.
    ///
    /// - Returns: false if there can be none.
    mutating func link(_ source: String, as name: String) throws(MachineError) -> Bool {
        guard isLinking else { return false }
        do throws(MachineError) {
            try files.link(source, to: path(name))
            return true
        } catch {
            switch error.code {
            case .notFound, .exists, .noSpace, .device, .tooManyFiles: throw error
            case .denied, .locked, .other:
                isLinking = false
                return false
            }
        }
    }

    /// Takes over a sealed segment: by a link to the earlier backup's, a link to the server's, or a copy.
    mutating func takeSealed(
        _ source: String, as name: String, base: Int64, topic: String
    ) throws(MachineError) -> Taken {
        guard let information = try files.information(at: source) else {
            throw MachineError(code: .notFound, operation: "back up", path: source)
        }
        if let known = previous?.file(name, topic, information), try linkPrevious(known, name) {
            return Taken(file: known, end: nil, fault: nil)
        }
        let isLink = try link(source, as: name)
        let file = try files.open(isLink ? path(name) : source, .read)
        defer { file.close() }
        let copy = isLink ? nil : try files.open(path(name), .create)
        defer { copy?.close() }
        let size = try file.size()
        let checked = CheckedFile(file, copyTo: copy, pace: pace)
        let (end, fault) = try Self.read(checked, base: base, size: size)
        // A link's bytes may be older than any sync that this process knows of.
        try (copy ?? file).synchronize()
        return Taken(
            file: entry(name, size, checked.checksum, isLink: isLink, information), end: end, fault: fault)
    }

    /// Copies a segment that may still change, up to the last sound batch.
    ///
    /// - Parameter kept: bytes that stay, sound or not.
    func copyGrowing(
        _ file: any File, as name: String, base: Int64, keeping kept: Int64, _ information: FileInformation?
    ) throws(MachineError) -> Taken {
        let copy = try files.open(path(name), .create)
        defer { copy.close() }
        let size = try file.size()
        let checked = CheckedFile(file, copyTo: copy, pace: pace)
        let (end, fault) = try Self.read(checked, base: base, size: size)
        guard fault != nil, end.position >= kept else {
            try copy.synchronize()
            return Taken(file: entry(name, size, checked.checksum, isLink: false, information), end: end, fault: fault)
        }
        try copy.truncate(to: end.position)
        try copy.synchronize()
        let again = CheckedFile(copy, pace: pace)
        try again.finish(upTo: end.position)
        return Taken(
            file: entry(name, end.position, again.checksum, isLink: false, information), end: end, fault: nil)
    }

    /// Copies a small file as it is.
    func copy(_ source: String, as name: String) throws(MachineError) -> BackupManifest.File {
        let information = try files.information(at: source)
        let file = try files.open(source, .read)
        defer { file.close() }
        let copy = try files.open(path(name), .create)
        defer { copy.close() }
        let checked = CheckedFile(file, copyTo: copy, pace: pace)
        let size = try file.size()
        try checked.finish(upTo: size)
        try copy.synchronize()
        return entry(name, try copy.size(), checked.checksum, isLink: false, information)
    }

    /// Writes a file of the backup's own.
    func write(_ bytes: [UInt8], as name: String, modified: Int64) throws(MachineError) -> BackupManifest.File {
        let file = try files.open(path(name), .create)
        defer { file.close() }
        try bytes.withBytes { bytes throws(MachineError) in try file.write(bytes, at: 0) }
        try file.synchronize()
        return BackupManifest.File(
            path: name, sizeBytes: Int64(bytes.count), checksum: bytes.withBytes { Checksum.of($0) }, isLink: false,
            modifiedMilliseconds: modified)
    }

    mutating func linkPrevious(_ known: BackupManifest.File, _ name: String) throws(MachineError) -> Bool {
        guard let previous else { return false }
        do throws(MachineError) {
            try files.link(previous.directory + "/" + known.path, to: path(name))
            return true
        } catch {
            if error.code == .exists || error.code == .noSpace { throw error }
            return false
        }
    }

    func entry(
        _ name: String, _ size: Int64, _ checksum: UInt32, isLink: Bool, _ information: FileInformation?
    ) -> BackupManifest.File {
        BackupManifest.File(
            path: name, sizeBytes: size, checksum: checksum, isLink: isLink,
            modifiedMilliseconds: information?.modifiedMilliseconds ?? 0)
    }

    /// Reads a whole segment, and verifies its batches as far as they are sound.
    private static func read(
        _ file: CheckedFile, base: Int64, size: Int64
    ) throws(MachineError) -> (end: LogPosition, fault: String?) {
        var end = LogPosition(offset: base, segmentBase: base, position: 0)
        var fault: String?
        var scanner = BatchScanner(file, from: 0, to: size, chunkBytes: 256 << 10)
        while fault == nil {
            switch try scanner.nextVerified(expecting: end.offset) {
            case .batch(let facts, let position):
                end.offset = facts.endOffset
                end.position = position + Int64(facts.sizeBytes)
                continue
            case .invalid(let position, let reason): fault = "at \(position): \(reason)"
            case .end: break
            }
            break
        }
        try file.finish(upTo: size)
        return (end, fault)
    }
}

/// An earlier backup, whose sealed segments need not be read again.
struct PreviousBackup: Sendable {
    let directory: String
    private var files: [String: BackupManifest.File] = [:]
    private var topics: [String: String] = [:]

    /// - Throws: `.damaged`, `.formatTooNew`, `.storage`.
    init(_ directory: String, _ files: any FileSystem) throws(LogError) {
        self.directory = directory
        let manifest = try BackupReader(directory, files).manifest
        for file in manifest.files where file.path.hasSuffix(".log") || file.path.hasPrefix("views/") {
            self.files[file.path] = file
        }
        for partition in manifest.partitions { topics[partition.topic] = partition.topicID.description }
    }

    /// The same block of a view, whose path names its topic's id: as large, and not changed since.
    func file(_ name: String, _ information: FileInformation) -> BackupManifest.File? {
        guard let file = files[name], file.sizeBytes == information.sizeBytes,
            file.modifiedMilliseconds == information.modifiedMilliseconds
        else { return nil }
        return file
    }

    /// The same segment: of the same topic, as large, and not changed since.
    func file(_ name: String, _ topicID: String, _ information: FileInformation) -> BackupManifest.File? {
        let topic = name.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        guard let file = files[name], topics[topic] == topicID, file.sizeBytes == information.sizeBytes,
            file.modifiedMilliseconds == information.modifiedMilliseconds
        else { return nil }
        return file
    }
}
