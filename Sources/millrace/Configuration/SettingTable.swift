import Log
import Logging
import ServeHTTP

/// Every setting of `millrace serve`. Flags, variables, the file, `millrace config`, the configs of the broker and
/// docs/configuration.md all derive from this table, or are tested against it.
enum SettingTable {
    /// In the order in which they are listed.
    static let all = process + kafka + http + groups + log + logInside + topicDefaults

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

    private static let topicDefaults = TopicConfigDefinition.all.filter(\.hasDefaultSetting).map(
        Setting.topicDefault)
}
