public import Telemetry

/// One tenant: the views of all partitions of its topic, read as one. Ingest routes by stream; where somebody else
/// wrote the topic, a stream may be in several partitions.
public final class SearchTenant: LineSource {
    /// The tenant's name.
    public let name: String
    /// The partitions' engines, by the partition's number.
    public let partitions: [LinePartition]

    /// Unites partitions, of which there is at least one.
    public init(name: String, partitions: [LinePartition]) {
        precondition(!partitions.isEmpty, "a tenant without partitions")
        self.name = name
        self.partitions = partitions
    }

    /// How long lines are kept; what the first partition says: commands go to all.
    public var retention: SearchRetention { partitions[0].retention }

    /// The bounds; what the first partition says.
    public var limits: SearchLimits { partitions[0].limits }

    private var reading: LineReading { LineReading(partitions.map { $0.snapshot() }) }

    /// The streams that match and have a line in the range, sorted by their labels' canonical text.
    public func streams(
        matching matchers: [LabelMatcher], in range: TimeWindow
    ) throws(SearchError) -> [StreamLabels] {
        try reading.streams(matching: matchers, in: range)
    }

    /// How many streams there are, about.
    public var streamEstimate: Int { reading.streamEstimate }

    /// The names of structured metadata that lines may have; nil if there are too many.
    public var metadataNames: Set<String>? { reading.metadataNames }

    /// Begins to read lines.
    public func scan(_ request: LineRequest) throws(SearchError) -> [any LineScan] { try reading.scan(request) }

    /// Lines and bytes by stream, level and bucket.
    public func totals(_ request: TotalsRequest) throws(SearchError) -> [StreamTotals] { try reading.totals(request) }
}
