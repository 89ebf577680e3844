public import Machine

extension File {
    /// Writes the UTF-8 bytes of a text.
    public func write(_ text: String, at position: Int64) throws {
        try Array(text.utf8).withUnsafeBytes { try write($0, at: position) }
    }

    /// The bytes of a range, as far as the file goes.
    public func bytes(_ range: Range<Int64>) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        let count = try bytes.withUnsafeMutableBytes { try read(into: $0, at: range.lowerBound) }
        return Array(bytes[..<count])
    }

    /// The bytes of a range, or of the whole file, as text.
    public func text(_ range: Range<Int64>? = nil) throws -> String {
        let end = try range?.upperBound ?? size()
        return String(decoding: try bytes((range?.lowerBound ?? 0)..<end), as: UTF8.self)
    }
}
