import Machine

/// The data directory itself: its lock, its format version, its places.
struct DataDirectory: Sendable {
    /// The newest format that this code reads and writes.
    static let formatVersion = 1
    private static let formatPrefix = "millrace data format "

    let path: String
    let lock: any FileLock
    /// Whether it was empty.
    let isNew: Bool

    var log: String { path + "/log" }
    var trash: String { path + "/trash" }
    var orphans: String { path + "/orphans" }
    var checkpoint: String { path + "/checkpoint" }

    /// Locks the directory and checks its format; creates both if absent.
    init(_ path: String, _ files: any FileSystem) throws(LogError) {
        self.path = path
        do {
            try files.createDirectory(path)
            lock = try files.lock(path + "/lock")
        } catch {
            throw error.code == .locked
                ? LogError(.locked, "another process has \(path) open", cause: error)
                : LogError(.storage, "cannot open \(path)", cause: error)
        }
        let format = path + "/format"
        if let bytes = try WholeFile.read(format, files) {
            isNew = false
            try Self.check(String(decoding: bytes, as: UTF8.self), format)
        } else {
            isNew = true
            do {
                try Self.synchronizeWay(to: path, files)
                let text = Array("\(Self.formatPrefix)\(Self.formatVersion)\n".utf8)
                try WholeFile.replace(format, inDirectory: path, with: text, files)
            } catch {
                throw LogError(.storage, "cannot write \(format)", cause: error)
            }
        }
        do {
            try files.createDirectory(log)
            try files.synchronizeDirectory(path)
        } catch {
            throw LogError(.storage, "cannot create \(log)", cause: error)
        }
    }

    /// Makes the directory itself durable, and those above it, before anything is promised.
    private static func synchronizeWay(to path: String, _ files: any FileSystem) throws(MachineError) {
        var place = path[...]
        while let slash = place.lastIndex(of: "/") {
            let parent = slash == place.startIndex ? "/" : String(place[..<slash])
            do {
                try files.synchronizeDirectory(parent)
            } catch {
                // What we may not open was not created by us.
                if error.code != .denied { throw error }
            }
            place = place[..<slash]
        }
        if !path.hasPrefix("/") { try files.synchronizeDirectory(".") }
    }

    static func check(_ text: String, _ path: String) throws(LogError) {
        let line = text.prefix { $0 != "\n" }
        guard line.hasPrefix(formatPrefix), let version = Int(line.dropFirst(formatPrefix.count)) else {
            throw LogError(.damaged, "\(path) is no format version of Millrace: \"\(line.prefix(64))\"")
        }
        guard version <= formatVersion else {
            throw LogError(.formatTooNew, "\(path) says format \(version); this version knows \(formatVersion)")
        }
    }
}
