import Machine

/// Writes a manifest line by line, so that it needs no memory, and gives it its name at the end.
struct ManifestWriter {
    private let file: any File
    private let directory: String
    private let files: any FileSystem
    private var buffer: [UInt8] = []
    private var position: Int64 = 0
    private var lines = 0
    private var checksum = Checksum()
    private static let bufferBytes = 64 << 10

    private static func unfinished(_ directory: String) -> String {
        BackupFormat.manifest(in: directory) + SegmentName.unfinished
    }

    init(_ directory: String, _ files: any FileSystem) throws(MachineError) {
        self.directory = directory
        self.files = files
        file = try files.open(Self.unfinished(directory), .create)
    }

    /// Adds whole lines.
    mutating func add(_ text: String) throws(MachineError) {
        let bytes = Array(text.utf8)
        lines += bytes.count { $0 == 0x0A }
        bytes.withBytes { checksum.update($0) }
        buffer += bytes
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Adds the last line, and makes the backup whole.
    mutating func finish() throws(MachineError) {
        try add(BackupManifest.lastLine(lines: lines, checksum: checksum.value))
        try flush()
        try file.synchronize()
        file.close()
        try files.rename(Self.unfinished(directory), to: BackupFormat.manifest(in: directory))
        try files.synchronizeDirectory(directory)
    }

    private mutating func flush() throws(MachineError) {
        try buffer.withBytes { bytes throws(MachineError) in try file.write(bytes, at: position) }
        position += Int64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }
}
