import Ingest
import Log
import Logging
import Series
import ServeHTTP
import View

/// Every setting of `millrace serve`. Flags, variables, the file, `millrace config`, the configs of the broker and
/// docs/configuration.md all derive from this table, or are tested against it.
enum SettingTable {
    /// In the order in which they are listed.
    static let all =
        process + kafka + http + datagrams + groups + log + logInside + views + queries
        + topicDefaults

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The setting of this name, if there is one.
    static func named(_ name: String) -> Setting? { byName[name] }

    /// The names of flags, and of keys in the file: each once, topic defaults as one.
    static let options = all.reduce(into: [String]()) { names, setting in
        if names.last != setting.option { names.append(setting.option) }
    }

    /// The names of topic configs that have a default here.
    static let topicConfigs = topicDefaults.compactMap(\.topicConfig)

    private static let process = [
        Setting(
            "data", .process, .text, "The data directory; created if absent. `serve` needs one."
        ) {
            $0.data.isEmpty ? nil : $0.data
        } write: {
            $0.data = $1
        },
        Setting("ready-file", .process, .text, "A file to write the ready line into, once everything listens.") {
            $0.readyFile
        } write: {
            $0.readyFile = $1
        },
        .number(
            "stop-timeout", .process, \.stopTimeoutSeconds, 0...3_600, unit: "seconds",
            "How many seconds a graceful stop waits for clients before it closes their connections."),
        .word("log-format", .process, \.logFormat, "How log lines look on STDERR: logfmt or json."),
        .word(
            "log-level", .process, \.logLevel, broker: .dynamic("millrace.log.level"),
            "Which log lines are written: trace, debug, info, notice, warning, error or critical."),
        .truth(
            "allow-unauthenticated-public", .process, \.allowsUnauthenticatedPublic,
            """
            Listen on addresses other than loopback although nothing asks who connects: anyone who can reach them can \
            read, write and delete everything.
            """),
        .truth(
            "ignore-stored-configs", .process, \.ignoresStoredConfigs,
            """
            Go without the configs that were changed at run time, for a server that they keep from serving. They stay \
            stored; changes of them are stored too, and hold from the next start without this.
            """),
        .address(
            "grpc-listen", .process, \.grpc, defaultNote: "127.0.0.1:4317",
            "Where to listen for gRPC. Accepted for later; nothing is served there yet."),
    ]

    private static let http: [Setting] = [
        .address("http-listen", .http, \.httpAddress, "Where to listen for HTTP; port 0 takes a free one."),
        .number(
            "http-max-connections", .http, \.http.maximumConnections, 1...100_000,
            "HTTP connections at the same time; one more takes the place of the one that is idle longest."),
        .number(
            "http-request-timeout", .http, \.http.requestTimeoutSeconds, 1...86_400, unit: "seconds",
            "Seconds that an HTTP request may take to arrive; then its connection is closed."),
        .number(
            "http-response-timeout", .http, \.http.responseTimeoutSeconds, 1...86_400, unit: "seconds",
            "Seconds that a client may take to read an HTTP response; then its connection is closed."),
        .number(
            "http-idle-timeout", .http, \.http.idleTimeoutSeconds, 1...86_400, unit: "seconds",
            "Seconds that an HTTP connection is kept for a further request."),
        .number(
            "http-max-header-bytes", .http, \.http.maximumHeaderBytes, 1_024...(16 << 20), unit: "bytes",
            "The most bytes of an HTTP request's target and header fields; beyond it the answer is 431."),
        .number(
            "http-max-headers", .http, \.http.maximumHeaderCount, 1...100_000,
            "The most header fields of an HTTP request; beyond it the answer is 431."),
    ]

    /// What views do with the log, and how points get there.
    private static let views: [Setting] = [
        .number(
            "view-cut-bytes", .views, \.views.cutBytes, 4_096...(1 << 40), unit: "bytes",
            "Log bytes in a view's head from which on it is written into blocks: what a start replays at most."),
        .number(
            "view-cut-ms", .views, \.views.cutMilliseconds, 1...86_400_000, unit: "milliseconds",
            "The age at which a view's head is written into blocks, in milliseconds."),
        .number(
            "view-head-bytes", .views, \.views.headBytes, (1 << 20)...(1 << 40), unit: "bytes",
            "Memory in bytes of a view's head from which on it is written into blocks."),
        .number(
            "view-hold-bytes", .views, \.views.holdBytes, (1 << 20)...(1 << 50), unit: "bytes",
            """
            Log bytes of a partition that its view has not covered yet; beyond it appends are refused with an \
            error that clients retry.
            """),
        .number(
            "view-apply-threads", .views, \.views.applyThreads, 1...256,
            "Threads that apply records to views, for all partitions together."),
        .number(
            "view-compaction-interval-ms", .views, \.views.compactionMilliseconds, 1...86_400_000, unit: "milliseconds",
            "How often a view without new blocks looks for something to compact or to expire, in milliseconds."),
        .number(
            "max-databases", .views, \.ingest.maximumDatabases, 1...1_000_000,
            "The most databases; creating one more is refused."),
        .number(
            "max-series-per-database", .views, \.ingest.limits.maximumSeries, 1...1_000_000_000,
            "The most series of a database; points of one more are refused, with the tag that has most values."),
        .number(
            "max-values-per-tag", .views, \.ingest.limits.maximumTagValues, 0...1_000_000_000,
            "The most values of one tag of a measurement; points with one more are refused. 0: no bound."),
        .number(
            "max-measurements-per-database", .views, \.ingest.limits.maximumMeasurements, 1...10_000_000,
            "The most measurements of a database; points of one more are refused."),
        .number(
            "max-fields-per-measurement", .views, \.ingest.limits.maximumFields, 1...65_535,
            "The most fields of a measurement; points with one more are refused."),
        .number(
            "max-tenants", .views, \.ingest.maximumTenants, 1...1_000_000,
            "The most tenants that log lines are pushed for; the first push of one more is refused."),
        Setting(
            "logs-durable", .views, .selectors,
            """
            Streams of log lines that are durable: a push to them is answered when it is synced. Selectors one behind \
            the other, or none.
            """
        ) {
            $0.ingest.durableStreams.text
        } write: { settings, text in
            if let streams = DurableStreams(text) { settings.ingest.durableStreams = streams }
        },
        .number(
            "write-memory-bytes", .views, \.ingest.bytesInFlight, (1 << 20)...(1 << 40), unit: "bytes",
            "Bytes of all requests that write points; beyond it they are refused with 503."),
        .number(
            "write-timeout-ms", .views, \.ingest.timeoutMilliseconds, 1...3_600_000, unit: "milliseconds",
            """
            How long a writer waits for its points to be synced and applied, in milliseconds; then it is told to \
            try again.
            """),
    ]

    private static let topicDefaults = TopicConfigDefinition.all.filter(\.hasDefaultSetting).map(
        Setting.topicDefault)
}
