public import Columns
public import Telemetry

/// What a query reads of one tenant: heads and blocks of all its partitions, as of one moment. Any thread may call
/// anything.
public protocol LineSource: Sendable {
    /// The streams that match and have a line in the range, sorted by their labels' canonical text.
    ///
    /// Whole chunks decide: a stream whose only lines in the range were deleted may be among them.
    func streams(matching matchers: [LabelMatcher], in range: TimeWindow) throws(SearchError) -> [StreamLabels]

    /// How many streams there are, about; cheap.
    var streamEstimate: Int { get }

    /// The names of structured metadata that lines may have, some that no line has among them; nil if that is not known.
    /// Cheap. A name that is not among them can only be a stream's label or a field of the line, so that counters and
    /// columns decide.
    var metadataNames: Set<String>? { get }

    /// Begins to read lines. Nothing is decoded before the parts are read.
    func scan(_ request: LineRequest) throws(SearchError) -> [any LineScan]

    /// Lines and bytes by stream, level and bucket, from counters where these are exact and from times elsewhere: no
    /// line is decoded.
    func totals(_ request: TotalsRequest) throws(SearchError) -> [StreamTotals]
}

extension LineSource {
    /// Not known.
    public var metadataNames: Set<String>? { nil }
}

/// Times behind `start` up to and including `end`, in nanoseconds since 1970: (start, end], as LogQL's ranges are. The
/// API's half-open [a, b) is (a - 1, b - 1].
public struct TimeWindow: Sendable, Equatable {
    /// The last moment in front of it.
    public var start: Int64
    /// Its last moment.
    public var end: Int64

    /// Assembles a window.
    public init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }

    /// Whether a moment is within.
    @inlinable
    public func contains(_ time: Int64) -> Bool { time > start && time <= end }
}

/// What to read.
public struct LineRequest: Sendable {
    /// Which streams: all of the matchers hold.
    public var matchers: [LabelMatcher]
    /// Which times.
    public var range: TimeWindow
    /// Whether times of a stream run backwards.
    public var descending = false
    /// Which lines. Exact: what comes satisfies it.
    public var condition: LineCondition = .all
    /// Whether the reader wants the lines themselves; without, `LineBatch.lines` is empty.
    public var wantsLines = true
    /// Whether the reader wants each line's length in bytes.
    public var wantsLengths = false
    /// Whether the reader wants structured metadata.
    public var wantsMetadata = true
    /// The fields of lines that the reader wants, as columns.
    public var fields: [FieldReference] = []
    /// The most lines that the reader will take of all parts together, by time (the latest if `descending`); nil for
    /// all. A hint: parts may give more.
    public var limit: Int?

    /// A request for all lines of the matching streams.
    public init(matchers: [LabelMatcher], range: TimeWindow) {
        self.matchers = matchers
        self.range = range
    }
}

/// A part of a scan: lines of one stream or of several, which no other part holds. Parts may be read on different
/// threads, each on one.
///
/// A part's batches come by stream and then by time. A stream may occur in several parts, with times that interleave.
public protocol LineScan: AnyObject, Sendable {
    /// The first and the last time that the part can hold: a reader with a limit takes the parts in a good order, and
    /// leaves out the rest.
    var bounds: TimeWindow { get }
    /// The next lines, or nil behind the last.
    func next() throws(SearchError) -> LineBatch?
}

/// Lines of one stream, in columns, in the order of time; lines of equal time in the order in which they came.
public struct LineBatch: Sendable {
    /// The stream.
    public var stream: StreamLabels
    /// The times in nanoseconds, one per line.
    public var times: [Int64]
    /// The levels, one per line.
    public var levels: [LineLevel]
    /// The lines' exact bytes, if wanted.
    public var lines: ByteStrings
    /// The lines' lengths in bytes, if wanted.
    public var lengths: [UInt32]
    /// The structured metadata, if wanted: nil if no line of the batch has any, else an entry per line.
    public var metadata: LineMetadata?
    /// A column per requested field.
    public var fields: [TextColumn]

    /// Assembles a batch.
    public init(
        stream: StreamLabels, times: [Int64], levels: [LineLevel], lines: ByteStrings = ByteStrings(),
        lengths: [UInt32] = [], metadata: LineMetadata? = nil, fields: [TextColumn] = []
    ) {
        self.stream = stream
        self.times = times
        self.levels = levels
        self.lines = lines
        self.lengths = lengths
        self.metadata = metadata
        self.fields = fields
    }
}

/// The structured metadata of lines: many lines share few sets.
public struct LineMetadata: Sendable {
    /// The distinct sets, each sorted by name; the first is the empty one.
    public var sets: [[StreamLabels.Label]]
    /// For each line the index of its set.
    public var codes: [UInt32]

    /// Assembles it.
    public init(sets: [[StreamLabels.Label]], codes: [UInt32]) {
        self.sets = sets
        self.codes = codes
    }
}

/// Texts in dictionary form: a code per line into distinct texts, or `missing`.
public struct TextColumn: Sendable {
    /// The code of a line that has no such field.
    public static let missing = UInt32.max
    /// A code per line.
    public var codes: [UInt32]
    /// The texts; distinct within a batch as a rule, but a reader must not rely on it.
    public var dictionary: ByteStrings

    /// Assembles a column.
    public init(codes: [UInt32], dictionary: ByteStrings) {
        self.codes = codes
        self.dictionary = dictionary
    }
}

/// What to count.
public struct TotalsRequest: Sendable {
    /// Which streams.
    public var matchers: [LabelMatcher]
    /// The first bucket's start (exclusive).
    public var start: Int64
    /// A bucket's length in nanoseconds; at least 1. Bucket i is (start + i * length, start + (i + 1) * length].
    public var bucketNanoseconds: Int64
    /// How many buckets there are; at most 100,000.
    public var bucketCount: Int
    /// Whether lines are told apart by level; otherwise all are `.unknown`.
    public var byLevel = false

    /// Assembles a request.
    public init(matchers: [LabelMatcher], start: Int64, bucketNanoseconds: Int64, bucketCount: Int) {
        self.matchers = matchers
        self.start = start
        self.bucketNanoseconds = bucketNanoseconds
        self.bucketCount = bucketCount
    }
}

/// The lines and bytes of one stream, by bucket and level; only what is not 0.
public struct StreamTotals: Sendable {
    /// One sum.
    public struct Entry: Sendable, Equatable {
        /// The bucket's index.
        public var bucket: Int32
        /// The level.
        public var level: LineLevel
        /// How many lines.
        public var lines: Int64
        /// The bytes of these lines.
        public var bytes: Int64

        /// Assembles a sum.
        public init(bucket: Int32, level: LineLevel, lines: Int64, bytes: Int64) {
            self.bucket = bucket
            self.level = level
            self.lines = lines
            self.bytes = bytes
        }
    }

    /// The stream.
    public var stream: StreamLabels
    /// The sums, by bucket and then by level.
    public var entries: [Entry]

    /// Assembles totals.
    public init(stream: StreamLabels, entries: [Entry]) {
        self.stream = stream
        self.entries = entries
    }
}
