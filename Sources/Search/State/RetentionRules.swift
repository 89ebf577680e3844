import Telemetry

/// How long lines are kept, ready to ask.
struct RetentionRules: Sendable {
    let command: SearchRetention
    private let selectors: [StreamSelector]

    /// Everything stays.
    init() { (command, selectors) = (SearchRetention(), []) }

    /// - Throws: `.invalid` for a selector that cannot be read.
    init(_ command: SearchRetention) throws(SearchError) {
        self.command = command
        var selectors: [StreamSelector] = []
        for rule in command.rules { selectors.append(try StreamSelector(rule.selector)) }
        self.selectors = selectors
    }

    /// Whether anything ever expires.
    var isLimited: Bool { command.nanoseconds > 0 || command.rules.contains { $0.nanoseconds > 0 } }

    /// The longest time that any stream is kept; 0 for ever.
    var longest: Int64 {
        let all = command.rules.map(\.nanoseconds) + [command.nanoseconds]
        return all.contains(0) ? 0 : all.max() ?? 0
    }

    /// The shortest time that any stream is kept; 0 if all are for ever.
    var shortest: Int64 {
        (command.rules.map(\.nanoseconds) + [command.nanoseconds]).filter { $0 > 0 }.min() ?? 0
    }

    /// The first nanosecond of a stream that is kept.
    func earliest(of stream: StreamLabels, now: Int64) -> Int64 {
        let rule = selectors.firstIndex { $0.matches(stream) }
        return Self.earliest(rule.map { command.rules[$0].nanoseconds } ?? command.nanoseconds, now: now)
    }

    /// The first nanosecond that is kept for a duration; 0 is for ever.
    static func earliest(_ nanoseconds: Int64, now: Int64) -> Int64 {
        guard nanoseconds > 0 else { return .min }
        let (limit, overflow) = now.subtractingReportingOverflow(nanoseconds)
        return overflow ? .min : limit
    }
}
