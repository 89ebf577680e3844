import KafkaWire
import Machine

/// A topic's directory, `log/<topic>`, with a file `topic` that tells whose it is: docs/decisions/005.
enum TopicDirectory {
    static let identityName = "topic"

    /// Writes the topic's id into its directory, unless a file is there already.
    static func identify(_ directory: String, _ id: Uuid, _ files: any FileSystem) throws(MachineError) {
        let path = directory + "/" + identityName
        guard try files.information(at: path) == nil else { return }
        let file = try files.open(path, .replace)
        defer { file.close() }
        let text = Array((id.description + "\n").utf8)
        try text.withBytes { bytes throws(MachineError) in try file.write(bytes, at: 0) }
        try file.synchronize()
    }

    /// The id that a directory carries; nil if there is none that can be read.
    static func identity(of directory: String, _ files: any FileSystem) -> Uuid? {
        guard let bytes = try? WholeFile.read(directory + "/" + identityName, files) else { return nil }
        return identity(bytes)
    }

    /// The id in the bytes of such a file, if there is one.
    static func identity(_ bytes: [UInt8]) -> Uuid? {
        Uuid(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
