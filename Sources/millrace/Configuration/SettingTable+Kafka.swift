import Groups
import Log
import ServeKafka

/// The Kafka listener and the groups that meet there.
extension SettingTable {
    static let kafka: [Setting] = [
        .address("kafka-listen", .kafka, \.kafkaAddress, "Where to listen for Kafka clients; port 0 takes a free one."),
        .address(
            "advertised-listener", .kafka, \.advertisedAddress,
            defaultNote: "the address that each of them connected to", "What Kafka clients are told to connect to."),
        .truth(
            "auto-create-topics", .kafka, \.kafka.autoCreateTopics, broker: .dynamic("auto.create.topics.enable"),
            "Create topics that a client asks about."),
        .number(
            "default-partitions", .kafka, \.kafka.defaultPartitions, 1...10_000, broker: .dynamic("num.partitions"),
            "Partitions of topics that are created without a count."),
        .number(
            "max-connections", .kafka, \.kafka.maximumConnections, 1...1_000_000, broker: .dynamic("max.connections"),
            "Connections of Kafka clients at the same time; one more is closed at once."),
        .number(
            "max-request-bytes", .kafka, \.kafka.maximumFrameBytes, 1_024...(1 << 30), unit: "bytes",
            broker: .fixed("socket.request.max.bytes"),
            "The largest Kafka request in bytes; a connection that announces a larger one is closed."),
        .number(
            "max-requests-in-flight", .kafka, \.kafka.maximumRequestsInFlight, 1...100_000,
            broker: .fixed("millrace.requests.in.flight.max"),
            "Unanswered requests per connection; then it is not read until one is answered."),
        .number(
            "request-memory-bytes", .kafka, \.kafka.maximumGatheredBytes, (1 << 20)...(1 << 40), unit: "bytes",
            broker: .fixed("queued.max.request.bytes"),
            "Memory in bytes for large requests that have arrived in part; then no more are read."),
        .number(
            "request-timeout", .kafka, \.kafka.frameTimeoutMilliseconds, 1...86_400, unit: "seconds", scale: 1_000,
            "Seconds that a request may take to arrive; then its connection is closed."),
        .number(
            "idle-timeout", .kafka, \.kafka.idleTimeoutMilliseconds, 1...86_400, unit: "seconds", scale: 1_000,
            broker: .fixed("connections.max.idle.ms", factor: 1_000),
            "Seconds that a connection may be idle; then it is closed."),
        .number(
            "max-fetch-bytes", .kafka, \.kafka.maximumFetchBytes, 1_024...(1 << 30), unit: "bytes",
            broker: .fixed("fetch.max.bytes"),
            "The most bytes of one fetch response, whatever the client asks for; its first batch may exceed it."),
        .number(
            "max-fetch-wait-ms", .kafka, \.kafka.maximumFetchWaitMilliseconds, 0...86_400_000, unit: "milliseconds",
            broker: .fixed("millrace.fetch.max.wait.ms"),
            "The longest that a fetch waits for data, in milliseconds, whatever the client asks for."),
        .number(
            "max-partitions-per-request", .kafka, \.kafka.maximumPartitionsPerRequest, 1...1_000_000,
            broker: .fixed("millrace.partitions.per.request.max"),
            "Partitions, topics, groups or resources in one request; a connection that names more is closed."),
        .number(
            "max-fetch-sessions", .kafka, \.kafka.maximumFetchSessions, 0...1_000_000,
            broker: .fixed("max.incremental.fetch.session.cache.slots"),
            "Fetch sessions at the same time; beyond, clients are served without one. 0: no sessions."),
        .number(
            "max-fetch-session-partitions", .kafka, \.kafka.maximumFetchSessionPartitions, 0...100_000_000,
            broker: .fixed("millrace.fetch.session.partitions.max"),
            "Partitions of all fetch sessions together, of some 400 bytes each; beyond, as above."),
        .number(
            "administration-threads", .kafka, \.kafka.administrationThreads, 1...256,
            "Threads for what may wait for the disk besides appending: creating topics, changing configs."),
    ]

    private static let day: Int64 = 86_400_000

    static let groups: [Setting] = [
        .number(
            "group-initial-rebalance-delay", .groups, \.groups.initialRebalanceDelayMilliseconds, 0...day,
            unit: "milliseconds", broker: .dynamic("group.initial.rebalance.delay.ms"),
            "Milliseconds that the first rebalance of an empty group waits for more members."),
        .number(
            "group-min-session-timeout", .groups, \.groups.minimumSessionMilliseconds, 0...day, unit: "milliseconds",
            broker: .dynamic("group.min.session.timeout.ms"),
            "The shortest session of a group's member, in milliseconds; a shorter one is refused."),
        .number(
            "group-max-session-timeout", .groups, \.groups.maximumSessionMilliseconds, 0...day, unit: "milliseconds",
            broker: .dynamic("group.max.session.timeout.ms"),
            "The longest session of a group's member, in milliseconds; a longer one is refused."),
        .number(
            "group-max-size", .groups, \.groups.maximumMembers, 1...100_000, broker: .dynamic("group.max.size"),
            "Members of one group; one more is refused."),
        .number(
            "max-groups", .groups, \.groups.maximumGroups, 1...10_000_000, broker: .dynamic("millrace.groups.max"),
            "Groups; a member or an offset that would make one more is refused."),
        .number(
            "max-offsets-per-group", .groups, \.groups.maximumOffsetsPerGroup, 1...10_000_000,
            broker: .dynamic("millrace.offsets.per.group.max"),
            "Partitions that one group may have offsets for; a commit of one more is refused."),
        .number(
            "offset-metadata-max-bytes", .groups, \.groups.maximumOffsetMetadataBytes, 0...(1 << 20), unit: "bytes",
            broker: .dynamic("offset.metadata.max.bytes"),
            "Bytes of text with a committed offset; more is refused."),
        .number(
            "offsets-retention-minutes", .groups, \.groups.offsetRetentionMilliseconds, 1...100_000_000,
            unit: "minutes", scale: 60_000, broker: .dynamic("offsets.retention.minutes"),
            "Minutes for which a group without members keeps its offsets."),
        .number(
            "offsets-retention-check-interval-ms", .groups, \.groups.expiryIntervalMilliseconds, 1...day,
            unit: "milliseconds", broker: .dynamic("offsets.retention.check.interval.ms"),
            "Time between passes that expire offsets and forget empty groups, in milliseconds."),
        .number(
            "metrics-lag-partitions", .groups, \.metricsLagPartitions, 0...1_000_000,
            "Partitions of groups whose lag /metrics tells one by one; the rest is summed up."),
    ]
}
