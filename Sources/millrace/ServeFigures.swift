import Instruments
import Log
import Logging

/// What the log holds, read at each rendering of the metrics.
struct LogFigures: Sendable {
    private let log: CommitLog
    /// Topics that are told one by one; the rest is summed up as `other`. The page stays below a megabyte.
    private static let maximumTopics = 2_000

    init(log: CommitLog) {
        self.log = log
    }

    /// Adds the figures to a registry.
    func register(in registry: InstrumentRegistry) {
        registry.addCollector(write)
    }

    private func write(_ writer: inout ExpositionWriter) {
        let topics = log.topics()
        writer.family("millrace_topics", help: "Topics.", kind: .gauge)
        writer.sample(topics.count)
        writer.family("millrace_partitions", help: "Partitions.", kind: .gauge)
        writer.sample(topics.reduce(0) { $0 + $1.partitions.count })
        writer.family("millrace_partitions_fenced", help: "Partitions that take no more appends.", kind: .gauge)
        writer.sample(topics.reduce(0) { $0 + $1.partitions.count { $0.fenceReason != nil } })
        writer.family("millrace_topic_size_bytes", help: "Bytes of the segments, by topic.", kind: .gauge)
        for topic in topics.prefix(Self.maximumTopics) {
            writer.sample(size(of: topic), labels: [Label("topic", topic.name)])
        }
        if topics.count > Self.maximumTopics {
            let rest = topics.dropFirst(Self.maximumTopics).reduce(0) { $0 + size(of: $1) }
            writer.sample(rest, labels: [Label("topic", "other")])
        }
    }

    private func size(of topic: Topic) -> Int64 {
        topic.partitions.reduce(0) { $0 + $1.sizeBytes }
    }
}

extension Log.LogEvent.Severity {
    /// The level at which an operator sees it.
    var level: Logger.Level {
        switch self {
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
