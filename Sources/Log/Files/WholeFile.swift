import Machine

/// Small files that are read at once.
enum WholeFile {
    /// No file that is read whole is larger: a checkpoint of 100,000 partitions has 7 MB.
    static let maximumBytes: Int64 = 256 << 20

    /// The content, or nil if there is no such file.
    static func read(_ path: String, _ files: any FileSystem) throws(LogError) -> [UInt8]? {
        do {
            let file = try files.open(path, .read)
            defer { file.close() }
            let size = try file.size()
            guard size <= maximumBytes else { throw LogError(.damaged, "\(path) has \(size) bytes") }
            var bytes = [UInt8](repeating: 0, count: Int(size))
            let count = try bytes.withMutableBytes { buffer throws(MachineError) in
                try file.read(into: buffer, at: 0)
            }
            return Array(bytes.prefix(count))
        } catch let error as MachineError {
            if error.code == .notFound { return nil }
            throw LogError(.storage, "cannot read \(path)", cause: error)
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.storage, "cannot read \(path)", cause: error)
        }
    }

    /// Replaces a file, durably: write beside it, sync, rename, sync the directory.
    static func replace(
        _ path: String, inDirectory directory: String, with bytes: [UInt8], _ files: any FileSystem
    ) throws(MachineError) {
        let unfinished = path + SegmentName.unfinished
        let file = try files.open(unfinished, .replace)
        defer { file.close() }
        try bytes.withBytes { bytes throws(MachineError) in try file.write(bytes, at: 0) }
        try file.synchronize()
        try files.rename(unfinished, to: path)
        try files.synchronizeDirectory(directory)
    }
}
