import Bytes
public import Telemetry

/// A set of structured metadata as bytes, as blocks keep it: `{"name":"value","other":"value"}`, sorted by name, a
/// backslash in front of quotes and backslashes and nothing else escaped; no bytes for the empty set.
public enum MetadataText {
    /// The bytes of a set.
    public static func encode(_ set: [StreamLabels.Label]) -> [UInt8] {
        guard !set.isEmpty else { return [] }
        var bytes: [UInt8] = []
        for label in set {
            bytes.append(UInt8(ascii: bytes.isEmpty ? "{" : ","))
            append(label.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            append(label.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The set of these bytes.
    ///
    /// - Throws: `.malformed` for bytes that `encode` does not make.
    static func decode(_ bytes: UnsafeRawBufferPointer) throws(BytesError) -> [StreamLabels.Label] {
        guard !bytes.isEmpty else { return [] }
        var (set, place): ([StreamLabels.Label], Int) = ([], 0)
        repeat {
            try expect(set.isEmpty ? "{" : ",", bytes, &place)
            let name = try string(bytes, &place)
            try expect(":", bytes, &place)
            set.append(StreamLabels.Label(name, try string(bytes, &place)))
        } while place < bytes.count && bytes[place] != UInt8(ascii: "}")
        try expect("}", bytes, &place)
        guard place == bytes.count else { throw malformed }
        return set
    }

    private static var malformed: BytesError { BytesError(code: .malformed, message: "no set of metadata") }

    private static func expect(
        _ character: Unicode.Scalar, _ bytes: UnsafeRawBufferPointer, _ place: inout Int
    ) throws(BytesError) {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { throw malformed }
        place += 1
    }

    private static func string(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(BytesError) -> String {
        try expect("\"", bytes, &place)
        var text: [UInt8] = []
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            if bytes[place] == UInt8(ascii: "\\") { place += 1 }
            guard place < bytes.count else { throw malformed }
            text.append(bytes[place])
            place += 1
        }
        try expect("\"", bytes, &place)
        return String(decoding: text, as: UTF8.self)
    }
}
