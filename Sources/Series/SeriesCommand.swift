/// A change of a database that is not a point: the content of a control record, applied in the order of the log.
public enum SeriesCommand: Sendable, Equatable {
    /// Creates a retention policy, or changes the one of this name.
    case setRetentionPolicy(RetentionPolicy)
    /// Removes a retention policy and all its points.
    case dropRetentionPolicy(name: [UInt8])
    /// Removes points.
    case delete(DeletePredicate)
    /// Removes a measurement with its schema, from every retention policy.
    case dropMeasurement(name: [UInt8])
    /// Changes the bounds on cardinality.
    case setLimits(SeriesLimits)
}

/// Which points a deletion removes, from every retention policy.
public struct DeletePredicate: Sendable, Equatable {
    /// The measurements; empty for all.
    public var measurements: [[UInt8]]
    /// Tags that must have these values; all of them. Equalities only: whoever deletes by a pattern resolves it first,
    /// so that applying needs no pattern.
    public var tags: [Condition]
    /// The times in nanoseconds since 1970.
    public var range: ClosedRange<Int64>
    /// Whether the series themselves go (DROP SERIES); otherwise points in the range only.
    public var dropsSeries: Bool

    /// A tag with the values of which one must hold; "" for a missing tag.
    public struct Condition: Sendable, Equatable {
        /// The tag's key.
        public var key: [UInt8]
        /// The values, sorted.
        public var values: [[UInt8]]

        /// Assembles a condition.
        public init(key: [UInt8], values: [[UInt8]]) {
            self.key = key
            self.values = values
        }
    }

    /// Assembles a predicate.
    public init(measurements: [[UInt8]], tags: [Condition], range: ClosedRange<Int64>, dropsSeries: Bool) {
        self.measurements = measurements
        self.tags = tags
        self.range = range
        self.dropsSeries = dropsSeries
    }
}

/// Bounds on a database. Points beyond them are refused with an error that names the bound and the worst tag.
public struct SeriesLimits: Sendable, Equatable {
    /// The most series. Default 1,000,000, as InfluxDB.
    public var maximumSeries = 1_000_000
    /// The most values of one tag of one measurement. Default 100,000, as InfluxDB; 0 for no bound.
    public var maximumTagValues = 100_000
    /// The most measurements. Default 10,000.
    public var maximumMeasurements = 10_000
    /// The most fields of one measurement. Default 4,096.
    public var maximumFields = 4_096

    /// The defaults.
    public init() {}
}
