public import Telemetry

/// What a push holds: lines by stream, as `Ingest` takes them. The decoders of Loki's JSON and protobuf and of JSON
/// lines all make it.
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
    public struct Entry: Sendable {
        /// Its time, in nanoseconds since 1970.
        public var time: Int64
        /// Where the line's bytes are in `LinePush.bytes`.
        public var line: Range<Int>
        /// Structured metadata, as it came.
        public var metadata: [StreamLabels.Label]

        /// Assembles an entry.
        public init(time: Int64, line: Range<Int>, metadata: [StreamLabels.Label] = []) {
            self.time = time
            self.line = line
            self.metadata = metadata
        }
    }

    /// The bytes of all lines.
    public var bytes: [UInt8] = []
    /// The streams.
    public var streams: [Stream] = []
    /// What could not be read, and where; the rest stands.
    public var failures: [String] = []

    /// Nothing.
    public init() {}
}
