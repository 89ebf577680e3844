import Groups
import Ingest
import Log
import Logging
import Query
import Receivers
import ServeHTTP
import ServeKafka
import View

/// Everything that `millrace serve` is told. `SettingTable` says how each field is called, what it takes and what it
/// does; `Configuration` fills it.
struct ServeSettings: Sendable {
    /// The data directory. Default none: whoever serves needs one.
    var data = ""
    /// The Kafka listener.
    var kafka = KafkaServerSettings()
    /// Consumer groups.
    var groups = GroupSettings()
    /// Partitions of groups whose lag `/metrics` tells one by one; the rest is summed up. Default 5,000: half a megabyte.
    var metricsLagPartitions = 5_000
    /// The HTTP listener.
    var http = HTTPServerSettings()
    /// The log.
    var log = LogSettings()
    /// The views of its topics.
    var views = ViewSettings()
    /// The way of lines into databases.
    var ingest = IngestSettings()
    /// Queries.
    var queries = QuerySettings()
    /// Lines in datagrams.
    var lineReceiver = LineReceiver.Settings()
    /// Whether they are taken. Default false.
    var takesDatagrams = false
    /// The database that they go into. Default `udp`, as InfluxDB.
    var lineReceiverDatabase = "udp"
    /// Where gRPC will listen; nothing is served there yet. Default nil.
    var grpc: ListenAddress?
    /// Whether addresses other than loopback may be listened on. Default false.
    var allowsUnauthenticatedPublic = false
    /// Whether configs that were changed at run time and stored are left out. Default false.
    var ignoresStoredConfigs = false
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
}

/// Addresses as one value each.
extension ServeSettings {
    /// Where to listen for Kafka clients.
    var kafkaAddress: ListenAddress? {
        get { ListenAddress(host: kafka.host, port: kafka.port) }
        set { if let newValue { (kafka.host, kafka.port) = (newValue.host, newValue.port) } }
    }

    /// Where to listen for HTTP.
    var httpAddress: ListenAddress? {
        get { ListenAddress(host: http.host, port: http.port) }
        set { if let newValue { (http.host, http.port) = (newValue.host, newValue.port) } }
    }

    /// What Kafka clients are told to connect to.
    var advertisedAddress: ListenAddress? {
        get { kafka.advertised.map { ListenAddress(host: $0.host, port: $0.port) } }
        set { kafka.advertised = newValue.map { .init(host: $0.host, port: $0.port) } }
    }
}
