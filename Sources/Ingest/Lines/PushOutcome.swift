/// What became of a push of lines.
public enum PushOutcome: Sendable, Equatable {
    /// Every line is in the log: synced, if its stream is durable.
    case written(lines: Int)
    /// Some or all lines were refused; the others are written.
    case refused(PushRefusal)
    /// The tenant's name is none, or there are too many tenants.
    case tenantRefused(String)
    /// A bound is reached, or the log does not take anything now. Sending the same again is right, and does no harm if
    /// it was written after all: equal lines are one.
    case busy(String)
    /// Writing failed.
    case failed(String)
}

/// The refused parts of a push.
public struct PushRefusal: Sendable, Equatable {
    /// Lines that were written.
    public var written = 0
    /// Lines, or streams that could not be read at all, that were refused.
    public var refused = 0
    /// Whether a bound on streams refused some: the sender is to come back with fewer, or later.
    public var isLimit = false
    /// The reasons and how often each; at most `maximumReasons`.
    private(set) var reasons: [(text: String, count: Int)] = []

    /// The reasons that are told; the others are counted.
    public static let maximumReasons = 20

    /// Nothing is refused yet.
    public init() {}

    mutating func add(_ text: String, count: Int = 1) {
        refused += count
        if let place = reasons.firstIndex(where: { $0.text == text }) {
            reasons[place].count += count
        } else if reasons.count < Self.maximumReasons {
            reasons.append((text, count))
        }
    }

    /// All in one text, as Loki groups errors.
    public var text: String {
        var parts = reasons.map { "\($0.count) errors like: \($0.text)" }
        let told = reasons.reduce(0) { $0 + $1.count }
        if told < refused { parts.append("\(refused - told) other errors") }
        return parts.joined(separator: "; ")
    }

    /// Whether they tell the same.
    public static func == (left: Self, right: Self) -> Bool {
        left.written == right.written && left.isLimit == right.isLimit && left.text == right.text
    }
}
