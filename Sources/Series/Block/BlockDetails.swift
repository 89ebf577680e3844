import Bytes

/// What a manifest says of a block (`BlockEntry.details`) and the block's footer repeats: enough to decide whether a
/// query, a compaction or retention needs to open it.
public struct BlockDetails: Sendable, Equatable {
    /// The retention policy that the points belong to.
    public var retentionPolicy: [UInt8]
    /// The shard's first nanosecond, and the first one behind it. Every point is within.
    public var shardStart: Int64
    /// The first nanosecond behind the shard.
    public var shardEnd: Int64
    /// The earliest point.
    public var minimumTime: Int64
    /// The latest point.
    public var maximumTime: Int64
    /// The number of points (rows: a time with its fields).
    public var rows: Int64
    /// The number of series, over all measurements.
    public var series: Int64
    /// How often the points were merged; 0 for what a cut wrote.
    public var level: Int
    /// The first of the cuts whose points are in here. Later cuts win over earlier ones.
    public var firstCut: Int64
    /// The last of the cuts whose points are in here.
    public var lastCut: Int64
    /// Deletions that stand below this offset of the log are applied to these points.
    public var appliedThrough: Int64

    /// Assembles the details of a block that is to be written: nothing is in it yet.
    public init(
        retentionPolicy: [UInt8], shardStart: Int64, shardEnd: Int64, level: Int, firstCut: Int64, lastCut: Int64,
        appliedThrough: Int64
    ) {
        self.retentionPolicy = retentionPolicy
        self.shardStart = shardStart
        self.shardEnd = shardEnd
        self.level = level
        self.firstCut = firstCut
        self.lastCut = lastCut
        self.appliedThrough = appliedThrough
        (minimumTime, maximumTime, rows, series) = (.max, .min, 0, 0)
    }

    private static let version: UInt8 = 1

    /// The bytes: docs/formats/series-block.md.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 96 + retentionPolicy.count)
        writer.write(Self.version)
        writer.writeUnsignedVarint(UInt32(retentionPolicy.count))
        writer.write(contentsOf: retentionPolicy)
        for value in [
            shardStart, shardEnd, minimumTime, maximumTime, rows, series, Int64(level), firstCut, lastCut,
            appliedThrough,
        ] {
            writer.write(value)
        }
        return writer.array()
    }

    /// Reads the bytes.
    ///
    /// - Throws: `SeriesError` `.damaged`, or `.formatTooNew`.
    public init(decoding bytes: [UInt8]) throws(SeriesError) {
        do throws(BytesError) {
            self = try bytes.withUnsafeBufferPointer { bytes throws(BytesError) in
                var reader = ByteReader(UnsafeRawBufferPointer(bytes))
                return try BlockDetails(&reader)
            }
        } catch {
            throw SeriesError(
                bytes.first ?? 0 > Self.version ? .formatTooNew : .damaged, "details of a block", cause: error)
        }
    }

    init(_ reader: inout ByteReader) throws(BytesError) {
        guard try reader.uint8() == Self.version else {
            throw BytesError(code: .malformed, message: "an unknown version")
        }
        retentionPolicy = [UInt8](try reader.slice(Int(try reader.unsignedVarint())))
        shardStart = try reader.int64()
        shardEnd = try reader.int64()
        minimumTime = try reader.int64()
        maximumTime = try reader.int64()
        rows = try reader.int64()
        series = try reader.int64()
        level = Int(try reader.int64())
        firstCut = try reader.int64()
        lastCut = try reader.int64()
        appliedThrough = try reader.int64()
    }

    /// Counts points in.
    mutating func add(rows: Int, from minimum: Int64, through maximum: Int64) {
        self.rows += Int64(rows)
        minimumTime = min(minimumTime, minimum)
        maximumTime = max(maximumTime, maximum)
    }
}
