/// A config that topics have: its name, what it takes and what it does. docs/topic-configs.md shows the same table.
public struct TopicConfigDefinition: Sendable {
    /// What setting it does.
    public enum Effect: Sendable, Equatable {
        /// It changes how the topic is kept.
        case served
        /// One value is taken, because it is what happens anyway.
        case fixed(value: String, why: String)
        /// It is stored and nothing else. Tools send it; refusing would break the tools.
        case none
    }

    /// Which values it takes.
    public enum Values: Sendable, Equatable {
        /// Whole numbers of this range.
        case number(ClosedRange<Int64>)
        /// One of these words.
        case words([String])
        /// Whatever `effect` allows.
        case any
    }

    /// The name, as in Kafka.
    public let name: String
    /// What kind of value it has.
    public let kind: ConfigDescription.Kind
    /// What Kafka calls the broker's default for it; nil if there is none.
    public let brokerName: String?
    /// Which values it takes.
    public let values: Values
    /// What setting it does.
    public let effect: Effect
    /// What it does, in a sentence or two.
    public let documentation: String

    /// What the number counts, from the end of its name; nil if it counts nothing.
    public var unit: String? {
        if name.hasSuffix(".ms") { return "milliseconds" }
        if name.hasSuffix(".bytes") { return "bytes" }
        return name.hasSuffix(".percent") ? "percent" : nil
    }

    /// Whether an operator may say what topics have that do not say it themselves. A view is asked for by name only.
    public var hasDefaultSetting: Bool { effect == .served && name != "millrace.view" }

    /// Every config that is known, sorted by name.
    public static let all = (served + fixed + withoutEffect).sorted { $0.name < $1.name }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The config of this name.
    ///
    /// - Throws: `.invalidConfig`, which names it, if there is none.
    static func named(_ name: String) throws(LogError) -> TopicConfigDefinition {
        guard let definition = byName[name] else { throw LogError(.invalidConfig, "unknown config \(name)") }
        return definition
    }

    private init(
        _ name: String, _ kind: ConfigDescription.Kind, broker brokerName: String? = nil, _ values: Values = .any,
        effect: Effect = .served, _ documentation: String
    ) {
        self.name = name
        self.kind = kind
        self.brokerName = brokerName
        self.values = values
        self.effect = effect
        self.documentation = documentation
    }

    private static let served = [
        TopicConfigDefinition(
            "retention.ms", .long, broker: "log.retention.ms", .number(-1...Int64.max),
            "How long records are kept, in milliseconds; -1 for ever. Whole segments go, oldest first."),
        TopicConfigDefinition(
            "retention.bytes", .long, broker: "log.retention.bytes", .number(-1...Int64.max),
            "How many bytes a partition keeps; -1 without limit. Whole segments go, oldest first."),
        TopicConfigDefinition(
            "millrace.retention.disk.percent", .int, .number(0...100),
            "How much of the disk the topic's partitions may take together, in percent; 0 without limit."),
        TopicConfigDefinition(
            "segment.bytes", .int, broker: "log.segment.bytes", .number(14...Int64(Int32.max)),
            "The size in bytes at which a segment is closed."),
        TopicConfigDefinition(
            "segment.ms", .long, broker: "log.roll.ms", .number(1...Int64.max),
            "The age in milliseconds at which a segment is closed by the next append."),
        TopicConfigDefinition(
            "max.message.bytes", .int, broker: "message.max.bytes", .number(0...Int64(Int32.max)),
            "The largest batch, in bytes, as it is sent."),
        TopicConfigDefinition(
            "message.timestamp.type", .string, broker: "log.message.timestamp.type",
            .words(["CreateTime", "LogAppendTime"]),
            "CreateTime keeps the producer's times; LogAppendTime lets the broker set them."),
        TopicConfigDefinition(
            "message.timestamp.after.max.ms", .long, broker: "log.message.timestamp.after.max.ms",
            .number(0...Int64.max),
            "How far in the future a timestamp may lie, in milliseconds."),
        TopicConfigDefinition(
            "flush.ms", .long, broker: "log.flush.interval.ms", .number(0...Int64.max),
            "How long a record that nobody waits for (acks=0, acks=1) stays unsynced, and so unreadable, in milliseconds."
        ),
        TopicConfigDefinition(
            "index.interval.bytes", .int, broker: "log.index.interval.bytes", .number(0...Int64(Int32.max)),
            "Log bytes between two index entries; for segments begun after a change."),
        TopicConfigDefinition(
            "millrace.delivery", .string, .words(["best-effort", "durable"]),
            "durable: every record is acknowledged when it is synced, whatever acks says. best-effort: as acks says."),
        TopicConfigDefinition(
            "millrace.view", .string, .words(["none", "series", "search"]),
            "The view that is made of the topic: none, series or search. A view sets the timestamp type and other defaults."
        ),
    ]

    private static let fixed = [
        TopicConfigDefinition(
            "cleanup.policy", .list, broker: "log.cleanup.policy",
            effect: .fixed(value: "delete", why: "compaction is not served yet"),
            "What happens to old records: they go."),
        TopicConfigDefinition(
            "compression.type", .string, broker: "compression.type",
            effect: .fixed(value: "producer", why: "batches are stored as they come"),
            "Batches are stored as they come."),
        TopicConfigDefinition(
            "min.insync.replicas", .int, broker: "min.insync.replicas",
            effect: .fixed(value: "1", why: "there is one replica"), "There is one replica."),
        TopicConfigDefinition(
            "remote.storage.enable", .boolean, effect: .fixed(value: "false", why: "there is no remote storage yet"),
            "There is no remote storage."),
    ]

    private static let withoutEffect = [
        ("delete.retention.ms", .long), ("file.delete.delay.ms", .long), ("flush.messages", .long),
        ("follower.replication.throttled.replicas", .list), ("leader.replication.throttled.replicas", .list),
        ("local.retention.bytes", .long), ("local.retention.ms", .long), ("max.compaction.lag.ms", .long),
        ("message.downconversion.enable", .boolean), ("message.format.version", .string),
        ("message.timestamp.before.max.ms", .long), ("message.timestamp.difference.max.ms", .long),
        ("min.cleanable.dirty.ratio", .double), ("min.compaction.lag.ms", .long), ("preallocate", .boolean),
        ("segment.index.bytes", .int), ("segment.jitter.ms", .long), ("unclean.leader.election.enable", .boolean),
    ].map { (name: String, kind: ConfigDescription.Kind) in
        TopicConfigDefinition(name, kind, effect: .none, "Accepted because tools send it, without effect.")
    }
}
