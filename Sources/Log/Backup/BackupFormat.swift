import Machine

/// The names in a backup, and its version: docs/formats/backup.md.
enum BackupFormat {
    static let version = 1
    private static let prefix = "millrace backup format "

    static func format(in directory: String) -> String { directory + "/format" }
    static func manifest(in directory: String) -> String { directory + "/manifest" }
    static func checkpoint(in directory: String) -> String { directory + "/checkpoint" }
    static func metadata(in directory: String) -> String { directory + "/metadata" }

    /// Unclean starts after the backup that clients of the restored server take for older than it: its leader epochs
    /// begin so much higher.
    static let epochDistance: Int32 = 1_000
    /// Producer ids that the server may give out after the backup before one is given out twice.
    static let producerIDDistance: Int64 = 1_000_000_000

    static var line: [UInt8] { Array("\(prefix)\(version)\n".utf8) }

    /// Reads the file `format` of a backup.
    ///
    /// - Throws: `.damaged` if there is no backup, `.formatTooNew`, `.storage`.
    static func check(_ directory: String, _ files: any FileSystem) throws(LogError) {
        let path = format(in: directory)
        guard let bytes = try WholeFile.read(path, files) else {
            throw LogError(.damaged, "\(directory) is no backup: it has no file \"format\"")
        }
        let line = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        guard line.hasPrefix(prefix), let found = Int(line.dropFirst(prefix.count)) else {
            throw LogError(.damaged, "\(directory) is no backup: \(path) says \"\(line.prefix(64))\"")
        }
        guard found <= version else {
            throw LogError(.formatTooNew, "\(path) says format \(found); this version knows \(version)")
        }
    }

    /// Refuses a place that lies in a data directory, or holds anything already.
    ///
    /// - Throws: `.storage`.
    static func checkTarget(
        _ target: String, outside directory: String, _ files: any FileSystem
    ) throws(LogError) {
        let names: [String]
        let isInside: Bool
        do throws(MachineError) {
            let liesInside = try liesInDataDirectory(target, files)
            isInside = liesInside || (target + "/").hasPrefix(directory + "/")
            let exists = try files.information(at: target) != nil
            names = exists ? try files.contents(ofDirectory: target).filter { $0 != "lost+found" } : []
        } catch {
            throw LogError(.storage, "cannot use \(target)", cause: error)
        }
        if isInside { throw LogError(.storage, "\(target) lies in a data directory: keep backups elsewhere") }
        if names.contains("format"), !names.contains("manifest") {
            throw LogError(.storage, "\(target) holds an unfinished backup: remove it, or choose another directory")
        }
        if !names.isEmpty { throw LogError(.storage, "\(target) is not empty: choose another directory") }
    }

    /// Looks at every directory above `path`. The kernel follows symbolic links; 32 levels are more than anybody has.
    private static func liesInDataDirectory(_ path: String, _ files: any FileSystem) throws(MachineError) -> Bool {
        var place = path
        while try files.information(at: place) == nil {
            guard let slash = place.lastIndex(of: "/"), slash > place.startIndex else {
                place = path.hasPrefix("/") ? "/" : "."
                break
            }
            place = String(place[..<slash])
        }
        for _ in 0..<32 {
            let format = place + "/format"
            let bytes = try? WholeFile.read(format, files)
            if let bytes, (try? DataDirectory.check(String(decoding: bytes, as: UTF8.self), format)) != nil {
                return true
            }
            place += "/.."
        }
        return false
    }
}
