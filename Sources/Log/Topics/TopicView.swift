public import Synchronization

/// The view that is made of a topic (`millrace.view`).
public enum TopicView: UInt8, Sendable, CaseIterable, AtomicRepresentable {
    /// None: the topic is a log and nothing else.
    case none
    /// Time series: the records are line protocol.
    case series
    /// Searchable lines: a record is a line, its key the labels of its stream.
    case search

    /// As the config spells it.
    public var name: String {
        switch self {
        case .none: "none"
        case .series: "series"
        case .search: "search"
        }
    }

    init?(named name: String) {
        guard let view = TopicView.allCases.first(where: { $0.name == name }) else { return nil }
        self = view
    }

    init(parsing value: String) throws(LogError) {
        guard let view = TopicView(named: value) else {
            throw LogError(.invalidConfig, "millrace.view is none, series or search, not \"\(value)\"")
        }
        self = view
    }

    /// The configs whose defaults are others on a topic with a view.
    static let defaulted: Set<String> = [
        "message.timestamp.after.max.ms", "message.timestamp.type", "retention.ms", "segment.bytes",
    ]

    /// Whether the records carry the time of the append. Lines carry their own.
    var usesAppendTime: Bool { self == .series }
}

extension TopicConfiguration {
    /// The defaults of topics with this view; nil for none.
    init?(defaultsOf view: TopicView) {
        guard view != .none else { return nil }
        self.init()
        self.view = view
        // The order of the log is the order of the view, and "now" is the time of the append. A line's time is its own,
        // and any is welcome: 1970 as well as 2200.
        logAppendTime = view.usesAppendTime
        if !view.usesAppendTime { timestampAfterMaximumMilliseconds = .max }
        // The view has what is older; what it has not covered stays whatever its age.
        retentionMilliseconds = 3_600_000
        // Whole segments go: with the default of 1 GiB a slow topic would keep weeks.
        segmentBytes = 64 << 20
    }

    mutating func takeViewDefaults(of defaults: TopicConfiguration) {
        logAppendTime = defaults.logAppendTime
        if view == .search { timestampAfterMaximumMilliseconds = defaults.timestampAfterMaximumMilliseconds }
        retentionMilliseconds = defaults.retentionMilliseconds
        segmentBytes = min(segmentBytes, defaults.segmentBytes)
    }
}
