import ArgumentParser
import Glibc
import Log
import Logging
import ServeHTTP
import ServeKafka

/// Everything that `millrace serve` is told, validated.
struct ServeSettings: Sendable {
    /// The data directory.
    var data: String
    /// The Kafka listener.
    var kafka = KafkaServerSettings()
    /// Consumer groups.
    var groups = GroupSettings()
    /// Partitions of groups whose lag `/metrics` tells one by one; the rest is summed up. Default 5,000: half a megabyte.
    var metricsLagPartitions = 5_000
    /// The HTTP listener.
    var http = HTTPServerSettings()
    /// The log; but for the disk's reserve, its bounds have no options.
    var log = LogSettings()
    /// Where the ready line is written besides STDOUT. Default nil: nowhere.
    var readyFile: String?
    /// How long a graceful stop waits for clients, in seconds. Default 10.
    var stopTimeoutSeconds: Int64 = 10
    /// How log lines look. Default logfmt.
    var logFormat = LogFormat.logfmt
    /// Which log lines are written. Default info.
    var logLevel = Logger.Level.info

    /// The most files that are open at the same time if every bound is reached: connections, segments, and 64 for the
    /// rest (24 in an idle server).
    var mostOpenFiles: UInt64 {
        UInt64(kafka.maximumConnections + http.maximumConnections + log.maximumOpenSegments + 64)
    }

    /// Options first, then the environment, then the defaults.
    ///
    /// - Throws: `ValidationError`, which the parser prints with the usage (exit status 64).
    init(_ options: ServeOptions, environment: ServeEnvironment) throws {
        let take = ServeValues(environment)
        guard let data = take.text("data", options.data), !data.isEmpty else {
            throw ValidationError("say where the data is: --data DIR, or MILLRACE_DATA")
        }
        self.data = data
        readyFile = take.text("ready-file", options.readyFile)
        if let seconds = try take.number("stop-timeout", options.stopTimeout, in: 0...3_600) {
            stopTimeoutSeconds = seconds
        }
        logFormat = try take.choice("log-format", options.logFormat) ?? logFormat
        logLevel = try take.choice("log-level", options.logLevel) ?? logLevel
        try readListeners(options, take)
        try readBounds(options, take)
        try groups.read(options.groups, take)
        if let count = try take.number("metrics-lag-partitions", options.groups.metricsLagPartitions, in: 0...1_000_000)
        {
            metricsLagPartitions = count
        }
    }

    private mutating func readListeners(_ options: ServeOptions, _ take: ServeValues) throws {
        let allowPublic = try options.allowUnauthenticatedPublic || take.isTrue("allow-unauthenticated-public") ?? false
        if let address = try take.address("kafka-listen", options.kafkaListen) {
            (kafka.host, kafka.port) = (address.host, address.port)
        }
        if let address = try take.address("http-listen", options.httpListen) {
            (http.host, http.port) = (address.host, address.port)
        }
        let grpc = try take.address("grpc-listen", options.grpcListen)
        let listeners = [("kafka-listen", kafka.host), ("http-listen", http.host), ("grpc-listen", grpc?.host)]
        for case (let name, let host?) in listeners where !allowPublic && !isLoopback(host) {
            throw ValidationError(
                """
                --\(name) \(host) is not a loopback address, and nothing asks who connects: anyone who can reach it \
                could read, write and delete everything. Listen on 127.0.0.1 or [::1], or say \
                --allow-unauthenticated-public.
                """)
        }
        if let address = try take.address("advertised-listener", options.advertisedListener) {
            guard address.port > 0 else { throw ValidationError("--advertised-listener needs a port above 0") }
            kafka.advertised = .init(host: address.host, port: address.port)
        }
    }

    private mutating func readBounds(_ options: ServeOptions, _ take: ServeValues) throws {
        kafka.autoCreateTopics =
            try options.autoCreateTopics ?? take.isTrue("auto-create-topics") ?? kafka.autoCreateTopics
        if let count = try take.number("default-partitions", options.defaultPartitions, in: 1...10_000) {
            kafka.defaultPartitions = count
        }
        if let count = try take.number("max-connections", options.maxConnections, in: 1...1_000_000) {
            kafka.maximumConnections = count
        }
        if let bytes = try take.number("max-request-bytes", options.maxRequestBytes, in: 1_024...(1 << 30)) {
            kafka.maximumFrameBytes = bytes
        }
        if let count = try take.number("max-requests-in-flight", options.maxRequestsInFlight, in: 1...100_000) {
            kafka.maximumRequestsInFlight = count
        }
        if let bytes = try take.number("request-memory-bytes", options.requestMemoryBytes, in: (1 << 20)...(1 << 40)) {
            kafka.maximumGatheredBytes = bytes
        }
        log.diskReserveBytes = try take.number("disk-reserve-bytes", options.diskReserveBytes, in: 0...(1 << 50))
        if let seconds = try take.number("request-timeout", options.requestTimeout, in: 1...86_400) {
            kafka.frameTimeoutMilliseconds = seconds * 1_000
        }
        if let seconds = try take.number("idle-timeout", options.idleTimeout, in: 1...86_400) {
            kafka.idleTimeoutMilliseconds = seconds * 1_000
        }
    }
}

/// A host that only this machine can reach.
private func isLoopback(_ host: String) -> Bool {
    var parsed = in_addr()
    if inet_pton(AF_INET, host, &parsed) == 1 { return UInt32(bigEndian: parsed.s_addr) >> 24 == 127 }
    return host == "localhost" || host == "::1"
}
