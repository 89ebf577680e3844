/// Where the Kafka listener listens, what it offers, and its bounds.
public struct KafkaServerSettings: Sendable {
    /// A host and a port, as clients are told to connect to.
    public struct Endpoint: Sendable, Equatable {
        /// A name or an address, without brackets.
        public let host: String
        /// The port.
        public let port: Int

        /// Assembles an endpoint.
        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// The address to bind. Default 127.0.0.1.
    public var host = "127.0.0.1"
    /// The port; 0 takes a free one. Default 9092.
    public var port = 9092
    /// What Metadata tells clients to connect to. Default nil: the address that the asking client connected to, which
    /// is right wherever no proxy or port mapping stands between.
    public var advertised: Endpoint?

    /// Whether Metadata creates topics that do not exist, for clients that allow it. Default true.
    public var autoCreateTopics = true
    /// Partitions of topics that are created without a count. Default 1.
    public var defaultPartitions: Int32 = 1

    /// Connections at the same time; one more is closed at once, logged and counted. Default 4,096.
    public var maximumConnections = 4_096
    /// The largest request, in bytes; the connection that announces a larger one is closed. Default 100 MiB, as
    /// Kafka's `socket.request.max.bytes`.
    public var maximumFrameBytes = 100 << 20
    /// Requests of one connection that are not answered yet; then the connection is not read until one is. Default
    /// 256: librdkafka and the Java client send 5.
    public var maximumRequestsInFlight = 256
    /// Memory of all connections together for requests of more than 64 KiB that have arrived in part; then the
    /// connections that want more are not read, in order of arrival. Default 512 MiB. With smaller requests a
    /// connection holds at most one receive buffer (up to 1 MiB) and 64 KiB.
    public var maximumGatheredBytes = 512 << 20
    /// How long a request may take from its first byte to its last, in milliseconds; then the connection is closed.
    /// Default 60 s: 100 MiB at 14 Mbit/s.
    public var frameTimeoutMilliseconds: Int64 = 60_000
    /// How long a connection may be silent, with nothing in flight, or not read its responses, in milliseconds; then
    /// it is closed. Default 10 minutes, as Kafka's `connections.max.idle.ms`.
    public var idleTimeoutMilliseconds: Int64 = 600_000
    /// The most bytes of one fetch response, whatever the client asks for; its first batch may exceed it. Default
    /// 55 MiB, as Kafka's `fetch.max.bytes`.
    public var maximumFetchBytes = 55 << 20
    /// The longest that a fetch waits for data, in milliseconds, whatever the client asks for; then it is answered
    /// with what there is. Default 5 minutes.
    public var maximumFetchWaitMilliseconds: Int64 = 300_000
    /// Fetch sessions at the same time (KIP-227); then those go that were not used for two minutes, or that are smaller
    /// than the new one and older than two minutes, else the client is answered without a session, which costs it and
    /// us larger requests. 0 turns sessions off. Default 1,000, as Kafka's
    /// `max.incremental.fetch.session.cache.slots`.
    public var maximumFetchSessions = 1_000
    /// Partitions of all fetch sessions together, at about 400 bytes each; then those go that were not used for two
    /// minutes, else new sessions are refused as above, and one that grows is closed with FETCH_SESSION_ID_NOT_FOUND:
    /// the client begins anew. Default 200,000.
    public var maximumFetchSessionPartitions = 200_000
    /// Partitions, or groups, in one request, or in one fetch session; the connection that names more is closed. Default 100,000, as many as the log has.
    public var maximumPartitionsPerRequest = 100_000
    /// Threads that do what may wait for the disk besides appending: creating and deleting topics, producer ids.
    /// A connection has at most one such request at a time. Default 2.
    public var administrationThreads = 2

    /// The defaults.
    public init() {}
}
