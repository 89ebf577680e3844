public import Telemetry

/// Lines that somebody wants to have written, but for the lines.
public struct WriteRequest: Sendable {
    /// The database's name.
    public var database: [UInt8]
    /// The retention policy's name; empty for the default one.
    public var retentionPolicy: [UInt8]
    /// The unit of the lines' timestamps.
    public var precision: TimePrecision
    /// Whether the good lines of a request are written if others are refused. InfluxDB 1.x always does.
    public var acceptsPartial: Bool
    /// Whether the precision is guessed from the first timestamp, as InfluxDB 3 does. Default false.
    public var guessesPrecision = false
    /// Whether the sender is told the outcome. If not (datagrams), points that the view refuses go to
    /// `rejected.<topic>`. Default true.
    public var isAnswered = true

    /// Assembles a request.
    public init(
        database: [UInt8], retentionPolicy: [UInt8] = [], precision: TimePrecision = .nanoseconds,
        acceptsPartial: Bool = true
    ) {
        self.database = database
        self.retentionPolicy = retentionPolicy
        self.precision = precision
        self.acceptsPartial = acceptsPartial
    }
}

/// What became of a request.
public enum WriteOutcome: Sendable, Equatable {
    /// Every line is synced and applied.
    case written(points: Int)
    /// Some or all lines were refused; the others are synced and applied.
    case refused(WriteRefusal)
    /// There is no such database.
    case databaseNotFound
    /// There is no retention policy of this name, which a request without one means too if it was the default; nothing
    /// was written.
    case retentionPolicyNotFound(String)
    /// A bound is reached, or the view or the log does not take anything now. Sending the same again is right, and does
    /// no harm if it was written after all.
    case busy(String)
    /// Writing failed.
    case failed(String)
}

/// The refused lines of a request.
public struct WriteRefusal: Sendable, Equatable {
    /// One refused line.
    public struct Line: Sendable, Equatable {
        /// The line's number in the request, from 1; nil if it is not known.
        public var number: Int?
        /// The line's beginning.
        public var text: String
        /// Why, in InfluxDB's words.
        public var reason: String
    }

    /// Points that were written.
    public var written: Int
    /// Lines that could not be read.
    public var unreadable = 0
    /// Points that could be read and were dropped all the same.
    public var dropped = 0
    /// The first of them, in order: at most `IngestSettings.explainedLines` that could not be read, and one for each
    /// reason of dropping.
    public var lines: [Line] = []
    /// How many lines could not be read and are not among `lines`.
    public var unexplained = 0

    /// All in one text, as InfluxDB 1.x answers: for lines that cannot be read one text each, for dropped points the
    /// first reason; `partial write: … dropped=N` unless nothing at all could be read.
    public var text: String {
        var text = lines.map(\.reason).joined(separator: "\n")
        if unexplained > 0 { text += "\n… and \(unexplained) more lines" }
        return written == 0 && dropped == 0 ? text : "partial write: \(text) dropped=\(dropped)"
    }
}
