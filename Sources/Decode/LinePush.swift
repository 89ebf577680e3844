public import Telemetry

/// What a push holds: lines by stream, as `Ingest` takes them. The decoders of Loki's JSON and protobuf and of JSON
/// lines all make it.
///
/// Texts are ranges of one array of bytes: a push of a hundred thousand lines is a handful of allocations.
public struct LinePush: Sendable {
    /// The lines of one stream.
    public struct Stream: Sendable {
        /// The labels.
        public var labels: StreamLabels
        /// The lines, in the order in which they came.
        public var entries: [Entry]

        /// Assembles a stream.
        public init(labels: StreamLabels, entries: [Entry]) {
            self.labels = labels
            self.entries = entries
        }
    }

    /// A line.
    public struct Entry: Sendable, Equatable {
        /// Its time, in nanoseconds since 1970.
        public var time: Int64
        /// Where the line's bytes are in `LinePush.bytes`.
        public var line: Range<Int>
        /// Its structured metadata in `LinePush.fields`, as it came.
        public var metadata: Range<Int>

        /// Assembles an entry.
        public init(time: Int64, line: Range<Int>, metadata: Range<Int> = 0..<0) {
            self.time = time
            self.line = line
            self.metadata = metadata
        }
    }

    /// A name and a value of structured metadata.
    public struct Field: Sendable, Equatable {
        /// Where the name's bytes are in `LinePush.bytes`.
        public var name: Range<Int>
        /// Where the value's bytes are.
        public var value: Range<Int>

        /// Assembles a field.
        public init(name: Range<Int>, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }

    /// The bytes of all lines, names and values.
    public var bytes: [UInt8] = []
    /// The structured metadata of all lines.
    public var fields: [Field] = []
    /// The streams.
    public var streams: [Stream] = []
    /// What could not be read, and why: the first `maximumFailures`; the rest stands.
    public var failures: [String] = []
    /// How many parts could not be read, those included that `failures` does not tell.
    public var failureCount = 0

    /// The failures that are told; the others are counted.
    public static let maximumFailures = 100

    /// Nothing.
    public init() {}

    /// The number of lines.
    public var lineCount: Int { streams.reduce(0) { $0 + $1.entries.count } }

    mutating func fail(_ reason: String) {
        failureCount += 1
        if failures.count < Self.maximumFailures { failures.append(reason) }
    }
}
