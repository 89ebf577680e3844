public import Machine

/// The manifests of one view: immutable, numbered files, of which the newest says what the view consists of.
///
/// A version is written beside, synced, and linked to its name, which fails if another writer has that version: one
/// compare-and-put. The version before is kept. A crash leaves whole versions, or files without a number.
public struct ManifestChain: Sendable {
    private let place: ViewDirectory
    private let files: any FileSystem
    /// The newest version; nil before the first.
    public private(set) var newest: Manifest?
    /// The checksum of its file.
    private var newestChecksum: UInt32 = 0
    /// What was wrong with what was found, for an operator.
    public private(set) var findings: [String] = []
    /// Whether a later version than `newest` is there, and does not verify.
    var hasFallenBack: Bool { !findings.isEmpty }

    /// Finds the newest version that verifies.
    ///
    /// If the newest file is damaged, the one before it is taken: its `nextOffset` is earlier, and the records since
    /// then are applied again. Whoever opens the view checks that its blocks and these records are still there.
    ///
    /// - Throws: `.damaged` if there are manifests and none verifies, or if they do not follow each other;
    ///   `.formatTooNew`, `.noSpace`, `.storage`.
    public init(_ place: ViewDirectory, files: any FileSystem) throws(ViewError) {
        self.place = place
        self.files = files
        do {
            try files.createDirectory(place.manifests)
        } catch {
            throw ViewError("cannot create \(place.manifests)", error)
        }
        try load()
    }

    private mutating func load() throws(ViewError) {
        let versions = try versions()
        var damage: ViewError?
        for version in versions.reversed() {
            do throws(ViewError) {
                let (stored, checksum) = try read(version)
                newest = stored.manifest
                newestChecksum = checksum
                if damage == nil { try checkPrevious(of: stored) }
                return
            } catch {
                guard error.code == .damaged else { throw error }
                findings.append(error.description)
                newest = nil
                damage = damage ?? error
            }
        }
        if let damage { throw damage }
    }

    /// A version names the checksum of the one before: another history of the same number is seen.
    private func checkPrevious(of stored: StoredManifest) throws(ViewError) {
        let previous = UInt64(stored.manifest.version - 1)
        guard previous > 0, let bytes = try bytes(previous) else { return }
        guard StoredManifest.checksum(of: bytes) == stored.previousChecksum else {
            throw ViewError(
                .damaged, "\(path(previous)) is not the version that \(path(previous + 1)) was made from")
        }
    }

    private func read(_ version: UInt64) throws(ViewError) -> (StoredManifest, UInt32) {
        let path = path(version)
        guard let bytes = try bytes(version) else { throw ViewError(.damaged, "\(path) is gone") }
        let stored = try StoredManifest.decode(bytes, path)
        guard stored.topicID == place.topicID, stored.partition == place.partition,
            stored.manifest.version == Int64(version)
        else {
            let found = "version \(stored.manifest.version) of partition \(stored.partition) of \(stored.topicID)"
            throw ViewError(.damaged, "\(path) is \(found)")
        }
        return (stored, StoredManifest.checksum(of: bytes))
    }

    private func bytes(_ version: UInt64) throws(ViewError) -> [UInt8]? {
        let path = path(version)
        do throws(MachineError) {
            return try content(of: path)
        } catch {
            if error.code == .notFound { return nil }
            throw ViewError("cannot read \(path)", error)
        }
    }

    private func content(of path: String) throws(MachineError) -> [UInt8] {
        let file = try files.open(path, .read)
        defer { file.close() }
        let size = min(try file.size(), StoredManifest.maximumBytes)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(size), alignment: 8)
        defer { buffer.deallocate() }
        let count = try file.read(into: buffer, at: 0)
        return Array(buffer[..<count])
    }

    /// Makes the next version durable, and removes all but it and the one before.
    ///
    /// - Parameter manifest: its version is one more than the newest.
    /// - Throws: `.conflict` if another manifest has that version, `.limitReached` if its state is too large,
    ///   `.noSpace`, `.storage`. After the latter two a restart may find it, so the same manifest must be tried again,
    ///   and no other.
    public mutating func commit(_ manifest: Manifest) throws(ViewError) {
        precondition(manifest.version == (newest?.version ?? 0) + 1, "versions follow each other")
        guard manifest.state.count <= StoredManifest.maximumStateBytes else {
            let (count, limit) = (manifest.state.count, StoredManifest.maximumStateBytes)
            throw ViewError(.limitReached, "the state of \(place.path) has \(count) bytes; at most \(limit)")
        }
        let stored = StoredManifest(
            topicID: place.topicID, partition: place.partition, previousChecksum: newestChecksum, manifest: manifest)
        let bytes = stored.encoded()
        try write(bytes, path(UInt64(manifest.version)))
        newest = manifest
        newestChecksum = StoredManifest.checksum(of: bytes)
        removeOlder(than: UInt64(max(1, manifest.version - 1)))
    }

    private func write(_ bytes: [UInt8], _ path: String) throws(ViewError) {
        let unfinished = path + NumberedFile.unfinished
        do throws(MachineError) {
            let file = try files.open(unfinished, .replace)
            defer { file.close() }
            let written = bytes.withUnsafeBytes { bytes in
                Result { () throws(MachineError) in try file.write(bytes, at: 0) }
            }
            try written.get()
            try file.synchronize()
            do throws(MachineError) {
                try files.link(unfinished, to: path)
            } catch  where error.code == .exists {
                // An earlier attempt may have come so far before it failed.
                guard try content(of: path) == bytes else { throw error }
            }
            try files.remove(unfinished)
            try files.synchronizeDirectory(place.manifests)
        } catch {
            try? files.remove(unfinished)
            guard error.code != .exists else {
                throw ViewError(.conflict, "\(path) exists: another process writes this view", cause: error)
            }
            throw ViewError("cannot write \(path)", error)
        }
    }

    /// What cannot be removed now is removed with a later version.
    private func removeOlder(than first: UInt64) {
        guard let versions = try? versions() else { return }
        for version in versions where version < first { try? files.remove(path(version)) }
    }

    /// The versions that there are, ascending.
    private func versions() throws(ViewError) -> [UInt64] {
        do {
            return try files.contents(ofDirectory: place.manifests)
                .compactMap { NumberedFile.number(of: $0, NumberedFile.manifest) }.sorted()
        } catch {
            throw ViewError("cannot list \(place.manifests)", error)
        }
    }

    private func path(_ version: UInt64) -> String {
        place.manifests + "/" + NumberedFile.name(version, NumberedFile.manifest)
    }
}
