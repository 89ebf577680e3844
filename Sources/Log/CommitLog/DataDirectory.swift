import Machine

/// The data directory itself: its lock, its format version, its places.
struct DataDirectory: Sendable {
    /// The newest format that this code reads and writes: format 1 with a sync journal that may hold something.
    static let formatVersion = 2
    /// The format without.
    static let formatWithoutJournal = 1
    private static let formatPrefix = "millrace data format "
    /// What the file says while a backup is restored.
    static let unfinishedRestore = "millrace restore, unfinished"

    let path: String
    let lock: any FileLock
    /// Whether it was empty.
    let isNew: Bool
    /// The format that was found, or written.
    let format: Int

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
        let place = path + "/format"
        if let bytes = try WholeFile.read(place, files) {
            isNew = false
            format = try Self.check(String(decoding: bytes, as: UTF8.self), place)
        } else {
            isNew = true
            format = Self.formatWithoutJournal
            do {
                try Self.synchronizeWay(to: path, files)
                try Self.write(format: format, in: path, files)
            } catch {
                throw LogError(.storage, "cannot write \(place)", cause: error)
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
    static func synchronizeWay(to path: String, _ files: any FileSystem) throws(MachineError) {
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

    /// Says, durably, which format the directory has.
    static func write(format: Int, in path: String, _ files: any FileSystem) throws(MachineError) {
        let text = Array("\(formatPrefix)\(format)\n".utf8)
        try WholeFile.replace(path + "/format", inDirectory: path, with: text, files)
    }

    /// - Returns: the format that `text` says.
    @discardableResult
    static func check(_ text: String, _ path: String) throws(LogError) -> Int {
        let line = text.prefix { $0 != "\n" }
        guard line != unfinishedRestore else {
            throw LogError(.damaged, "\(path) says that a restore was not finished: run `millrace restore` again")
        }
        guard line.hasPrefix(formatPrefix), let version = Int(line.dropFirst(formatPrefix.count)) else {
            throw LogError(.damaged, "\(path) is no format version of Millrace: \"\(line.prefix(64))\"")
        }
        guard version <= formatVersion else {
            throw LogError(.formatTooNew, "\(path) says format \(version); this version knows \(formatVersion)")
        }
        return version
    }
}
