public import Search
public import Series

/// The bounds of what comes in. Each says what happens at it.
public struct IngestSettings: Sendable, Equatable {
    /// The largest value of a record, in bytes; lines go into the next record then. Default 256 KiB.
    public var recordBytes = 256 << 10
    /// The longest line, in bytes; a longer one is refused. A record of one line has to fit into a batch. Default 1 MiB.
    public var lineBytes = 1 << 20
    /// `max.message.bytes` of the topics of databases that are created here. Default 4 MiB: a request of Telegraf or of
    /// a loader is one batch.
    public var batchBytes: Int32 = 4 << 20
    /// Bytes of all requests that are being written; beyond it requests are refused with "try again". Default 256 MiB.
    public var bytesInFlight = 256 << 20
    /// The same for one database, so that one does not take the room of all. Default 128 MiB.
    public var databaseBytesInFlight = 128 << 20
    /// How long a writer waits for its points to be synced and applied, in milliseconds; then it is told to try again.
    /// Default 10 s, as InfluxDB.
    public var timeoutMilliseconds: Int64 = 10_000
    /// The most databases; creating one more fails. Default 1,000.
    public var maximumDatabases = 1_000
    /// The bounds of every database. They are written into its topic, since what is refused depends on the order of the
    /// log and on nothing else. Defaults: see `SeriesLimits`.
    public var limits = SeriesLimits()
    /// The refused lines of a request that are explained; the others are counted. Default 100.
    public var explainedLines = 100

    /// The bounds of a tenant's lines that are looked at before a line is in the log. Defaults: see `SearchLimits`.
    public var searchLimits = SearchLimits()
    /// The most tenants with a topic of lines; the first push of one more is refused. Default 1,000.
    public var maximumTenants = 1_000
    /// Which streams are durable: a push to them is answered when it is synced. Default `{class="audit"}`.
    public var durableStreams = DurableStreams.audit
    /// How long the answer to a push waits at most until its lines are found by queries, in milliseconds. Default 1 s.
    public var visibleMilliseconds: Int64 = 1_000

    /// The defaults.
    public init() {}
}
