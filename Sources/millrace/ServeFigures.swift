import Instruments
import Log
import Logging
import Machine

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

    /// Says what there is, what goes and when, before it bites. Asks the file system for the size of every partition that
    /// is not open.
    func announceRetention(_ settings: LogSettings, _ logger: Logger) {
        let defaults = settings.topicDefaults
        let topics = log.topics()
        let bytes = topics.reduce(0) { $0 + $1.partitions.reduce(0) { $0 + ((try? $1.storedBytes()) ?? 0) } }
        let disk = try? log.volumeCapacity()
        logger.info(
            "retention",
            metadata: [
                "default-ms": "\(defaults.retentionMilliseconds)",
                "default-bytes-per-partition": "\(defaults.retentionBytes)",
                "topics": "\(topics.count)", "log-bytes": "\(bytes)",
                "disk-available-bytes": "\(disk?.availableBytes ?? -1)",
                "disk-reserve-bytes": "\(log.diskReserveBytes ?? -1)",
                "hint": "per topic: retention.ms, retention.bytes, millrace.retention.disk.percent",
            ])
    }

    private func write(_ writer: inout ExpositionWriter) {
        let topics = log.topics()
        writer.family("millrace_topics", help: "Topics.", kind: .gauge)
        writer.sample(topics.count)
        writer.family("millrace_partitions", help: "Partitions.", kind: .gauge)
        writer.sample(topics.reduce(0) { $0 + $1.partitions.count })
        writer.family("millrace_partitions_fenced", help: "Partitions that take no more appends.", kind: .gauge)
        writer.sample(topics.reduce(0) { $0 + $1.partitions.count { $0.fenceReason != nil } })
        if let bytes = log.diskReserveBytes {
            writer.family("millrace_disk_reserve_bytes", help: "What is kept free of that disk.", kind: .gauge)
            writer.sample(bytes)
        }
        writer.family(
            "millrace_disk_refusing_writes", help: "1 while writes are refused because less than the reserve is free.",
            kind: .gauge)
        writer.sample(log.isDiskShort ? 1 : 0)
        perTopic(&writer, "millrace_topic_size_bytes", "Bytes of the segments, by topic.", .gauge, topics) { topic in
            topic.partitions.reduce(0) { $0 + $1.sizeBytes }
        }
        perTopic(
            &writer, "millrace_topic_bytes_in_total", "Bytes of record batches appended, by topic.", .counter, topics
        ) { Int64($0.statistics.bytes.value) }
        perTopic(
            &writer, "millrace_topic_records_in_total", "Records appended, by topic.", .counter, topics
        ) { Int64($0.statistics.records.value) }
        perTopic(
            &writer, "millrace_topic_batches_in_total", "Record batches appended, by topic.", .counter, topics
        ) { Int64($0.statistics.batches.value) }
        writer.family(
            "millrace_log_sync_seconds", help: "Time of the syncs of each round of group commit.", kind: .histogram)
        writer.sample(log.syncLatency)
    }

    private func perTopic(
        _ writer: inout ExpositionWriter, _ name: String, _ help: String, _ kind: InstrumentKind, _ topics: [Topic],
        _ value: (Topic) -> Int64
    ) {
        writer.family(name, help: help, kind: kind)
        for topic in topics.prefix(Self.maximumTopics) {
            writer.sample(value(topic), labels: [Label("topic", topic.name)])
        }
        guard topics.count > Self.maximumTopics else { return }
        let rest = topics.dropFirst(Self.maximumTopics).reduce(0) { $0 + value($1) }
        writer.sample(rest, labels: [Label("topic", "other")])
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
