/// What reading has cost so far, in units that depend on the data alone. Counted once per page or batch.
public struct ScanCost: Sendable, Equatable {
    /// Pages of blocks that were decoded.
    public var pagesRead = 0
    /// Pages whose summary was taken instead of their points.
    public var pagesSummarised = 0
    /// Pages of wanted series that were passed over, because none of their times or fields is wanted.
    public var pagesSkipped = 0
    /// The bytes read: of blocks as they are stored, of heads 8 for each time and value.
    public var bytes = 0

    /// Nothing yet.
    public init() {}

    /// Adds what somebody else has read.
    public static func += (left: inout ScanCost, right: ScanCost) {
        left.pagesRead += right.pagesRead
        left.pagesSummarised += right.pagesSummarised
        left.pagesSkipped += right.pagesSkipped
        left.bytes += right.bytes
    }

    /// What was read between two moments of one reader.
    public static func - (later: ScanCost, earlier: ScanCost) -> ScanCost {
        var difference = later
        difference.pagesRead -= earlier.pagesRead
        difference.pagesSummarised -= earlier.pagesSummarised
        difference.pagesSkipped -= earlier.pagesSkipped
        difference.bytes -= earlier.bytes
        return difference
    }
}

/// The parts of a scan, and what was left out before reading began.
public struct PointScans: Sendable {
    /// The parts.
    public var parts: [any PointScan]
    /// Blocks that hold points of the measurement and have to be read.
    public var blocks: Int
    /// Blocks that hold points of it, and none of a wanted time or series.
    public var blocksSkipped: Int

    /// Assembles a scan.
    public init(_ parts: [any PointScan], blocks: Int = 0, blocksSkipped: Int = 0) {
        self.parts = parts
        self.blocks = blocks
        self.blocksSkipped = blocksSkipped
    }
}
