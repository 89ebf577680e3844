public import Machine

/// A backup that is to be restored or verified.
public struct BackupReader: Sendable {
    /// Where it stands.
    public let directory: String
    /// What it consists of.
    public let manifest: BackupManifest
    let files: any FileSystem

    /// Reads its manifest.
    ///
    /// - Throws: `.damaged` if there is no backup, an unfinished one, or a manifest that does not verify; `.formatTooNew`,
    ///   `.storage`.
    public init(_ directory: String, _ files: any FileSystem) throws(LogError) {
        self.directory = directory
        self.files = files
        try BackupFormat.check(directory, files)
        let path = BackupFormat.manifest(in: directory)
        guard let bytes = try WholeFile.read(path, files) else {
            throw LogError(.damaged, "\(directory) holds an unfinished backup: it has no manifest")
        }
        manifest = try BackupManifest(decoding: bytes, path: path)
    }

    /// Whether every file is there with its size. Reads none of them.
    ///
    /// - Throws: `.damaged`, `.storage`.
    public func checkSizes() throws(LogError) {
        for file in manifest.files {
            let path = directory + "/" + file.path
            let found: FileInformation?
            do {
                found = try files.information(at: path)
            } catch {
                throw LogError(.storage, "cannot examine \(path)", cause: error)
            }
            guard let found, !found.isDirectory else { throw LogError(.damaged, "\(path) is missing") }
            guard found.sizeBytes == file.sizeBytes else {
                throw LogError(.damaged, "\(path) has \(found.sizeBytes) bytes, not \(file.sizeBytes)")
            }
        }
    }

    /// Reads every file and compares its checksum.
    ///
    /// - Parameter pace: called with the number of bytes after each piece, and may wait.
    /// - Throws: `.damaged`, `.storage`.
    public func verify(pace: @escaping @Sendable (Int) -> Void = { _ in }) throws(LogError) {
        try checkSizes()
        for file in manifest.files { try read(file, to: nil, pace) }
    }

    /// Reads a file, copies it if asked to, and compares its checksum.
    func read(
        _ file: BackupManifest.File, to target: String?, _ pace: @escaping @Sendable (Int) -> Void
    ) throws(LogError) {
        let path = directory + "/" + file.path
        let checksum: UInt32
        do throws(MachineError) {
            let source = try files.open(path, .read)
            defer { source.close() }
            let copy = try target.map { target throws(MachineError) in try files.open(target, .create) }
            defer { copy?.close() }
            let checked = CheckedFile(source, copyTo: copy, pace: pace)
            try checked.finish(upTo: file.sizeBytes)
            try copy?.synchronize()
            checksum = checked.checksum
        } catch {
            throw LogError(error.code == .noSpace ? .noSpace : .storage, "cannot read or copy \(path)", cause: error)
        }
        guard checksum == file.checksum else {
            throw LogError(.damaged, "\(path) does not verify: its checksum is not that of the manifest")
        }
    }
}
