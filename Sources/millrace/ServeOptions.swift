import ArgumentParser

/// The options of `millrace serve`, as given. What is missing comes from the environment, then from the defaults.
struct ServeOptions: ParsableArguments {
    @Option(help: "The data directory; created if absent. Required.")
    var data: String?

    @Option(help: "Where to listen for Kafka clients; port 0 takes a free one. (default: 127.0.0.1:9092)")
    var kafkaListen: String?

    @Option(help: "Where to listen for HTTP. (default: 127.0.0.1:8086)")
    var httpListen: String?

    @Option(
        help: "Where to listen for gRPC. Accepted for later; nothing is served there yet. (default: 127.0.0.1:4317)")
    var grpcListen: String?

    @Option(help: "What Kafka clients are told to connect to. (default: the address that each of them connected to)")
    var advertisedListener: String?

    @Option(help: "A file to write the ready line into, once everything listens.")
    var readyFile: String?

    @Flag(
        help:
            "Listen on addresses other than loopback although nothing asks who connects: anyone who can reach them can read, write and delete everything."
    )
    var allowUnauthenticatedPublic = false

    @Flag(inversion: .prefixedNo, help: "Create topics that a client asks about. (default: --auto-create-topics)")
    var autoCreateTopics: Bool?

    @Option(help: "Partitions of topics that are created without a count. (default: 1)")
    var defaultPartitions: Int32?

    @Option(
        help: "How many seconds a graceful stop waits for clients before it closes their connections. (default: 10)")
    var stopTimeout: Int64?

    @Option(help: "How log lines look on STDERR: logfmt or json. (default: logfmt)")
    var logFormat: String?

    @Option(
        help: "Which log lines are written: trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?

    @Option(help: "Connections of Kafka clients at the same time; one more is closed at once. (default: 4096)")
    var maxConnections: Int?

    @Option(
        help:
            "The largest Kafka request in bytes; a connection that announces a larger one is closed. (default: 104857600)"
    )
    var maxRequestBytes: Int?

    @Option(help: "Unanswered requests per connection; then it is not read until one is answered. (default: 256)")
    var maxRequestsInFlight: Int?

    @Option(
        help:
            "Memory in bytes for large requests that have arrived in part; then no more are read. (default: 536870912)")
    var requestMemoryBytes: Int?

    @Option(
        help:
            "Bytes of the disk to be kept free: with less, writes are refused until there is room, and reads, deletes and retention go on; 0 keeps none. (default: a twentieth of the disk, at most 1073741824)"
    )
    var diskReserveBytes: Int64?

    @Option(help: "Seconds that a request may take to arrive; then its connection is closed. (default: 60)")
    var requestTimeout: Int64?

    @Option(help: "Seconds that a connection may be idle; then it is closed. (default: 600)")
    var idleTimeout: Int64?

    @OptionGroup var groups: ServeGroupOptions
}
