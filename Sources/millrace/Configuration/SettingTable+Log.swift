import Log

/// The log.
extension SettingTable {
    private static let year: Int64 = 31_536_000_000

    static let log: [Setting] = [
        Setting(
            "disk-reserve-bytes", .log, .integer(0...(1 << 50)), unit: "bytes",
            defaultNote: "a twentieth of the disk, at most 1073741824", broker: .dynamic("millrace.disk.reserve.bytes"),
            """
            Bytes of the disk to be kept free: with less, writes are refused until there is room, and reads, deletes and \
            retention go on; 0 keeps none.
            """
        ) {
            $0.log.diskReserveBytes.map { "\($0)" }
        } write: {
            $0.log.diskReserveBytes = Int64($1)
        },
        .number(
            "retention-interval-ms", .log, \.log.retentionIntervalMilliseconds, 1...year, unit: "milliseconds",
            broker: .dynamic("log.retention.check.interval.ms"), "Time between passes of retention, in milliseconds."),
        .number(
            "max-partitions", .log, \.log.maximumPartitions, 1...1_000_000, broker: .fixed("millrace.partitions.max"),
            "The most partitions in total; creating more is refused."),
        .number(
            "max-partitions-per-topic", .log, \.log.maximumPartitionsPerTopic, 1...1_000_000,
            broker: .fixed("millrace.partitions.per.topic.max"),
            "The most partitions of one topic; creating more is refused."),
        .number(
            "max-open-segments", .log, \.log.maximumOpenSegments, 1...10_000_000,
            broker: .fixed("millrace.open.segments.max"),
            "Segments that are open at the same time, a file descriptor each; the least recently used is closed first."),
        .number(
            "flusher-threads", .log, \.log.flusherThreads, 1...256, broker: .fixed("millrace.flusher.threads"),
            "Threads that sync files side by side."),
        .number(
            "checkpoint-interval-ms", .log, \.log.checkpointIntervalMilliseconds, 1...year, unit: "milliseconds",
            broker: .fixed("log.flush.offset.checkpoint.interval.ms"),
            "Time between checkpoints, in milliseconds: a start after a crash verifies what was appended in it."),
        .number(
            "max-producers", .log, \.log.maximumProducers, 1...10_000_000, broker: .fixed("millrace.producers.max"),
            "Idempotent producers remembered in all; beyond it those go that were idle longest."),
        .number(
            "max-producers-per-partition", .log, \.log.maximumProducersPerPartition, 1...1_000_000,
            broker: .fixed("millrace.producers.per.partition.max"),
            "Idempotent producers remembered per partition; beyond it the one goes that was idle longest."),
        .number(
            "producer-expiration-ms", .log, \.log.producerExpirationMilliseconds, 1...year, unit: "milliseconds",
            broker: .fixed("producer.id.expiration.ms"),
            "How long an idle idempotent producer is remembered, in milliseconds."),
    ]

    /// What only a measurement gives a reason to change.
    static let logInside: [Setting] = [
        .number(
            "max-sync-waiters", .log, \.log.maximumSyncWaitersPerPartition, 1...10_000_000,
            "Requests that wait for a sync, per partition; beyond it appends with acks=all are refused for now."),
        .number(
            "max-read-waiters", .log, \.log.maximumReadWaitersPerPartition, 1...10_000_000,
            "Fetches that wait for data, per partition; beyond it they are answered at once with what there is."),
        .number(
            "journal-bytes", .log, \.log.journalBytes, 0...(256 << 20), unit: "bytes",
            "The size in bytes of each of the two files of the sync journal; 0 goes without."),
        .number(
            "snapshot-interval-bytes", .log, \.log.snapshotIntervalBytes, 1...(1 << 40), unit: "bytes",
            "Log bytes between snapshots of the producers: bounds what a start replays."),
        .number(
            "disk-check-interval-ms", .log, \.log.diskCheckIntervalMilliseconds, 1...year, unit: "milliseconds",
            "Time between two looks at how full the disk is, in milliseconds."),
        .number(
            "disk-share-interval-ms", .log, \.log.diskShareIntervalMilliseconds, 1...year, unit: "milliseconds",
            "Time between passes of retention by share of the disk, in milliseconds."),
    ]
}
