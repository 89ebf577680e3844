/// The bounds of one statement, and of all that run at a time. All are on by default, unlike InfluxDB's; the errors are InfluxDB's where it has some.
public struct QueryLimits: Sendable, Equatable {
    /// The longest run time. Default 60 s (`query-timeout limit exceeded`).
    public var timeoutMilliseconds = 60_000
    /// The most series that a SELECT may read. Default 2,000,000 (`max-select-series limit exceeded`).
    public var maximumSeries = 2_000_000
    /// The most points that a SELECT may read, summaries not counted. Default 1,000,000,000
    /// (`max-select-point limit exceeed`, InfluxDB's spelling).
    public var maximumPoints = 1_000_000_000
    /// The most windows of a SELECT, all groups together. Default 5,000,000 (`max-select-buckets limit exceeded`).
    public var maximumBuckets = 5_000_000
    /// The most memory for values, rows and groups that a SELECT keeps, in bytes. Default 512 MiB.
    public var maximumBytes = 512 * 1024 * 1024
    /// The same of all statements that run at a time. Default 1 GiB.
    public var maximumTotalBytes = 1024 * 1024 * 1024
    /// The most requests that run at a time. Default 256 (`max-concurrent-queries limit exceeded`).
    public var maximumQueries = 256
    /// The most rows that SHOW answers. Default 2,000,000.
    public var maximumShowRows = 2_000_000
    /// The longest text of a query, in bytes. Default 1 MiB.
    public var maximumTextBytes = 1024 * 1024
    /// The threads that one SELECT computes on. Default 2.
    public var parallelism = 2

    /// The defaults.
    public init() {}
}
