import KafkaWire
import Machine

/// What the views of one topic keep, on its way into a backup. Taken after the topic's log: what a view covers grows, and
/// the log keeps what it does not cover, so that the two leave nothing out. The view may know a little more than the log.
///
/// Nothing of a view is read here but names: a directory's blocks belong to its newest manifest as long as that stays the
/// newest while they are taken.
struct ViewBackup {
    /// Attempts at a view whose manifests change as fast as it is taken, before it is given up.
    private static let maximumAttempts = 1_000
    private static let unfinished = ".unfinished"

    let source: String
    let topicID: Uuid

    /// `views/<topic id>`, in the data directory and in the backup.
    private var name: String { "views/\(topicID)" }

    /// Takes everything.
    ///
    /// - Returns: the files that are in the backup.
    func take(_ target: inout BackupTarget) throws(MachineError) -> [BackupManifest.File] {
        for _ in 0..<Self.maximumAttempts {
            do throws(MachineError) {
                guard try target.files.information(at: source + "/" + name) != nil else { return [] }
                var taken: [BackupManifest.File] = []
                for generation in try target.files.contents(ofDirectory: source + "/" + name) {
                    taken += try take(name + "/" + generation, &target)
                }
                return taken
            } catch {
                // A rebuilt view took over, or a block was replaced.
                guard error.code == .notFound, error.path.hasPrefix(source) else { throw error }
                try target.files.remove(target.path(name))
            }
        }
        throw MachineError(code: .other, operation: "keep up with", path: source + "/" + name)
    }

    /// Takes the view in one directory.
    private func take(_ place: String, _ target: inout BackupTarget) throws(MachineError) -> [BackupManifest.File] {
        for _ in 0..<Self.maximumAttempts {
            try target.files.remove(target.path(place))
            for folder in ["/manifests", "/blocks"] { try target.files.createDirectory(target.path(place + folder)) }
            guard let newest = try names(target, place + "/manifests").last else { return [] }
            var taken: [BackupManifest.File] = []
            for block in try names(target, place + "/blocks") {
                do throws(MachineError) {
                    taken.append(try target.takeImmutable(source, place + "/blocks/" + block))
                } catch  where error.code == .notFound {
                    // Nobody needs it any more, or the manifest has changed.
                }
            }
            guard try names(target, place + "/manifests").last == newest else { continue }
            taken.append(
                try target.copy(source + "/" + place + "/manifests/" + newest, as: place + "/manifests/" + newest))
            if try target.files.information(at: source + "/" + place + "/live") != nil {
                taken.append(try target.copy(source + "/" + place + "/live", as: place + "/live"))
            }
            for folder in ["/manifests", "/blocks", ""] {
                try target.files.synchronizeDirectory(target.path(place + folder))
            }
            try target.files.synchronizeDirectory(target.path(name))
            return taken
        }
        throw MachineError(code: .other, operation: "keep up with", path: source + "/" + place)
    }

    private func names(_ target: BackupTarget, _ folder: String) throws(MachineError) -> [String] {
        guard try target.files.information(at: source + "/" + folder) != nil else { return [] }
        return try target.files.contents(ofDirectory: source + "/" + folder).filter { !$0.hasSuffix(Self.unfinished) }
    }
}

extension BackupTarget {
    /// Takes over a file that never changes: by a link to the earlier backup's, a link to the server's, or a copy.
    ///
    /// - Parameters:
    ///   - source: the data directory.
    ///   - name: the path in it, and in the backup.
    mutating func takeImmutable(_ source: String, _ name: String) throws(MachineError) -> BackupManifest.File {
        let path = source + "/" + name
        guard let information = try files.information(at: path) else {
            throw MachineError(code: .notFound, operation: "back up", path: path)
        }
        if let known = previous?.file(name, information), try linkPrevious(known, name) { return known }
        guard try link(path, as: name) else { return try copy(path, as: name) }
        let file = try files.open(self.path(name), .read)
        defer { file.close() }
        let size = try file.size()
        let checked = CheckedFile(file, pace: pace)
        try checked.finish(upTo: size)
        try file.synchronize()
        return entry(name, size, checked.checksum, isLink: true, information)
    }
}
