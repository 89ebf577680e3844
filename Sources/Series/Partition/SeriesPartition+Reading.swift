import Synchronization
import Telemetry

extension SeriesPartition: PointSource {
    /// The retention policies, sorted by name.
    public var retentionPolicies: [RetentionPolicy] { snapshot().retentionPolicies }

    /// What the default policy is called, whether it is there or was dropped.
    public var defaultPolicyName: [UInt8] { snapshot().defaultPolicyName }

    /// The measurements of a retention policy (nil: of all), sorted by their bytes.
    public func measurements(retentionPolicy: [UInt8]?) throws(SeriesError) -> [[UInt8]] {
        try snapshot().measurements(retentionPolicy).sorted { SeriesKey.compare($0, $1) < 0 }
    }

    /// The fields and tag keys of a measurement, sorted by name; nil if there is no such measurement.
    public func schema(
        of measurement: [UInt8], retentionPolicy: [UInt8]?
    ) throws(SeriesError) -> MeasurementSchema? {
        try PartitionSnapshot.schema(snapshot().sources(measurement, anyOf: retentionPolicy))
    }

    /// The series of a measurement that match and have a point in the range, by their canonical keys in order.
    public func series(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, matching tags: TagPredicate, in range: ClosedRange<Int64>,
        _ visit: (borrowing SeriesTags) -> Bool
    ) throws(SeriesError) {
        let sources = try snapshot().sources(measurement, anyOf: retentionPolicy)
        try PartitionSnapshot.series(sources, of: measurement, matching: tags, in: range, visit)
    }

    /// The distinct values of a tag among the matching series, sorted by their bytes. Never holds "".
    public func tagValues(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, key: [UInt8], matching tags: TagPredicate,
        in range: ClosedRange<Int64>
    ) throws(SeriesError) -> [[UInt8]] {
        let sources = try snapshot().sources(measurement, anyOf: retentionPolicy)
        return try PartitionSnapshot.tagValues(sources, key: key, matching: tags, in: range)
    }

    /// How many series there are, about (within 3 %); cheap.
    public var seriesEstimate: Int { shown.withLock { $0.seriesEstimate } }

    /// Begins to read points; nil if more than `effort` series and rows had to be looked at for this.
    public func scan(_ request: ScanRequest, effort: Int) throws(SeriesError) -> PointScans? {
        let snapshot = snapshot()
        let policy = try snapshot.policy(request.retentionPolicy)
        return try ScanPlan(request, try snapshot.sources(request.measurement, policy.name), effort: effort)?.scans()
    }
}
