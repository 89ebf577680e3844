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
        writeDisk(&writer)
        perTopic(&writer, "millrace_topic_size_bytes", "Bytes of the segments, by topic.", .gauge, topics) { topic in
            topic.partitions.reduce(0) { $0 + ((try? $1.storedBytes()) ?? 0) }
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
        writeSyncs(&writer)
        writeRemovals(&writer)
        writeMemory(&writer)
    }

    private func writeDisk(_ writer: inout ExpositionWriter) {
        if let bytes = log.diskReserveBytes {
            writer.family("millrace_disk_reserve_bytes", help: "What is kept free of that disk.", kind: .gauge)
            writer.sample(bytes)
        }
        writer.family(
            "millrace_disk_refusing_writes", help: "1 while writes are refused because less than the reserve is free.",
            kind: .gauge)
        writer.sample(log.isDiskShort ? 1 : 0)
        writer.family(
            "millrace_disk_refused_appends_total",
            help: "Appends refused because less than the reserve of the disk is free.", kind: .counter)
        writer.sample(log.statistics.refusedForSpace.value)
    }

    private func writeSyncs(_ writer: inout ExpositionWriter) {
        writer.family(
            "millrace_log_sync_seconds", help: "Time of the syncs of each round of group commit.", kind: .histogram)
        writer.sample(log.syncLatency)
        writer.family("millrace_log_sync_rounds_total", help: "Rounds of group commit.", kind: .counter)
        writer.sample(log.syncRounds)
        writer.family(
            "millrace_log_journal_rounds_total",
            help: "Rounds of group commit that went through the sync journal, in whole or in part.", kind: .counter)
        writer.sample(log.journalRounds)
        writer.family(
            "millrace_log_sync_requests_total", help: "Requests that waited for a round of group commit.",
            kind: .counter)
        writer.sample(log.syncRequests)
        writer.family(
            "millrace_log_sync_waiting_requests", help: "Requests that wait for the next round of group commit.",
            kind: .gauge)
        writer.sample(log.waitingSyncRequests)
        writer.family("millrace_log_dirty_partitions", help: "Partitions that wait for a sync.", kind: .gauge)
        writer.sample(log.dirtyPartitions)
    }

    private func writeRemovals(_ writer: inout ExpositionWriter) {
        let removals = LogStatistics.RemovalReason.allCases.map { ($0, log.statistics.removals[$0]) }
        writer.family(
            "millrace_log_segments_removed_total", help: "Segments that left the log, by reason.", kind: .counter)
        for (reason, counters) in removals {
            writer.sample(counters?.segments.value ?? 0, labels: [Label("reason", reason.rawValue)])
        }
        writer.family(
            "millrace_log_removed_bytes_total", help: "Bytes of the segments that left the log, by reason.",
            kind: .counter)
        for (reason, counters) in removals {
            writer.sample(counters?.bytes.value ?? 0, labels: [Label("reason", reason.rawValue)])
        }
    }

    private func writeMemory(_ writer: inout ExpositionWriter) {
        writer.family("millrace_log_open_segments", help: "Segments with open files.", kind: .gauge)
        writer.sample(log.openSegments)
        writer.family(
            "millrace_log_producers",
            help: "Idempotent producers that are remembered, each counted in every partition that it writes to.",
            kind: .gauge)
        writer.sample(log.rememberedProducers)
        writer.family(
            "millrace_log_producers_forgotten_total",
            help: "Idempotent producers forgotten because of the bound on all of them.", kind: .counter)
        writer.sample(log.forgottenProducers)
        writer.family("millrace_log_bound", help: "The log's bounds.", kind: .gauge)
        writer.sample(log.settings.maximumPartitions, labels: [Label("bound", "partitions")])
        writer.sample(log.settings.maximumOpenSegments, labels: [Label("bound", "open-segments")])
        writer.sample(log.settings.maximumProducers, labels: [Label("bound", "producers")])
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
