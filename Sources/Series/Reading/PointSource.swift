public import Columns
public import Telemetry

/// What a query reads of one database: heads and blocks of all its partitions, as of one moment. Any thread may call
/// anything.
public protocol PointSource: Sendable {
    /// The retention policies, sorted by name.
    var retentionPolicies: [RetentionPolicy] { get }
    /// What the default policy is called: one of them, or one that was dropped.
    var defaultPolicyName: [UInt8] { get }
    /// The measurements of a retention policy (nil: of all), sorted by their bytes.
    func measurements(retentionPolicy: [UInt8]?) throws(SeriesError) -> [[UInt8]]
    /// The fields and tag keys of a measurement, sorted by name; nil if there is no such measurement.
    func schema(of measurement: [UInt8], retentionPolicy: [UInt8]?) throws(SeriesError) -> MeasurementSchema?
    /// The series of a measurement that match and have a point in the range, by their canonical keys in order.
    ///
    /// - Parameter visit: called for each; returns false to end.
    func series(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, matching tags: TagPredicate, in range: ClosedRange<Int64>,
        _ visit: (borrowing SeriesTags) -> Bool
    ) throws(SeriesError)
    /// The distinct values of a tag among the matching series, sorted by their bytes. Never holds "".
    func tagValues(
        of measurement: [UInt8], retentionPolicy: [UInt8]?, key: [UInt8], matching tags: TagPredicate,
        in range: ClosedRange<Int64>
    ) throws(SeriesError) -> [[UInt8]]
    /// How many series there are, about (within 3 %); cheap.
    var seriesEstimate: Int { get }
    /// Begins to read points.
    ///
    /// - Parameter effort: how many series and rows may be looked at for this, about.
    /// - Returns: the parts; nil if it would take more than `effort`.
    func scan(_ request: ScanRequest, effort: Int) throws(SeriesError) -> PointScans?
}

extension PointSource {
    /// Begins to read points, whatever that takes.
    public func scan(_ request: ScanRequest) throws(SeriesError) -> PointScans {
        guard let scans = try scan(request, effort: .max) else {
            preconditionFailure("a source refused a scan that has no bound")
        }
        return scans
    }
}

/// A retention policy.
public struct RetentionPolicy: Sendable, Equatable {
    /// Its name.
    public var name: [UInt8]
    /// How long points are kept, in nanoseconds; 0 for ever.
    public var durationNanoseconds: Int64
    /// The time that one shard spans, in nanoseconds; what expires goes by whole shards.
    public var shardNanoseconds: Int64
    /// Whether it is the one that requests without a retention policy mean.
    public var isDefault: Bool

    /// Assembles a policy.
    public init(name: [UInt8], durationNanoseconds: Int64, shardNanoseconds: Int64, isDefault: Bool) {
        self.name = name
        self.durationNanoseconds = durationNanoseconds
        self.shardNanoseconds = shardNanoseconds
        self.isDefault = isDefault
    }
}

/// What a measurement holds.
public struct MeasurementSchema: Sendable, Equatable {
    /// The fields, sorted by the bytes of their names.
    public var fields: [(name: [UInt8], type: FieldType)]
    /// The tag keys, sorted by their bytes.
    public var tagKeys: [[UInt8]]

    /// Assembles a schema.
    public init(fields: [(name: [UInt8], type: FieldType)], tagKeys: [[UInt8]]) {
        self.fields = fields
        self.tagKeys = tagKeys
    }

    /// Equal if all names and types are.
    public static func == (left: MeasurementSchema, right: MeasurementSchema) -> Bool {
        left.tagKeys == right.tagKeys && left.fields.elementsEqual(right.fields) { $0 == $1 }
    }
}

/// The tags of one series, sorted by key. Valid during the call that it is passed to.
public struct SeriesTags: ~Copyable {
    /// The measurement's name.
    public let measurement: [UInt8]
    /// Keys and values, sorted by key, unescaped.
    public let tags: [(key: [UInt8], value: [UInt8])]

    /// Assembles them.
    public init(measurement: [UInt8], tags: [(key: [UInt8], value: [UInt8])]) {
        self.measurement = measurement
        self.tags = tags
    }
}

/// A condition on the tags of a series. A tag that a series lacks has the value "".
public indirect enum TagPredicate: Sendable {
    /// Every series.
    case all
    /// The tag has this value.
    case equals(key: [UInt8], value: [UInt8])
    /// The tag's value satisfies a test, which is called about once per distinct value, "" among them.
    case satisfies(key: [UInt8], test: @Sendable (UnsafeRawBufferPointer) -> Bool)
    /// All of them.
    case and([TagPredicate])
    /// One of them.
    case or([TagPredicate])
    /// Not that.
    case not(TagPredicate)
}

/// A condition on a string field.
public struct StringTest: Sendable {
    /// The field's name.
    public var field: [UInt8]
    /// Whether a string is wanted; called about once per distinct string. A point without the field is not wanted.
    public var passes: @Sendable (UnsafeRawBufferPointer) -> Bool

    /// Assembles a condition.
    public init(field: [UInt8], passes: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool) {
        self.field = field
        self.passes = passes
    }
}

/// What to read.
public struct ScanRequest: Sendable {
    /// The measurement's name.
    public var measurement: [UInt8]
    /// The retention policy; nil for the default one.
    public var retentionPolicy: [UInt8]?
    /// The times, in nanoseconds since 1970.
    public var range: ClosedRange<Int64>
    /// Which series.
    public var tags: TagPredicate = .all
    /// The tags whose values the reader wants of each series: the columns of `SeriesTable`.
    public var tagKeys: [[UInt8]] = []
    /// The fields that the reader wants: the columns of `PointBatch`, in this order. A point that has none of them is
    /// not read. A name that the measurement does not have gives a column without values.
    public var fields: [[UInt8]]
    /// Whether times of a series run backwards.
    public var descending = false
    /// What strings of points have to be. A scan leaves out what costs it little to leave out; the reader still has to
    /// ask all points.
    public var tests: [StringTest] = []

    /// A request for all series.
    public init(measurement: [UInt8], retentionPolicy: [UInt8]? = nil, range: ClosedRange<Int64>, fields: [[UInt8]]) {
        self.measurement = measurement
        self.retentionPolicy = retentionPolicy
        self.range = range
        self.fields = fields
    }
}

/// A part of a scan: some series, or some time of them, which no other part of the scan holds a point of. Parts may be
/// read on different threads, each on one. A series may occur in several parts, then with times that do not interleave.
///
/// Within a part points come by series, in the order of `series`, and then by time, without duplicates: of points with
/// the same series and time, each field's newest value wins.
public protocol PointScan: AnyObject, Sendable {
    /// The series of this part, in the order of their canonical keys.
    var series: SeriesTable { get }
    /// What reading this part has cost so far.
    var cost: ScanCost { get }
    /// How many rows are read for it, about.
    var rowEstimate: Int { get }
    /// The next points, or nil behind the last.
    ///
    /// - Parameter useSummary: asked of runs of points of which a summary exists; true if the summary will do.
    func next(_ useSummary: (borrowing PointSummary) -> Bool) throws(SeriesError) -> ScanStep?
}

/// What a scan gives.
public enum ScanStep: Sendable {
    /// Points.
    case points(PointBatch)
    /// A summary that was accepted, instead of its points.
    case summary(PointSummary)
}

/// Values of the requested tags, by series: dictionaries, and a code per series.
public struct SeriesTable: Sendable {
    /// The number of series.
    public var count: Int
    /// For each requested tag key: the distinct values; the code of a value is its index. "" stands for a missing tag.
    public var values: [[[UInt8]]]
    /// For each requested tag key: a code per series.
    public var codes: [[UInt32]]

    /// Assembles a table.
    public init(count: Int, values: [[[UInt8]]], codes: [[UInt32]]) {
        self.count = count
        self.values = values
        self.codes = codes
    }
}

/// Consecutive points, in columns. About 1,000 to 8,000 of them, by series and then by time.
public struct PointBatch: Sendable {
    /// The times in nanoseconds, one per point.
    public var times: [Int64]
    /// Which points belong to which series, in order; the counts add up to the number of points.
    public var runs: [SeriesRun]
    /// One column per requested field.
    public var columns: [FieldColumn]

    /// Assembles a batch.
    public init(times: [Int64], runs: [SeriesRun], columns: [FieldColumn]) {
        self.times = times
        self.runs = runs
        self.columns = columns
    }
}

/// Consecutive points of one series.
public struct SeriesRun: Sendable, Equatable {
    /// The index in the scan's `SeriesTable`.
    public var series: Int32
    /// The number of points.
    public var count: Int32

    /// Assembles a run.
    public init(series: Int32, count: Int32) {
        self.series = series
        self.count = count
    }
}

/// The values of one field.
public struct FieldColumn: Sendable {
    /// The values; where a point has none, any value stands.
    public enum Values: Sendable {
        /// The measurement has no such field.
        case absent
        case float([Double])
        case integer([Int64])
        case unsigned([UInt64])
        case boolean([Bool])
        /// A code per point into distinct values (of this batch).
        case string(codes: [UInt32], dictionary: ByteStrings)
    }

    /// The values.
    public var values: Values
    /// A bit per point, from the lowest of the first word on: whether it has a value. Nil: all have.
    public var validity: [UInt64]?

    /// Assembles a column.
    public init(_ values: Values, validity: [UInt64]? = nil) {
        self.values = values
        self.validity = validity
    }
}

/// What a block knows of a run of points of one series without decoding them.
public struct PointSummary: Sendable {
    /// The index in the scan's `SeriesTable`.
    public var series: Int32
    /// The first and the last time.
    public var range: ClosedRange<Int64>
    /// For each requested field, in order.
    public var fields: [FieldSummary]

    /// Assembles a summary.
    public init(series: Int32, range: ClosedRange<Int64>, fields: [FieldSummary]) {
        self.series = series
        self.range = range
        self.fields = fields
    }
}

/// What is known of one field's values.
public struct FieldSummary: Sendable {
    /// How many values there are.
    public var count: Int
    /// The aggregates in the field's type; nil for strings, booleans, and fields without a value.
    public var figures: Figures?

    /// The smallest and largest value, and the sum (integers: wrapping, as InfluxDB's).
    public enum Figures: Sendable {
        case float(minimum: Double, maximum: Double, sum: Double)
        case integer(minimum: Int64, maximum: Int64, sum: Int64)
        case unsigned(minimum: UInt64, maximum: UInt64, sum: UInt64)
    }

    /// Assembles a summary.
    public init(count: Int, figures: Figures?) {
        self.count = count
        self.figures = figures
    }
}
