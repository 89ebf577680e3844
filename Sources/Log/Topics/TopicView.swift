public import Synchronization

/// The view that is made of a topic (`millrace.view`).
public enum TopicView: UInt8, Sendable, CaseIterable, AtomicRepresentable {
    /// None: the topic is a log and nothing else.
    case none
    /// Time series: the records are line protocol.
    case series

    /// As the config spells it.
    public var name: String {
        switch self {
        case .none: "none"
        case .series: "series"
        }
    }

    init?(named name: String) {
        guard let view = TopicView.allCases.first(where: { $0.name == name }) else { return nil }
        self = view
    }

    init(parsing value: String) throws(LogError) {
        if let view = TopicView(named: value) {
            self = view
        } else if value == "search" {
            throw LogError(.invalidConfig, "millrace.view cannot be search: that view is not served yet")
        } else {
            throw LogError(.invalidConfig, "millrace.view is none or series, not \"\(value)\"")
        }
    }

    /// The configs whose defaults are others on a topic with a view.
    static let defaulted: Set<String> = ["message.timestamp.type", "retention.ms", "segment.bytes"]
}

extension TopicConfiguration {
    /// The defaults of topics with this view; nil for none.
    init?(defaultsOf view: TopicView) {
        guard view != .none else { return nil }
        self.init()
        self.view = view
        // The order of the log is the order of the view, and "now" is the time of the append.
        logAppendTime = true
        // The view has what is older; what it has not covered stays whatever its age.
        retentionMilliseconds = 3_600_000
        // Whole segments go: with the default of 1 GiB a slow topic would keep weeks.
        segmentBytes = 64 << 20
    }

    mutating func takeViewDefaults(of defaults: TopicConfiguration) {
        logAppendTime = defaults.logAppendTime
        retentionMilliseconds = defaults.retentionMilliseconds
        segmentBytes = min(segmentBytes, defaults.segmentBytes)
    }
}
