/// A codec of Kafka's record batches; the raw value is what stands in a batch's attributes.
public enum Compression: UInt8, Sendable, CaseIterable {
    /// As it is.
    case none = 0
    /// gzip (RFC 1952).
    case gzip = 1
    /// Snappy, raw or in the frames of snappy-java ("xerial").
    case snappy = 2
    /// LZ4 in its frame format.
    case lz4 = 3
    /// Zstandard (RFC 8878).
    case zstd = 4

    /// The name as Kafka's configuration spells it.
    public var name: String {
        switch self {
        case .none: "none"
        case .gzip: "gzip"
        case .snappy: "snappy"
        case .lz4: "lz4"
        case .zstd: "zstd"
        }
    }

    /// The codec of a name.
    public init?(name: String) {
        guard let codec = Compression.allCases.first(where: { $0.name == name }) else { return nil }
        self = codec
    }

    /// Appends `bytes` compressed at the codec's usual level (gzip 6, lz4 fastest, zstd 3).
    public func compress(_ bytes: UnsafeRawBufferPointer, into writer: inout ByteWriter) throws(BytesError) {
        switch self {
        case .none: writer.write(contentsOf: bytes)
        case .gzip: try Gzip.compress(bytes, into: &writer)
        case .snappy: try Snappy.compress(bytes, into: &writer)
        case .lz4: try LZ4.compress(bytes, into: &writer)
        case .zstd: try Zstandard.compress(bytes, into: &writer)
        }
    }

    /// Appends `bytes` decompressed.
    ///
    /// Throws code `.limitExceeded` as soon as the result would pass `limit` bytes, `.truncated` if the bytes end too
    /// early and `.malformed` if they are not of this codec; the writer then holds a part of the result. Memory grows
    /// with what was really decompressed, never with what the bytes announce.
    public func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int, into writer: inout ByteWriter
    ) throws(BytesError) {
        switch self {
        case .none:
            guard bytes.count <= limit else { throw .decompressed(.none, limit: limit) }
            writer.write(contentsOf: bytes)
        case .gzip: try Gzip.decompress(bytes, limit: limit, into: &writer)
        case .snappy: try Snappy.decompress(bytes, limit: limit, into: &writer)
        case .lz4: try LZ4.decompress(bytes, limit: limit, into: &writer)
        case .zstd: try Zstandard.decompress(bytes, limit: limit, into: &writer)
        }
    }
}

extension BytesError {
    /// More than `limit` bytes came out.
    static func decompressed(_ codec: Compression, limit: Int) -> BytesError {
        BytesError(code: .limitExceeded, message: "\(codec.name): more than \(limit) bytes decompressed")
    }

    /// Bytes that the codec refuses, and why.
    static func compressed(_ codec: Compression, _ reason: String) -> BytesError {
        BytesError(code: .malformed, message: "\(codec.name): \(reason)")
    }

    /// Bytes that end inside a frame.
    static func unfinished(_ codec: Compression) -> BytesError {
        BytesError(code: .truncated, message: "\(codec.name): the bytes end inside a frame")
    }
}

/// The output side of a decompression in steps: how much room the next step gets.
struct DecompressionBudget {
    let codec: Compression
    let limit: Int
    private var produced = 0

    init(_ codec: Compression, limit: Int) {
        self.codec = codec
        self.limit = limit
    }

    /// Room for the next step: doubles with what was produced, from 16 KiB to 1 MiB, and is one byte more than the
    /// limit allows, so that reaching into it shows that the limit is passed.
    var room: Int { min(max(16 << 10, min(produced, 1 << 20)), limit - produced + 1) }

    /// Accounts for a step's output.
    mutating func add(_ count: Int) throws(BytesError) {
        produced += count
        guard produced <= limit else { throw .decompressed(codec, limit: limit) }
    }
}
