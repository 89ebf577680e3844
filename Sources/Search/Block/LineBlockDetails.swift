import Bytes

/// What a manifest says of a block of lines (`BlockEntry.details`) and the block's footer repeats: enough to decide
/// whether a query, a compaction or retention needs to open it.
public struct LineBlockDetails: Sendable, Equatable {
    /// The UTC day that the lines' times are in, counted from 1970: every line is within.
    public var day: Int64
    /// The earliest line, in nanoseconds.
    public var minimumTime: Int64
    /// The latest line.
    public var maximumTime: Int64
    /// The number of lines.
    public var lines: Int64
    /// The bytes of the lines as they came.
    public var rawBytes: Int64
    /// The number of streams.
    public var streams: Int64
    /// How often the lines were merged; 0 for what a cut wrote.
    public var level: Int64
    /// The first of the cuts whose lines are in here.
    public var firstCut: Int64
    /// The last of the cuts whose lines are in here.
    public var lastCut: Int64
    /// Deletions that stand below this offset of the log are applied to these lines.
    public var appliedThrough: Int64
    /// The names of structured metadata that the lines may have, some that no line has among them. Whoever writes the
    /// block knows them before.
    public var metadataNames = MetadataNames()

    /// Assembles the details of a block that is to be written: nothing is in it yet.
    public init(day: Int64, level: Int64, firstCut: Int64, lastCut: Int64, appliedThrough: Int64) {
        self.day = day
        self.level = level
        self.firstCut = firstCut
        self.lastCut = lastCut
        self.appliedThrough = appliedThrough
        (minimumTime, maximumTime, lines, rawBytes, streams) = (.max, .min, 0, 0, 0)
    }

    private static let version: UInt8 = 1

    /// The bytes: docs/formats/search-block.md.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 96)
        writer.write(Self.version)
        for value in [
            day, minimumTime, maximumTime, lines, rawBytes, streams, level, firstCut, lastCut, appliedThrough,
        ] {
            writer.write(value)
        }
        metadataNames.write(to: &writer)
        return writer.array()
    }

    /// Reads the bytes.
    ///
    /// - Throws: `SearchError` `.damaged`, or `.formatTooNew`.
    public init(decoding bytes: [UInt8]) throws(SearchError) {
        do throws(BytesError) {
            self = try bytes.withUnsafeBufferPointer { bytes throws(BytesError) in
                var reader = ByteReader(UnsafeRawBufferPointer(bytes))
                return try LineBlockDetails(&reader)
            }
        } catch {
            throw SearchError(
                bytes.first ?? 0 > Self.version ? .formatTooNew : .damaged, "details of a block", cause: error)
        }
    }

    private init(_ reader: inout ByteReader) throws(BytesError) {
        guard try reader.uint8() == Self.version else {
            throw BytesError(code: .malformed, message: "an unknown version")
        }
        day = try reader.int64()
        minimumTime = try reader.int64()
        maximumTime = try reader.int64()
        lines = try reader.int64()
        rawBytes = try reader.int64()
        streams = try reader.int64()
        level = try reader.int64()
        firstCut = try reader.int64()
        lastCut = try reader.int64()
        appliedThrough = try reader.int64()
        metadataNames = try MetadataNames(&reader)
        guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the details") }
    }
}
