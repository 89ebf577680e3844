/// How queries are held in bounds, and which of them are told.
public struct QuerySettings: Sendable, Equatable {
    /// The bounds.
    public var limits = QueryLimits()
    /// A statement that takes longer is slow: it is counted, and reported with its plan and cost. In milliseconds, the
    /// time that its reader lets it wait not counted. Default 1,000; 0 reports every statement, -1 none.
    public var slowMilliseconds: Int64 = 1_000

    /// The defaults.
    public init() {}
}

/// The bounds of one statement, and of all that run at a time, in whatever language. All are on by default, unlike InfluxDB's; the errors are InfluxDB's where it has some.
public struct QueryLimits: Sendable, Equatable {
    /// The longest run time, in milliseconds. Default 60 s (`query-timeout limit exceeded`).
    public var timeoutMilliseconds = 60_000
    /// The most series that a SELECT may read, each counted in every part of a scan that holds it, as InfluxDB counts
    /// them in every shard. Default 2,000,000 (`max-select-series limit exceeded`).
    public var maximumSeries = 2_000_000
    /// The most points that a SELECT may read, summaries not counted. Default 1,000,000,000
    /// (`max-select-point limit exceeed`, InfluxDB's spelling).
    public var maximumPoints = 1_000_000_000
    /// The most bytes that a SELECT may read, as they are stored. Default 16 GiB: what two cores read in about a minute
    /// (`max-select-bytes limit exceeded`).
    public var maximumScannedBytes = 16 << 30
    /// The most windows of a SELECT, all groups together. Default 5,000,000 (`max-select-buckets limit exceeded`).
    public var maximumBuckets = 5_000_000
    /// The most rows that a statement may answer. Default 10,000,000 (`max-row-limit exceeded`).
    public var maximumRows = 10_000_000
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

/// What bounds a query, as metrics and log lines name it.
public enum QueryBound: String, Sendable, CaseIterable {
    case time
    case series
    case points
    case scannedBytes = "scanned-bytes"
    case windows
    case rows
    case showRows = "show-rows"
    case memory
    case totalMemory = "total-memory"
    case queries
    /// One of the language's own, such as the steps of a regular expression.
    case other
}
