/// A change of a tenant's lines that is no line: what a control record in the topic says. Applying it depends only on
/// its place in the log.
public enum SearchCommand: Sendable {
    /// Lines that were appended before, match, and lie in the window are gone.
    case delete(SearchDeletion)
    /// How long lines are kept from now on: the first rule whose matchers hold decides, else the tenant's own time.
    case setRetention(SearchRetention)
    /// The bounds from now on.
    case setLimits(SearchLimits)
}

/// What is deleted.
public struct SearchDeletion: Sendable {
    /// Which streams: matchers in canonical text (`{app="x", host=~"a.*"}`), which is what is stored.
    public var selector: String
    /// The first moment, in nanoseconds.
    public var first: Int64
    /// The last moment.
    public var last: Int64
    /// A text that the line has to hold; empty for every line.
    public var containing: [UInt8]

    /// Assembles a deletion.
    public init(selector: String, first: Int64, last: Int64, containing: [UInt8] = []) {
        self.selector = selector
        self.first = first
        self.last = last
        self.containing = containing
    }
}

/// How long lines are kept.
public struct SearchRetention: Sendable, Equatable {
    /// A rule for some streams.
    public struct Rule: Sendable, Equatable {
        /// Matchers in canonical text.
        public var selector: String
        /// How long, in nanoseconds of the line's time; 0 for ever.
        public var nanoseconds: Int64

        /// Assembles a rule.
        public init(selector: String, nanoseconds: Int64) {
            self.selector = selector
            self.nanoseconds = nanoseconds
        }
    }

    /// The rules; the first that matches decides.
    public var rules: [Rule]
    /// For streams without a rule, in nanoseconds; 0 for ever.
    public var nanoseconds: Int64

    /// Assembles a retention.
    public init(rules: [Rule] = [], nanoseconds: Int64 = 0) {
        self.rules = rules
        self.nanoseconds = nanoseconds
    }
}

/// The bounds of one tenant's lines.
public struct SearchLimits: Sendable, Equatable {
    /// The most streams with lines in a head or a manifest's window; a line of a further one is refused. Default 100,000.
    public var streams: Int64 = 100_000
    /// The most labels of a stream. Default 15, as Loki.
    public var labels: Int64 = 15
    /// The longest label name in bytes. Default 1,024.
    public var labelNameBytes: Int64 = 1_024
    /// The longest label value in bytes. Default 2,048.
    public var labelValueBytes: Int64 = 2_048
    /// The longest line in bytes. Default 256 KiB.
    public var lineBytes: Int64 = 256 << 10
    /// The most structured metadata of a line: entries. Default 128.
    public var metadataEntries: Int64 = 128
    /// The most structured metadata of a line: bytes of names and values. Default 64 KiB.
    public var metadataBytes: Int64 = 64 << 10

    /// The defaults.
    public init() {}
}
