import ArgumentParser

/// The options of `millrace serve`, as given: texts that `Configuration` checks, a property for each setting of
/// `SettingTable` under the same name. What is missing comes from the environment, the file, then the defaults.
struct ServeOptions: ParsableArguments {
    @OptionGroup(title: "The configuration file") var file: FileOptions
    @OptionGroup(title: Setting.Section.process.rawValue) var process: ProcessOptions
    @OptionGroup(title: Setting.Section.kafka.rawValue) var kafka: KafkaOptions
    @OptionGroup(title: Setting.Section.http.rawValue) var http: HTTPOptions
    @OptionGroup(title: Setting.Section.datagrams.rawValue) var datagrams: DatagramOptions
    @OptionGroup(title: Setting.Section.groups.rawValue) var groups: GroupOptions
    @OptionGroup(title: Setting.Section.log.rawValue) var log: LogOptions
    @OptionGroup(title: Setting.Section.views.rawValue) var views: ViewOptions
    @OptionGroup(title: Setting.Section.queries.rawValue) var queries: QueryOptions
    @OptionGroup(title: Setting.Section.topicDefaults.rawValue) var topics: TopicDefaultOptions
}

struct FileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The configuration file, in YAML. (default: none)", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?
}

struct ProcessOptions: ParsableArguments {
    @Option(help: .setting("data")) var data: String?
    @Option(help: .setting("ready-file")) var readyFile: String?
    @Option(help: .setting("stop-timeout")) var stopTimeout: String?
    @Option(help: .setting("log-format")) var logFormat: String?
    @Option(help: .setting("log-level")) var logLevel: String?
    @Flag(help: .setting("allow-unauthenticated-public")) var allowUnauthenticatedPublic = false
    @Flag(help: .setting("ignore-stored-configs")) var ignoreStoredConfigs = false
    @Option(help: .setting("grpc-listen")) var grpcListen: String?
}

struct KafkaOptions: ParsableArguments {
    @Option(help: .setting("kafka-listen")) var kafkaListen: String?
    @Option(help: .setting("advertised-listener")) var advertisedListener: String?
    @Flag(inversion: .prefixedNo, help: .setting("auto-create-topics")) var autoCreateTopics: Bool?
    @Option(help: .setting("default-partitions")) var defaultPartitions: String?
    @Option(help: .setting("max-connections")) var maxConnections: String?
    @Option(help: .setting("max-request-bytes")) var maxRequestBytes: String?
    @Option(help: .setting("max-requests-in-flight")) var maxRequestsInFlight: String?
    @Option(help: .setting("request-memory-bytes")) var requestMemoryBytes: String?
    @Option(help: .setting("request-timeout")) var requestTimeout: String?
    @Option(help: .setting("idle-timeout")) var idleTimeout: String?
    @Option(help: .setting("max-fetch-bytes")) var maxFetchBytes: String?
    @Option(help: .setting("max-fetch-wait-ms")) var maxFetchWaitMs: String?
    @Option(help: .setting("max-partitions-per-request")) var maxPartitionsPerRequest: String?
    @Option(help: .setting("max-fetch-sessions")) var maxFetchSessions: String?
    @Option(help: .setting("max-fetch-session-partitions")) var maxFetchSessionPartitions: String?
    @Option(help: .setting("administration-threads")) var administrationThreads: String?
}

struct GroupOptions: ParsableArguments {
    @Option(help: .setting("group-initial-rebalance-delay")) var groupInitialRebalanceDelay: String?
    @Option(help: .setting("group-min-session-timeout")) var groupMinSessionTimeout: String?
    @Option(help: .setting("group-max-session-timeout")) var groupMaxSessionTimeout: String?
    @Option(help: .setting("group-max-size")) var groupMaxSize: String?
    @Option(help: .setting("max-groups")) var maxGroups: String?
    @Option(help: .setting("max-offsets-per-group")) var maxOffsetsPerGroup: String?
    @Option(help: .setting("offset-metadata-max-bytes")) var offsetMetadataMaxBytes: String?
    @Option(help: .setting("offsets-retention-minutes")) var offsetsRetentionMinutes: String?
    @Option(help: .setting("offsets-retention-check-interval-ms")) var offsetsRetentionCheckIntervalMs: String?
    @Option(help: .setting("metrics-lag-partitions")) var metricsLagPartitions: String?
}

struct HTTPOptions: ParsableArguments {
    @Option(help: .setting("http-listen")) var httpListen: String?
    @Option(help: .setting("http-max-connections")) var httpMaxConnections: String?
    @Option(help: .setting("http-request-timeout")) var httpRequestTimeout: String?
    @Option(help: .setting("http-response-timeout")) var httpResponseTimeout: String?
    @Option(help: .setting("http-idle-timeout")) var httpIdleTimeout: String?
    @Option(help: .setting("http-max-header-bytes")) var httpMaxHeaderBytes: String?
    @Option(help: .setting("http-max-headers")) var httpMaxHeaders: String?
}

struct DatagramOptions: ParsableArguments {
    @Option(help: .setting("influx-udp-listen")) var influxUdpListen: String?
    @Option(help: .setting("influx-udp-database")) var influxUdpDatabase: String?
    @Option(help: .setting("influx-udp-batch-ms")) var influxUdpBatchMs: String?
    @Option(help: .setting("influx-udp-queue-bytes")) var influxUdpQueueBytes: String?
}

struct LogOptions: ParsableArguments {
    @Option(help: .setting("disk-reserve-bytes")) var diskReserveBytes: String?
    @Option(help: .setting("retention-interval-ms")) var retentionIntervalMs: String?
    @Option(help: .setting("max-partitions")) var maxPartitions: String?
    @Option(help: .setting("max-partitions-per-topic")) var maxPartitionsPerTopic: String?
    @Option(help: .setting("max-open-segments")) var maxOpenSegments: String?
    @Option(help: .setting("flusher-threads")) var flusherThreads: String?
    @Option(help: .setting("checkpoint-interval-ms")) var checkpointIntervalMs: String?
    @Option(help: .setting("max-producers")) var maxProducers: String?
    @Option(help: .setting("max-producers-per-partition")) var maxProducersPerPartition: String?
    @Option(help: .setting("producer-expiration-ms")) var producerExpirationMs: String?
    @Option(help: .setting("max-sync-waiters")) var maxSyncWaiters: String?
    @Option(help: .setting("max-read-waiters")) var maxReadWaiters: String?
    @Option(help: .setting("journal-bytes")) var journalBytes: String?
    @Option(help: .setting("snapshot-interval-bytes")) var snapshotIntervalBytes: String?
    @Option(help: .setting("disk-check-interval-ms")) var diskCheckIntervalMs: String?
    @Option(help: .setting("disk-share-interval-ms")) var diskShareIntervalMs: String?
}

struct ViewOptions: ParsableArguments {
    @Option(help: .setting("view-cut-bytes")) var viewCutBytes: String?
    @Option(help: .setting("view-cut-ms")) var viewCutMs: String?
    @Option(help: .setting("view-head-bytes")) var viewHeadBytes: String?
    @Option(help: .setting("view-hold-bytes")) var viewHoldBytes: String?
    @Option(help: .setting("view-apply-threads")) var viewApplyThreads: String?
    @Option(help: .setting("view-compaction-interval-ms")) var viewCompactionIntervalMs: String?
    @Option(help: .setting("max-databases")) var maxDatabases: String?
    @Option(help: .setting("max-series-per-database")) var maxSeriesPerDatabase: String?
    @Option(help: .setting("max-values-per-tag")) var maxValuesPerTag: String?
    @Option(help: .setting("max-measurements-per-database")) var maxMeasurementsPerDatabase: String?
    @Option(help: .setting("max-fields-per-measurement")) var maxFieldsPerMeasurement: String?
    @Option(help: .setting("max-tenants")) var maxTenants: String?
    @Option(help: .setting("logs-durable")) var logsDurable: String?
    @Option(help: .setting("write-memory-bytes")) var writeMemoryBytes: String?
    @Option(help: .setting("write-timeout-ms")) var writeTimeoutMs: String?
}

struct QueryOptions: ParsableArguments {
    @Option(help: .setting("query-log-slower-than-ms")) var queryLogSlowerThanMs: String?
    @Option(help: .setting("query-timeout-ms")) var queryTimeoutMs: String?
    @Option(help: .setting("max-queries")) var maxQueries: String?
    @Option(help: .setting("query-memory-bytes")) var queryMemoryBytes: String?
    @Option(help: .setting("query-total-memory-bytes")) var queryTotalMemoryBytes: String?
    @Option(help: .setting("query-max-series")) var queryMaxSeries: String?
    @Option(help: .setting("query-max-points")) var queryMaxPoints: String?
    @Option(help: .setting("query-max-scanned-bytes")) var queryMaxScannedBytes: String?
    @Option(help: .setting("query-max-windows")) var queryMaxWindows: String?
    @Option(help: .setting("query-max-rows")) var queryMaxRows: String?
    @Option(help: .setting("query-max-show-rows")) var queryMaxShowRows: String?
    @Option(help: .setting("query-max-text-bytes")) var queryMaxTextBytes: String?
    @Option(help: .setting("query-threads")) var queryThreads: String?
}

struct TopicDefaultOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            What a topic has that does not set it itself: \(SettingTable.topicConfigs.joined(separator: ", ")). May be \
            repeated.
            """, valueName: "config=value"))
    var topicDefaults: [String] = []
}

extension ServeOptions {
    /// The configuration file.
    var config: String? { file.config }

    /// What was given, by the option's name, in the order of the table.
    var given: [(option: String, text: String)] {
        // As ArgumentParser does, which finds the options by reflection.
        let groups: [Any] = [process, kafka, http, datagrams, groups, log, views, queries, topics]
        return groups.flatMap { group in
            Mirror(reflecting: group).children.flatMap { child in
                let option = Self.option(child.label ?? "")
                return Self.texts(child.value).map { (option, $0) }
            }
        }
    }

    /// `_kafkaListen` is `kafka-listen`.
    private static func option(_ label: String) -> String {
        label.drop { $0 == "_" }.reduce(into: "") { name, letter in
            name += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
        }
    }

    private static func texts(_ property: Any) -> [String] {
        switch property {
        case let option as Option<String?>: option.wrappedValue.map { [$0] } ?? []
        case let option as Option<[String]>: option.wrappedValue
        case let flag as Flag<Bool?>: flag.wrappedValue.map { ["\($0)"] } ?? []
        case let flag as Flag<Bool>: flag.wrappedValue ? ["true"] : []
        default: []
        }
    }
}

extension ArgumentHelp {
    /// The help of a setting, from the table.
    fileprivate static func setting(_ name: String) -> ArgumentHelp {
        guard let setting = SettingTable.named(name) else { return ArgumentHelp() }
        let valueName: String? =
            switch setting.kind {
            case .address: "host:port"
            case .integer: setting.unit ?? "count"
            case .choice: "word"
            case .text: "path"
            case .selectors: "selectors"
            case .boolean: nil
            }
        return ArgumentHelp("\(setting.documentation) (default: \(setting.defaultText))", valueName: valueName)
    }
}
