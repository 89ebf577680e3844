public import Series

/// What a statement has cost.
public struct QueryCost: Sendable, Equatable {
    /// From its beginning to its end, without what it waited for its reader, in nanoseconds.
    public var nanoseconds: UInt64 = 0
    /// How long its reader let it wait, in nanoseconds.
    public var waitedNanoseconds: UInt64 = 0
    /// The CPU of all threads that computed for it, in nanoseconds.
    public var cpuNanoseconds: UInt64 = 0
    /// The series that were read.
    public var series = 0
    /// The points that were read; those that summaries stood for are not counted.
    public var points = 0
    /// The rows that were answered.
    public var rows = 0
    /// Pages and bytes.
    public var scan = ScanCost()
    /// Blocks that were read.
    public var blocks = 0
    /// Blocks that were left out, because none of their times or series was wanted.
    public var blocksSkipped = 0
    /// The parts that scans were taken apart into.
    public var parts = 0
    /// The most threads that read at a time.
    public var threads = 0
    /// The most memory that was kept at a time, in bytes.
    public var peakBytes = 0

    /// Nothing yet.
    public init() {}
}

/// The languages that queries are written in, as metrics and log lines name them.
public enum QueryLanguage: String, Sendable, CaseIterable {
    case influxql
    case logql
}

/// How a statement ended, as metrics and log lines name it.
public enum QueryOutcome: String, Sendable, CaseIterable {
    /// It was answered.
    case ok
    /// It could not be parsed.
    case invalid
    /// It could not run.
    case failed
    /// A bound ended it.
    case limited
    /// The client went, or the server stopped.
    case cancelled

    init(_ error: QueryError?) {
        self =
            switch error?.code {
            case nil: .ok
            case .syntax: .invalid
            case .execution: .failed
            case .limitReached: .limited
            case .cancelled: .cancelled
            }
    }
}

/// A statement, before it runs.
public struct QueryDescription: Sendable {
    /// Its language.
    public var language: QueryLanguage
    /// The database, or whatever the language reads from; empty if it names none.
    public var database: String
    /// Makes its text in one form, without the values of parameters and without passwords. Called only if somebody
    /// wants to see it.
    public var text: @Sendable () -> String

    /// Describes a statement.
    public init(language: QueryLanguage, database: String, text: @escaping @Sendable () -> String) {
        self.language = language
        self.database = database
        self.text = text
    }
}

/// A slow statement at its end.
public struct SlowQuery: Sendable {
    /// The longest text, plan or error that is told, in bytes; what is longer is cut.
    public static let maximumTextBytes = 1_024

    /// Its language.
    public let language: QueryLanguage
    /// The database, or whatever the language reads from.
    public let database: String
    /// The statement in one form.
    public let text: String
    /// What it read and made of it; empty if nothing was scanned.
    public let plan: String
    /// How it ended.
    public let outcome: QueryOutcome
    /// The bound that ended it.
    public let bound: QueryBound?
    /// The error that was answered.
    public let error: String?
    /// What it has cost.
    public let cost: QueryCost

    init(_ control: QueryControl, _ failure: QueryError?, _ bound: QueryBound?, _ cost: QueryCost) {
        language = control.description.language
        database = Self.cut(control.description.database)
        text = Self.cut(control.description.text())
        plan = Self.cut(control.planText)
        outcome = QueryOutcome(failure)
        self.bound = bound
        error = failure.map { Self.cut($0.message) }
        self.cost = cost
    }

    /// The beginning of a text, at the border of a character.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > maximumTextBytes else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: maximumTextBytes)
        while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + "…"
    }
}
