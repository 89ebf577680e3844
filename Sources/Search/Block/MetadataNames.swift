import Bytes

/// Names of structured metadata, as long as there are few.
public struct MetadataNames: Sendable, Equatable {
    /// The most names that are kept; with more nothing is known.
    public static let maximumCount = 256
    /// The longest name that is kept, in bytes.
    public static let maximumNameBytes = 1_024

    /// The names; nil if there were too many.
    public private(set) var names: Set<String>? = []

    /// No names.
    public init() {}

    /// Adds a name.
    public mutating func insert(_ name: String) {
        names?.insert(name)
        if name.utf8.count > Self.maximumNameBytes || names?.count ?? 0 > Self.maximumCount { names = nil }
    }

    /// Adds names.
    public mutating func formUnion(_ other: MetadataNames) {
        guard let more = other.names else {
            names = nil
            return
        }
        names?.formUnion(more)
        if names?.count ?? 0 > Self.maximumCount { names = nil }
    }

    /// The number of names + 1 and each of them, sorted; 0 if they are not known.
    func write(to writer: inout ByteWriter) {
        writer.writeUnsignedVarint(UInt32(names.map { $0.count + 1 } ?? 0))
        for name in (names ?? []).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            writer.writeUnsignedVarint(UInt32(name.utf8.count))
            writer.write(contentsOf: Array(name.utf8))
        }
    }

    init(_ reader: inout ByteReader) throws(BytesError) {
        let count = Int(try reader.unsignedVarint())
        guard count <= Self.maximumCount + 1 else {
            throw BytesError(code: .malformed, message: "\(count) names of metadata")
        }
        guard count > 0 else {
            names = nil
            return
        }
        for _ in 1..<count {
            let name = try reader.slice(Int(try reader.unsignedVarint()))
            names?.insert(String(decoding: name, as: UTF8.self))
        }
    }
}
