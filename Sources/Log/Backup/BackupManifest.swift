public import KafkaWire

/// What a backup consists of: docs/formats/backup.md. A line each, so that people can read it.
public struct BackupManifest: Sendable, Equatable {
    /// A partition of the backup.
    public struct Partition: Sendable, Equatable {
        /// The topic's id.
        public let topicID: Uuid
        /// The topic's name.
        public let topic: String
        /// The partition's index.
        public let index: Int32
        /// The first offset.
        public let startOffset: Int64
        /// The offset after the last record.
        public let endOffset: Int64
        /// The leader epoch that the restored server goes beyond.
        public let leaderEpoch: Int32
    }

    /// A file of the backup.
    public struct File: Sendable, Equatable {
        /// Its path within the backup.
        public let path: String
        /// Its size in bytes.
        public let sizeBytes: Int64
        /// The CRC32C of its bytes.
        public let checksum: UInt32
        /// Whether it was another name of the server's file.
        public let isLink: Bool
        /// When the server's file changed last, in milliseconds since 1970.
        public let modifiedMilliseconds: Int64
    }

    /// The version of the program that made it.
    public internal(set) var programVersion = ""
    /// When it was begun, in milliseconds since 1970: every record acknowledged before is in it.
    public internal(set) var beganMilliseconds: Int64 = 0
    /// When it was complete, in milliseconds since 1970.
    public internal(set) var endedMilliseconds: Int64 = 0
    /// Its partitions.
    public internal(set) var partitions: [Partition] = []
    /// Its files, without the manifest and `format`.
    public internal(set) var files: [File] = []

    /// The bytes of all files.
    public var sizeBytes: Int64 { files.reduce(0) { $0 + $1.sizeBytes } }

    static let version = 1
    private static let prefix = "millrace backup manifest "

    init() {}

    // MARK: Lines

    static func firstLines(programVersion: String, began: Int64) -> String {
        "\(prefix)\(version)\nversion \(programVersion)\nbegan \(began)\n"
    }

    /// The last line. A file without it was cut off.
    static func lastLine(lines: Int, checksum: UInt32) -> String { "end \(lines) \(hexadecimal(checksum))\n" }

    static func line(ended: Int64) -> String { "ended \(ended)\n" }

    static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    // MARK: Reading

    /// Parses the file.
    ///
    /// - Throws: `.damaged`, `.formatTooNew`.
    init(decoding bytes: [UInt8], path: String) throws(LogError) {
        // Text that had to be mended would have another length than its bytes.
        let text = String(validating: bytes, as: UTF8.self) ?? ""
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 2, lines.last == "", let first = lines.first, first.hasPrefix(Self.prefix),
            let found = Int(first.dropFirst(Self.prefix.count))
        else { throw LogError(.damaged, "\(path) is no manifest of a backup, or was cut off") }
        guard found <= Self.version else {
            throw LogError(.formatTooNew, "\(path) says version \(found); this version knows \(Self.version)")
        }
        let last = lines[lines.count - 2]
        let checked = bytes.count - last.utf8.count - 1
        let checksum = bytes.withUnsafeBytes { Checksum.of(UnsafeRawBufferPointer(rebasing: $0[..<checked])) }
        guard last + "\n" == Self.lastLine(lines: lines.count - 2, checksum: checksum) else {
            throw LogError(.damaged, "\(path) does not verify: its last line does not fit the others")
        }
        for (number, line) in lines.dropLast(2).enumerated().dropFirst() {
            guard take(line.split(separator: " ")) else {
                throw LogError(.damaged, "\(path):\(number + 1): \"\(line.prefix(80))\" does not parse")
            }
        }
    }

    private mutating func take(_ fields: [Substring]) -> Bool {
        switch (fields.first, fields.count) {
        case ("version", 2): programVersion = String(fields[1])
        case ("began", 2): beganMilliseconds = Int64(fields[1]) ?? 0
        case ("ended", 2): endedMilliseconds = Int64(fields[1]) ?? 0
        case ("partition", 7):
            guard let partition = Partition(fields) else { return false }
            partitions.append(partition)
        case ("file", 6):
            guard let file = File(fields) else { return false }
            files.append(file)
        default: return false
        }
        return true
    }
}

extension BackupManifest.Partition {
    var line: String {
        "partition \(topicID) \(index) \(startOffset) \(endOffset) \(leaderEpoch) \(topic)\n"
    }

    fileprivate init?(_ fields: [Substring]) {
        guard let id = Uuid(String(fields[1])), let index = Int32(fields[2]), let start = Int64(fields[3]),
            let end = Int64(fields[4]), let epoch = Int32(fields[5])
        else { return nil }
        self.init(
            topicID: id, topic: String(fields[6]), index: index, startOffset: start, endOffset: end, leaderEpoch: epoch)
    }
}

extension BackupManifest.File {
    var line: String {
        let sum = BackupManifest.hexadecimal(checksum)
        return "file \(sizeBytes) \(sum) \(isLink ? "link" : "copy") \(modifiedMilliseconds) \(path)\n"
    }

    /// Only names that lie in the backup: nothing that leads out of it.
    fileprivate init?(_ fields: [Substring]) {
        guard let size = Int64(fields[1]), size >= 0, fields[2].utf8.count == 8,
            let checksum = UInt32(fields[2], radix: 16), let modified = Int64(fields[4])
        else { return nil }
        let parts = fields[5].split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { return nil }
        let isDeep = (parts.first == "log" || parts.first == "views") && parts.count > 2
        guard isDeep || parts == ["checkpoint"] || parts == ["metadata"] else { return nil }
        self.init(
            path: String(fields[5]), sizeBytes: size, checksum: checksum, isLink: fields[3] == "link",
            modifiedMilliseconds: modified)
    }
}
