/// How an answer is written.
public struct ResultFormat: Sendable, Equatable {
    /// Units of time in answers.
    public enum Epoch: Sendable, Equatable {
        /// Text, RFC 3339 in UTC.
        case text
        /// Whole units of so many nanoseconds since 1970.
        case units(Int64)

        /// The unit of the parameter `epoch`; anything unknown means nanoseconds, as in InfluxDB.
        public init(parameter: String?) {
            switch parameter {
            case nil, "": self = .text
            case "h": self = .units(3_600_000_000_000)
            case "m": self = .units(60_000_000_000)
            case "s": self = .units(1_000_000_000)
            case "ms": self = .units(1_000_000)
            case "u": self = .units(1_000)
            default: self = .units(1)
            }
        }
    }

    /// Units of time.
    public var epoch = Epoch.text
    /// Whether the answer is CSV instead of JSON.
    public var isCSV = false
    /// Whether JSON is laid out over lines.
    public var isPretty = false
    /// Whether the answer comes as many objects.
    public var isChunked = false
    /// The most rows of a chunk. Default 10,000, as InfluxDB.
    public var chunkRows = 10_000

    /// The defaults.
    public init() {}

    /// The answer's Content-Type.
    public var contentType: String { isCSV ? "text/csv" : "application/json" }
}

/// Some rows of one series of an answer.
struct ResultRows {
    /// The measurement; empty for none.
    var name: [UInt8]
    /// The tags, sorted by key.
    var tags: [(key: [UInt8], value: [UInt8])] = []
    /// The names of the columns.
    var columns: [String]
    /// A time per row, which is the first column; nil if there is none.
    var times: [Int64]?
    /// The other columns.
    var values: [Vector]
    /// The number of rows.
    var count: Int
    /// Whether more rows of this series follow.
    var continues = false
    /// Whether the rows are a list: InfluxDB does not mark that more series of it follow.
    var isListing = false

    /// Rows of values, as SHOW has them.
    init(_ name: String, _ columns: [String], rows: [[Value]]) {
        self.name = Array(name.utf8)
        self.columns = columns
        times = nil
        values = columns.indices.map { column in .values(rows.map { $0[column] }) }
        count = rows.count
        isListing = true
    }

    init(
        name: [UInt8], tags: [(key: [UInt8], value: [UInt8])], columns: [String], times: [Int64], values: [Vector]
    ) {
        self.name = name
        self.tags = tags
        self.columns = columns
        self.times = times
        self.values = values
        count = times.count
    }
}
