import Telemetry

/// Lines of one stream in the order of time, lines of equal time in the order in which they came, none twice: what the
/// writer of blocks is given, a stream after the other in the order of their labels' canonical text. It cuts them into
/// chunks itself.
struct StreamRun {
    /// One line.
    struct Row {
        /// Nanoseconds since 1970.
        var time: Int64
        /// The level, as it was found when the line was applied.
        var level: LineLevel
        /// The index of its structured metadata in `metadataSets`.
        var metadata: UInt32
        /// The line's bytes, which stay valid and unchanged as long as the run is used.
        var line: UnsafeRawBufferPointer

        /// Assembles a line.
        init(time: Int64, level: LineLevel, metadata: UInt32, line: UnsafeRawBufferPointer) {
            self.time = time
            self.level = level
            self.metadata = metadata
            self.line = line
        }
    }

    /// The stream.
    var stream: StreamLabels
    /// The lines.
    var rows: [Row]
    /// The distinct sets of structured metadata that the rows name, each sorted by name; the first is the empty one.
    var metadataSets: [[StreamLabels.Label]]

    /// Assembles a run.
    init(stream: StreamLabels, rows: [Row], metadataSets: [[StreamLabels.Label]]) {
        self.stream = stream
        self.rows = rows
        self.metadataSets = metadataSets
    }
}

/// Lines of one stream that readers do not see and that a merge leaves out: what a deletion took, or what has expired.
struct HiddenLines: Sendable, Equatable {
    /// The first moment, in nanoseconds.
    var first: Int64
    /// The last moment.
    var last: Int64
    /// A text that a hidden line holds; empty for every line.
    var containing: [UInt8]

    /// Assembles it.
    init(first: Int64, last: Int64, containing: [UInt8] = []) {
        self.first = first
        self.last = last
        self.containing = containing
    }
}
