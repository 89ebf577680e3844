import Log

/// The broker's settings as Kafka's broker configs: with Kafka's names where one means the same, else with
/// `millrace.` before it. All are read-only: they are set when the broker starts.
struct BrokerConfigs {
    private let log: LogSettings
    private let server: KafkaServerSettings
    private let logDirectory: String
    private let diskReserveBytes: Int64?
    private var described: [ConfigDescription] = []

    /// Every config, sorted by name.
    static func describe(_ log: CommitLog, _ server: KafkaServerSettings) -> [ConfigDescription] {
        var configs = BrokerConfigs(
            log: log.settings, server: server, logDirectory: log.directory,
            diskReserveBytes: log.diskReserveBytes)
        configs.addIdentity()
        configs.addTopicDefaults()
        configs.addLog()
        configs.addListener()
        return configs.described.sorted { $0.name < $1.name }
    }

    private init(
        log: LogSettings, server: KafkaServerSettings, logDirectory: String, diskReserveBytes: Int64?
    ) {
        self.log = log
        self.server = server
        self.logDirectory = logDirectory
        self.diskReserveBytes = diskReserveBytes
    }

    private mutating func add(
        _ name: String, _ kind: ConfigDescription.Kind, _ documentation: String, _ value: String,
        default original: String?
    ) {
        var settings: [ConfigDescription.Setting] = []
        if value != original { settings.append(.init(name: name, value: value, source: .broker)) }
        if let original { settings.append(.init(name: name, value: original, source: .default)) }
        described.append(
            ConfigDescription(
                name: name, kind: kind, documentation: documentation, isReadOnly: true, settings: settings))
    }

    private mutating func add<Value>(
        _ name: String, _ kind: ConfigDescription.Kind, _ documentation: String, _ field: KeyPath<LogSettings, Value>
    ) {
        add(name, kind, documentation, "\(log[keyPath: field])", default: "\(LogSettings()[keyPath: field])")
    }

    private mutating func add<Value>(
        _ name: String, _ kind: ConfigDescription.Kind, _ documentation: String,
        _ field: KeyPath<KafkaServerSettings, Value>
    ) {
        add(name, kind, documentation, "\(server[keyPath: field])", default: "\(KafkaServerSettings()[keyPath: field])")
    }

    private mutating func addIdentity() {
        add("node.id", .int, "This broker's id.", \.nodeID)
        add("broker.id", .int, "This broker's id.", \.nodeID)
        add("log.dirs", .string, "The data directory.", logDirectory, default: nil)
    }

    /// What topics have that set nothing themselves.
    private mutating func addTopicDefaults() {
        for config in log.topicDefaults.describe(settingOnTopic: [:]) {
            let name = config.settings[0].name
            guard name != config.name || !name.hasPrefix("millrace.") && name != "remote.storage.enable" else {
                continue
            }
            described.append(
                ConfigDescription(
                    name: name, kind: config.kind, documentation: config.documentation, isReadOnly: true,
                    settings: config.settings))
        }
        add("num.partitions", .int, "Partitions of topics that are created without a count.", \.defaultPartitions)
        add("default.replication.factor", .int, "There is one broker.", "1", default: "1")
        add(
            "auto.create.topics.enable", .boolean, "Whether a client that asks for a topic creates it.",
            \.autoCreateTopics)
    }

    private mutating func addLog() {
        add(
            "log.retention.check.interval.ms", .long, "Time between passes of retention, in milliseconds.",
            \.retentionIntervalMilliseconds)
        add(
            "log.flush.offset.checkpoint.interval.ms", .int, "Time between checkpoints, in milliseconds.",
            \.checkpointIntervalMilliseconds)
        add(
            "producer.id.expiration.ms", .int, "How long an idle idempotent producer is remembered, in milliseconds.",
            \.producerExpirationMilliseconds)
        if let bytes = diskReserveBytes {
            add(
                "millrace.disk.reserve.bytes", .long, "The bytes of the disk that are kept free.", "\(bytes)",
                default: log.diskReserveBytes == nil ? "\(bytes)" : nil)
        }
        add("millrace.partitions.max", .int, "The most partitions in total.", \.maximumPartitions)
        add("millrace.partitions.per.topic.max", .int, "The most partitions of a topic.", \.maximumPartitionsPerTopic)
        add("millrace.open.segments.max", .int, "Segments that are open at the same time.", \.maximumOpenSegments)
        add(
            "millrace.producers.per.partition.max", .int, "Idempotent producers remembered per partition.",
            \.maximumProducersPerPartition)
        add("millrace.producers.max", .int, "Idempotent producers remembered in all.", \.maximumProducers)
        add("millrace.flusher.threads", .int, "Threads that sync files side by side.", \.flusherThreads)
    }

    private mutating func addListener() {
        add("max.connections", .int, "Connections at the same time.", \.maximumConnections)
        add("socket.request.max.bytes", .int, "The largest request, in bytes.", \.maximumFrameBytes)
        add(
            "connections.max.idle.ms", .long, "How long a connection may be silent, in milliseconds.",
            \.idleTimeoutMilliseconds)
        add("fetch.max.bytes", .int, "The most bytes of one fetch response.", \.maximumFetchBytes)
        add(
            "queued.max.request.bytes", .long, "Memory for large requests that have arrived in part, in bytes.",
            \.maximumGatheredBytes)
        add(
            "millrace.requests.in.flight.max", .int, "Requests of a connection that are not answered yet.",
            \.maximumRequestsInFlight)
        add(
            "millrace.partitions.per.request.max", .int, "Partitions, topics or resources in one request.",
            \.maximumPartitionsPerRequest)
        add(
            "max.incremental.fetch.session.cache.slots", .int, "Fetch sessions at the same time.",
            \.maximumFetchSessions)
        add(
            "millrace.fetch.session.partitions.max", .int, "Partitions of all fetch sessions together.",
            \.maximumFetchSessionPartitions)
        add(
            "millrace.fetch.max.wait.ms", .long, "The longest that a fetch waits for data, in milliseconds.",
            \.maximumFetchWaitMilliseconds)
    }
}
