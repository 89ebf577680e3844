import Telemetry

/// One database: the views of all partitions of its topic, read as one. Equal points of several partitions cannot be:
/// ingest routes by series, and where somebody else wrote the topic, the partition with the higher number wins.
public final class SeriesDatabase: PointSource {
    /// The database's name.
    public let name: [UInt8]
    /// The partitions' engines, by the partition's number.
    public let partitions: [SeriesPartition]

    /// Unites partitions, of which there is at least one.
    public init(name: [UInt8], partitions: [SeriesPartition]) {
        precondition(!partitions.isEmpty, "a database without partitions")
        self.name = name
        self.partitions = partitions
    }

    /// The retention policies, sorted by name; those of the first partition: commands go to all.
    public var retentionPolicies: [RetentionPolicy] { partitions[0].retentionPolicies }

    /// What the default policy is called, whether it is there or was dropped.
    public var defaultPolicyName: [UInt8] { partitions[0].defaultPolicyName }

    /// How many series there are, about.
    public var seriesEstimate: Int { partitions.reduce(0) { $0 + $1.seriesEstimate } }

    /// The measurements of a retention policy (nil: of all), sorted by their bytes.
    public func measurements(retentionPolicy: [UInt8]?) throws(SeriesError) -> [[UInt8]] {
        var names: Set<[UInt8]> = []
        for partition in partitions { names.formUnion(try partition.measurements(retentionPolicy: retentionPolicy)) }
        return names.sorted { SeriesKey.compare($0, $1) < 0 }
    }

    /// The fields and tag keys of a measurement, sorted by name; nil if there is no such measurement.
    public func schema(
        of measurement: [UInt8], retentionPolicy: [UInt8]?
    ) throws(SeriesError) -> MeasurementSchema? {
        try PartitionSnapshot.schema(sources(measurement, retentionPolicy))
    }

    /// The series of a measurement that match and have a point in the range, by their canonical keys in order.
    public func series(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, matching tags: TagPredicate, in range: ClosedRange<Int64>,
        _ visit: (borrowing SeriesTags) -> Bool
    ) throws(SeriesError) {
        let sources = try sources(measurement, retentionPolicy)
        try PartitionSnapshot.series(sources, of: measurement, matching: tags, in: range, visit)
    }

    /// The distinct values of a tag among the matching series, sorted by their bytes. Never holds "".
    public func tagValues(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, key: [UInt8], matching tags: TagPredicate,
        in range: ClosedRange<Int64>
    ) throws(SeriesError) -> [[UInt8]] {
        try PartitionSnapshot.tagValues(
            try sources(measurement, retentionPolicy), key: key, matching: tags, in: range)
    }

    /// Begins to read points; nil if more than `effort` series and rows had to be looked at for this.
    public func scan(_ request: ScanRequest, effort: Int) throws(SeriesError) -> PointScans? {
        var sources: [TableSource] = []
        for partition in partitions {
            let snapshot = partition.snapshot()
            let policy = try snapshot.policy(request.retentionPolicy)
            sources += try snapshot.sources(request.measurement, policy.name)
        }
        return try ScanPlan(request, sources, effort: effort)?.scans()
    }

    private func sources(_ measurement: [UInt8], _ retentionPolicy: [UInt8]?) throws(SeriesError) -> [TableSource] {
        var sources: [TableSource] = []
        for partition in partitions {
            sources += try partition.snapshot().sources(measurement, anyOf: retentionPolicy)
        }
        return sources
    }
}
