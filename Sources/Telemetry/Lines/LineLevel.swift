/// How grave a log line is, as Loki's `detected_level` names it.
public enum LineLevel: UInt8, Sendable, CaseIterable {
    case unknown = 0
    case trace = 1
    case debug = 2
    case info = 3
    case warn = 4
    case error = 5
    case critical = 6
    case fatal = 7

    /// The name in queries and answers.
    public var name: String {
        switch self {
        case .unknown: "unknown"
        case .trace: "trace"
        case .debug: "debug"
        case .info: "info"
        case .warn: "warn"
        case .error: "error"
        case .critical: "critical"
        case .fatal: "fatal"
        }
    }
}

/// How the fields of a line are written.
public enum FieldFormat: UInt8, Sendable, CaseIterable {
    /// A JSON object; nested names are joined by `_`, arrays are left out, as Loki's parser `json` does.
    case json = 1
    /// `name=value name="quoted value"`, as Loki's parser `logfmt` reads it.
    case logfmt = 2
}
